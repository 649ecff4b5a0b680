# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/contributing.md is followed in a copy of the checkout: only files that it names are changed, and its checks pass."""

from __future__ import annotations

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

pytest.importorskip("ansible", reason="pages and profiles are checked with Ansible")

ROOT = pathlib.Path(__file__).resolve().parents[3]
# besides what is no source, what other programs write while the tree is copied
LEFT_OUT = shutil.ignore_patterns("build", ".git", "__pycache__", ".*_cache")
ENGINE = "plugins/module_utils"
UNIT = "tests/unit/plugins/module_utils"

UPTIME = '''\
"""uptime: how long the node has been up, from /proc/uptime."""

from __future__ import annotations

from .facts import OK, Fact, Query
from .family import RUNNING, Answer, Family, call
from .frames import decode_text
from .query_rules import NO_SUBJECT

_SHELL = r"""
uptime() {
  if read_all /proc/uptime 100; then put "q$1" ok text "$text"
  else unsupported $1 'there is no /proc/uptime'
  fi
}
"""


def _read(answer: Answer, query: Query) -> Fact:
    return Fact(OK, decode_text(answer.get_own()).split()[0])


UPTIME = Family(
    subject=NO_SUBJECT,
    value="seconds as a text",
    calls=call("uptime"),
    read=_read,
    shell=_SHELL,
    uses=("read_all",),
    reach=RUNNING,
)
'''
UPTIME_RESOURCE = """\
RESOURCES = (
    Resource(
        "uptime",
        "How long the node has been up.",
        lambda params: "Uptime",
        lambda params: "of the node",
        attributes_by_name(
            Attribute(
                "seconds",
                TEXT,
                "Seconds since its start.",
                lambda view: view.value(Query("uptime")),
                lambda params: (Query("uptime"),),
            ),
        ),
    ),
"""
UPTIME_VERDICTS = """\
CASES = [
    ("uptime:", 'seconds: "12.5"', 'seconds: "1.0"', {"uptime": "12.5"}),
"""
UPTIME_SEEN = """

def test_uptime(make_container: Callable[..., Container]) -> None:
    container = make_container("dash", "gnu")
    fact = container.fact(Query("uptime"))
    assert fact.status == OK and float(fact.value) > 0
"""


NEW_ROW = """\
| format | file | for |
| --- | --- | --- |
| `lines` | `lines.txt` | people |
"""


class Checkout:
    """A copy of the tree, where Python and Ansible find the collection."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.root = folder / "ansible_collections" / "securescan" / "kubernetes"
        shutil.copytree(ROOT, self.root, ignore=LEFT_OUT)
        self._environ = {
            **os.environ,
            "PYTHONPATH": str(folder),
            "ANSIBLE_COLLECTIONS_PATH": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._before = self._hashes()

    def _hashes(self) -> dict[str, str]:
        return {
            str(path.relative_to(self.root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.root.rglob("*")
            if path.is_file()
        }

    def changed(self) -> set[str]:
        """Files that are new or other than at the beginning, without the pages of docs/."""
        names = {name for name, digest in self._hashes().items() if self._before.get(name) != digest}
        return {name for name in names if not name.startswith("docs/")}

    def write(self, name: str, text: str) -> None:
        header = (self.root / ENGINE / "errors.py").read_text(encoding="utf-8").splitlines(keepends=True)[:3]
        (self.root / name).write_text("".join(header) + text, encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, (name, old, text.count(old))
        path.write_text(text.replace(old, new), encoding="utf-8")

    def append(self, name: str, text: str) -> None:
        with (self.root / name).open("a", encoding="utf-8") as file:
            file.write(text)

    def run(self, *arguments: str, **environ: str) -> str:
        """A Python program in the checkout. Its output."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env={**self._environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout[-6000:]
        return done.stdout

    def make_docs(self) -> None:
        self.run("tests/environment/generated_docs.py", str(self.root / "docs"))

    def test(self, *arguments: str, **environ: str) -> None:
        self.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-x", *arguments, **environ)


