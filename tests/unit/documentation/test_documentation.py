# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection says of itself is complete and current."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
import yaml

pytest.importorskip("ansible", reason="the engine's unit tests run without Ansible too")

from ansible_collections.securescan.kubernetes.plugins.module_utils.options.connection import connection_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.selection import selection_spec
from ansible_collections.securescan.kubernetes.tests.environment.generated_docs import pages

ROOT = pathlib.Path(__file__).resolve().parents[3]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))


def spec_of(name: str) -> dict:
    """The options of a module, as its action plugin validates them."""
    plugin = importlib.import_module(f"ansible_collections.securescan.kubernetes.plugins.action.{name}")
    return plugin.ActionModule.spec()


@pytest.fixture(scope="module")
def documentation() -> dict:
    program = pathlib.Path(sys.executable).parent / "ansible-doc"
    done = subprocess.run(
        [str(program), "-j", *[f"securescan.kubernetes.{name}" for name in MODULES]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr and "WARNING" not in done.stderr, done.stderr
    return json.loads(done.stdout)


def test_ansible_doc_shows_every_module(documentation):
    assert len(MODULES) >= 5
    for name in MODULES:
        entry = documentation[f"securescan.kubernetes.{name}"]
        assert entry["doc"]["short_description"]
        assert yaml.safe_load(entry["examples"])
        assert entry["return"]


@pytest.mark.parametrize("name", MODULES)
def test_documented_options_are_the_options(documentation, name):
    documented = documentation[f"securescan.kubernetes.{name}"]["doc"]["options"]
    spec = spec_of(name)
    assert set(documented) == set(spec)
    for option, rule in spec.items():
        said = documented[option]
        assert said.get("type", "str") == rule.get("type", "str"), option
        assert said.get("default") == rule.get("default"), option
        assert said.get("choices") == rule.get("choices"), option
        assert sorted(said.get("aliases", [])) == sorted(rule.get("aliases", [])), option
        assert bool(said.get("required")) == bool(rule.get("required")), option


@pytest.mark.parametrize("name", MODULES)
def test_every_module_has_its_action_plugin(name):
    assert (ROOT / "plugins" / "action" / (name + ".py")).exists()


def test_roles_document_every_variable_that_they_use():
    for role in ("access", "scan"):
        folder = ROOT / "roles" / role
        spec = yaml.safe_load((folder / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"][
            "options"
        ]
        defaults = yaml.safe_load((folder / "defaults" / "main.yml").read_text())
        used = set(re.findall(rf"\b{role}_[a-z_]+", (folder / "tasks" / "main.yml").read_text()))
        used -= {
            "scan_access",
            "scan_check",
            "scan_container",
            "scan_profile",
            "scan_threshold",  # modules
            "scan_result",
            "scan_gate",
            "access_granted",
        }  # what the role leaves for others
        assert used <= set(spec)
        assert set(defaults) <= set(spec)


def test_generated_pages_are_current():
    for name, text in pages().items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, f"run `make docs` ({name})"


@pytest.mark.parametrize(("group", "spec"), [("scan", connection_spec), ("selection", selection_spec)])
def test_an_action_group_holds_the_modules_with_its_options(group, spec):
    members = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["action_groups"][group]
    shared = set(spec())
    assert sorted(members) == [name for name in MODULES if shared <= set(spec_of(name))]


def test_an_action_group_of_roles_holds_modules_with_a_connection():
    groups = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["action_groups"]
    assert set(groups["role_connection"]) == set(groups["selection"]) <= set(groups["scan"])


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_nothing_names_a_package_host():
    hosts = [
        "pypi" + ".org",
        "registry.npm" + "js",
        "proxy." + "golang",
        "deb." + "debian.org",
        "files.python" + "hosted",
    ]
    for folder, _folders, names in os.walk(ROOT):
        for path in (pathlib.Path(folder, name) for name in names):
            # tests that run beside this one make files in the checkout and remove them
            with contextlib.suppress(FileNotFoundError):
                if (
                    path.is_file()
                    and path.suffix in (".py", ".md", ".yml", ".json", ".sh", ".txt", "")
                    and path.stat().st_size < 2e6
                ):
                    text = path.read_text(encoding="utf-8", errors="ignore")
                    assert not [host for host in hosts if host in text], path
