# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as users install it: its archive, in an environment that has ansible-core alone."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

import pytest
from ansible_collections.securescan.kubernetes.tests.environment.interpreters import interpreter
from ansible_collections.securescan.kubernetes.tests.environment.python_environment import ensure_environment
from ansible_collections.securescan.kubernetes.tests.quality import compatibility_page

ROOT = pathlib.Path(__file__).resolve().parents[2]

# The oldest ansible-core that is claimed on the oldest Python of its controller, and the newest on the newest.
INSTALLATIONS = (("2.16", "3.10"), ("2.21", "3.13"))
SHIPPED = {
    ".ansible-lint",
    "CHANGELOG.md",
    "FILES.json",
    "LICENSE",
    "MANIFEST.json",
    "README.md",
    "SECURITY.md",
    "bin",
    "changelogs",
    "charts",
    "ci",
    "docs",
    "execution_environment",
    "extensions",
    "scanner_image",
    "meta",
    "playbooks",
    "plugins",
    "profiles",
    "requirements-evidence.txt",
    "requirements-push.txt",
    "requirements-store.txt",
    "requirements.txt",
    "roles",
    "tests",
}
MAX_ARCHIVE_BYTES = 2 * 1024 * 1024
_seen: list[tuple[str, str, str]] = []


def clean_environ(programs: pathlib.Path, **more: str) -> dict[str, str]:
    """As a login shell has it: nothing of this test run's Ansible and Python is passed on."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TZ") if name in os.environ}
    return {**kept, "PATH": f"{programs}:/usr/bin:/bin", "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8", **more}


def run(*command: object, cwd: pathlib.Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environ,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("archive")
    programs = pathlib.Path(sys.executable).parent
    done = run(
        programs / "ansible-galaxy",
        "collection",
        "build",
        "--output-path",
        folder,
        cwd=ROOT,
        environ=clean_environ(programs),
    )
    assert done.returncode == 0, done.stdout
    found = list(folder.glob("securescan-kubernetes-*.tar.gz"))
    assert len(found) == 1
    return found[0]


def test_the_archive_holds_what_users_need_and_no_more(archive):
    with tarfile.open(archive) as file:
        names = file.getnames()
    assert {name.split("/")[0] for name in names} == SHIPPED
    assert {name for name in names if name.startswith("tests/")} == {"tests/config.yml"}
    assert not [
        name for name in names if "__pycache__" in name or name.endswith((".pyc", ".retry", ".tar.gz"))
    ]
    assert archive.stat().st_size < MAX_ARCHIVE_BYTES


def checkout(folder: pathlib.Path) -> None:
    """The collection's files as a repository of their own."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns("build", ".git", "__pycache__", ".*_cache"))
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "all")):
        identity = ("-c", "user.name=tester", "-c", "user.email=tester@example.com")
        subprocess.run(["git", *identity, *command], cwd=folder, check=True)


@pytest.mark.parametrize("way", ["a checkout", "git"])
def test_it_is_installed_from_a_checkout_and_from_git_as_from_its_archive(way, archive, tmp_path):
    programs = pathlib.Path(sys.executable).parent
    repository = tmp_path / "repository"
    checkout(repository)
    source = "." if way == "a checkout" else f"git+file://{repository}"
    environ = clean_environ(programs, HOME=str(tmp_path))
    done = run(programs / "ansible-galaxy", "collection", "install", source, cwd=repository, environ=environ)
    assert done.returncode == 0, done.stdout
    installed = tmp_path / ".ansible" / "collections" / "ansible_collections" / "securescan" / "kubernetes"
    with tarfile.open(archive) as file:
        shipped = {member.name for member in file.getmembers() if member.isfile()}
    assert {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()} == shipped


class Installation:
    """The archive installed beside an ansible-core."""

    def __init__(self, core: str, python: str, archive: pathlib.Path, folder: pathlib.Path) -> None:
        found = interpreter(python)
        if found is None:
            pytest.skip(f"this machine has no Python {python}")
        self.folder = folder
        self.programs = (
            ensure_environment(ROOT / "tests" / "quality" / (f"ansible-core-{core}.txt"), found) / "bin"
        )
        self.environ = clean_environ(self.programs, HOME=str(folder), PWD=str(folder))
        done = self.run("ansible-galaxy", "collection", "install", archive)
        assert done.returncode == 0, done.stdout

    def run(self, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        return run(self.programs / program, *arguments, cwd=self.folder, environ=self.environ)

    def scan(
        self, kubeconfig: pathlib.Path, *arguments: str, **variables: object
    ) -> subprocess.CompletedProcess[str]:
        """The README's first scan."""
        inventory = self.folder / "inventory.json"
        host = {"ansible_connection": "local", "scan_kubeconfig": str(kubeconfig), **variables}
        inventory.write_text(json.dumps({"all": {"hosts": {"mycluster": host}}}))
        return self.run(
            "ansible-playbook",
            "securescan.kubernetes.scan",
            "-i",
            inventory,
            "-e",
            "scan_namespaces=shop",
            *arguments,
        )


@pytest.fixture(scope="module", params=INSTALLATIONS, ids="-".join)
def installation(request, archive, tmp_path_factory):
    core, python = request.param
    made = Installation(core, python, archive, tmp_path_factory.mktemp("installed"))
    made.core, made.python = core, python
    return made


def test_a_first_scan_with_ansible_core_alone(installation, operator_kubeconfig):
    installed = installation.run("python", "-m", "pip", "list", "--format=freeze").stdout
    assert f"ansible-core=={installation.core}." in installed
    assert "kubernetes" not in installed
    done = installation.scan(operator_kubeconfig)
    assert done.returncode == 2, "the sample workloads hold a badly configured one: " + done.stdout
    assert "Traceback" not in done.stdout and "[WARNING]" not in done.stdout, done.stdout
    summary = json.loads(
        (installation.folder / "scan-results" / "mycluster" / "latest" / "summary.json").read_text()
    )
    results = {target["workload"]: target["result"] for target in summary["targets"]}
    assert results["api"] == "pass"
    assert results["legacy"] == "fail"
    assert not summary["gate"]["passed"]
    _seen.append((installation.core, installation.python, "installs and scans"))


def test_documentation_is_there(installation):
    done = installation.run("ansible-doc", "-l", "securescan.kubernetes")
    assert done.returncode == 0
    assert "securescan.kubernetes.scan_container" in done.stdout
    done = installation.run("ansible-doc", "-t", "role", "securescan.kubernetes.scan")
    assert "scan_namespaces" in done.stdout, done.stdout


def test_a_missing_package_is_named_with_how_to_get_it(installation, operator_kubeconfig, tmp_path):
    """A kubeconfig with an auth-provider is the one thing for which `kubernetes` is needed."""
    config = json.loads(operator_kubeconfig.read_text())
    config["users"][0]["user"] = {"auth-provider": {"name": "oidc", "config": {"id-token": "x"}}}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(config))
    done = installation.scan(kubeconfig)
    assert done.returncode == 2
    assert "SCAN-101" in done.stdout and "kubernetes" in done.stdout, done.stdout
    assert "pip install" in done.stdout or "requirements.txt" in done.stdout, done.stdout
    assert "Traceback" not in done.stdout


def test_the_page_of_compatibility_says_so():
    if len(_seen) < len(INSTALLATIONS):
        pytest.skip("only a whole run of this file can tell")
    columns = ("ansible-core", "controller's Python", "result")
    assert compatibility_page.record(compatibility_page.INSTALLED, columns, _seen), (
        "run this file's tests with SECURESCAN_WRITE_DOCS=1"
    )