def files_of(section: str) -> list[str]:
    """The paths in the table of a section of the page."""
    page = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
    text = page.split(f"## {section}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def assert_named(changed: set[str], section: str) -> None:
    """Every changed file is one that the section names, or is new beside one that it names."""
    named = files_of(section)
    folders = {str(pathlib.PurePath(name).parent) for name in named}
    for name in changed:
        new = not (ROOT / name).exists()
        assert name in named or (new and str(pathlib.PurePath(name).parent) in folders), name


@pytest.fixture
def checkout(tmp_path: pathlib.Path) -> Checkout:
    return Checkout(tmp_path)


def test_a_kind_of_fact_as_the_page_says(checkout: Checkout) -> None:
    checkout.write(f"{ENGINE}/collector/uptime.py", UPTIME)
    families = f"{ENGINE}/collector/families.py"
    checkout.replace(
        families, "from .walks import WALK\n", "from .uptime import UPTIME\nfrom .walks import WALK\n"
    )
    checkout.replace(families, '    "mounts": MOUNTS,\n', '    "mounts": MOUNTS,\n    "uptime": UPTIME,\n')
    checkout.replace(f"{ENGINE}/vocabulary/resources/kernel.py", "RESOURCES = (\n", UPTIME_RESOURCE)
    checkout.append(f"{UNIT}/collector/test_system_facts.py", UPTIME_SEEN)
    checkout.replace(f"{UNIT}/vocabulary/test_profile_resources.py", "CASES = [\n", UPTIME_VERDICTS)
    checkout.make_docs()
    assert_named(checkout.changed(), "A new kind of fact")
    assert "| `uptime` |" in (checkout.root / "docs" / "facts.md").read_text(encoding="utf-8")
    checkout.test(
        f"{UNIT}/collector/test_system_facts.py::test_uptime",
        f"{UNIT}/vocabulary/test_profile_resources.py",
        "tests/unit/architecture",
        "tests/unit/documentation/test_documentation.py::test_generated_pages_are_current",
    )


BAD_CASE = """\
BAD["cb-scaffolded"] = [{"file:/etc": ABSENT}]
ALSO["cb-scaffolded"] = {"cb-configuration-directory"}


@pytest.fixture(scope="module")
def profile():
"""
TAGS = """\
    tags: {cci: [CCI-001499], nist: [CM-5(6)], nist_800_190: "4.4.4"}
    tests:
      - file: /etc
"""


def test_a_control_as_the_page_says(checkout: Checkout) -> None:
    folder = "profiles/container-baseline"
    kept = checkout.root / folder / "tests" / "api.json"
    scaffold = "tests/scaffolds/new_control.py"
    said = checkout.run(
        scaffold, str(checkout.root), "container-baseline", "software", "cb-scaffolded", str(kept)
    )
    assert "FILL IN" in said and "file:/etc/passwd" in said
    profiles = ("-m", "ansible", "adhoc", "localhost", "-m", "securescan.kubernetes.scan_profile")
    arguments = ("-a", f"profiles={checkout.root / folder} tests=true")
    assert '"failures": []' in checkout.run(*profiles, *arguments), "the skeleton's own cases"

    controls, cases = f"{folder}/controls/software.yml", f"{folder}/tests/cb-scaffolded.yml"
    text = (checkout.root / controls).read_text(encoding="utf-8")
    text = re.sub(r"    # FILL IN.*\n    tests:\n      - file: /etc/passwd\n", TAGS, text)
    (checkout.root / controls).write_text(re.sub("FILL IN", "Say", text), encoding="utf-8")
    text = (checkout.root / cases).read_text(encoding="utf-8")
    (checkout.root / cases).write_text(text.replace("/etc/passwd", "/etc"), encoding="utf-8")
    checkout.replace(f"{folder}/profile.yml", "version: 0.4.0", "version: 0.5.0")
    checkout.replace(
        f"{UNIT}/profiles/test_container_baseline.py",
        '@pytest.fixture(scope="module")\ndef profile():\n',
        BAD_CASE,
    )
    readme = (checkout.root / "README.md").read_text(encoding="utf-8")
    for number in re.findall(r"\((\d+) controls inside|\| (\d+) controls;", readme):
        old = "".join(number)
        readme = readme.replace(f"{old} controls", f"{int(old) + 1} controls")
    (checkout.root / "README.md").write_text(readme, encoding="utf-8")
    checkout.make_docs()
    assert_named(checkout.changed(), "A new control")
    assert '"failures": []' in checkout.run(*profiles, *arguments)
    checkout.test(
        f"{UNIT}/profiles/test_container_baseline.py",
        f"{UNIT}/profiles/test_shipped_profiles.py",
        "tests/unit/documentation/test_documentation.py::test_generated_pages_are_current",
        "tests/unit/documentation/test_readme.py",
    )


def test_a_report_as_the_page_says(checkout: Checkout) -> None:
    said = checkout.run("tests/scaffolds/new_report.py", str(checkout.root), "lines")
    assert "FILL IN" in said
    rooms, golden = f"{UNIT}/reports", f"{UNIT}/reports/golden/lines.txt"
    checkout.replace("docs/reports.md", NEW_ROW.partition("| `lines`")[0], NEW_ROW)
    checkout.test(f"{rooms}/test_golden_reports.py", SECURESCAN_WRITE_GOLDEN="1")
    assert "/Deployment/" in (checkout.root / golden).read_text(encoding="utf-8")
    assert_named(checkout.changed(), "A new report")
    checkout.test(rooms)
