# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles pass every option of the connection and of the selection, and leave a play its own module_defaults."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import pytest
import yaml

pytest.importorskip("ansible", reason="roles belong to Ansible")

from ansible_collections.securescan.kubernetes.plugins.doc_fragments.connection import ModuleDocFragment
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.connection import connection_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.selection import selection_spec
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import no_shell
from ansible_collections.securescan.kubernetes.tests.fake_api_server.proxy import FakeProxy
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.specifications import MODULES, options_of

ROLES = pathlib.Path(__file__).resolve().parents[3] / "roles"
CONNECTION = {"scan": ROLES / "scan/vars/main/connection.yml", "access": ROLES / "access/vars/main.yml"}
LOOK = {"include_role": {"name": "securescan.kubernetes.scan", "tasks_from": "footprint"}}
SWEEP = {"include_role": {"name": "securescan.kubernetes.access"}}


def read(path: pathlib.Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("role", ["scan", "access"])
def test_a_role_has_a_variable_for_every_option_of_the_connection(role):
    passed = read(CONNECTION[role])[f"__{role}_connection_options"]
    assert passed == {name: f"{{{{ {role}_{name} | default('') }}}}" for name in connection_spec()}


@pytest.mark.parametrize("role", ["scan", "access"])
def test_the_variables_of_the_connection_are_specified_as_the_options_are(role):
    spec = read(ROLES / role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    for name, rule in connection_spec().items():
        variable = spec[f"{role}_{name}"]
        assert variable["type"] == rule["type"], name
        assert variable.get("elements") == rule.get("elements"), name
        assert bool(variable.get("no_log")) == bool(rule.get("no_log")), name
        assert "default" not in variable, f"{name}: it would hide the play's own"


def test_the_role_scan_has_a_variable_for_every_option_of_the_selection():
    assert set(read(ROLES / "scan/vars/main/selection.yml")["__scan_selection"]) == set(selection_spec())


@pytest.mark.parametrize("role", ["scan", "access"])
def test_a_role_has_a_variable_for_every_documented_option_of_the_connection(role):
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    assert set(documented) == set(read(CONNECTION[role])[f"__{role}_connection_options"])


def tasks_of(value: object) -> Iterator[dict]:
    """Every mapping in a file of tasks or plays, in whatever block it stands."""
    if isinstance(value, list):
        for one in value:
            yield from tasks_of(one)
    elif isinstance(value, dict):
        yield value
        for one in value.values():
            yield from tasks_of(one)


def test_the_tasks_of_roles_and_playbooks_give_options_that_there_are():
    """Most files of a role are read when their turn comes, which can be hours after the play began."""
    seen = set()
    for path in (*ROLES.glob("*/tasks/*.yml"), *ROLES.parent.glob("playbooks/*.yml")):
        for task in tasks_of(read(path)):
            for name, given in task.items():
                module = str(name).removeprefix("securescan.kubernetes.")
                if module in MODULES and isinstance(given, dict):
                    seen.add(module)
                    assert set(given) <= set(options_of(module)), f"{path}: {module}"
    assert {"scan_store", "scan_fleet_run", "scan_container"} <= seen


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeApiServer]:
    with FakeApiServer(Authority(tmp_path_factory.mktemp("authority"))) as running:
        running.add_pod("shop", "edge-1", {"edge": no_shell})
        yield running


def run_play(folder: pathlib.Path, server: FakeApiServer, task: dict, **play) -> list[dict[str, str]]:
    """Runs a play of one task; the headers of the requests that it made to the server."""
    book = folder / "play.yml"
    book.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [task], **play}]))
    return run_playbook(folder, server, str(book))


def run_playbook(folder: pathlib.Path, server: FakeApiServer, *arguments: str) -> list[dict[str, str]]:
    server.requests.clear()
    hosts = folder / "inventory.ini"
    hosts.write_text("fake ansible_connection=local\n")
    program = pathlib.Path(sys.executable).parent / "ansible-playbook"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("K8S_AUTH_")}
    done = subprocess.run(
        [str(program), "-i", str(hosts), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**environ, "HOME": str(folder)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert server.token not in done.stdout + done.stderr
    assert server.requests
    return [{name.lower(): value for name, value in seen.headers.items()} for seen in server.requests]


def connection_variables(server: FakeApiServer, role: str) -> dict[str, str]:
    given = {"host": server.url, "api_key": server.token, "ca_cert": str(server.authority.ca)}
    return {f"{role}_{name}": value for name, value in given.items()}


def test_what_a_role_is_given_reaches_the_cluster(tmp_path, server):
    with FakeProxy() as proxy:
        given = {
            **connection_variables(server, "scan"),
            "scan_proxy": f"http://{proxy.authority}",
            "scan_proxy_headers": {"user_agent": "of-the-role"},
            "scan_impersonate_user": "jane",
            "scan_impersonate_groups": ["auditors", "readers"],
            "scan_validate_certs": True,
            "scan_namespaces": "shop",
        }
        headers = run_play(tmp_path, server, LOOK, vars=given)
    assert {head["impersonate-user"] for head in headers} == {"jane"}
    assert {head["impersonate-group"] for head in headers} == {"auditors,readers"}
    assert proxy.targets and "of-the-role" in proxy.heads[0]


@pytest.mark.parametrize(("role", "task"), [("scan", LOOK), ("access", SWEEP)])
def test_the_defaults_of_the_play_hold_for_what_the_role_is_not_given(tmp_path, server, role, task):
    with FakeProxy() as proxy:
        defaults = {"proxy": f"http://{proxy.authority}", "impersonate_user": "of-the-play"}
        given = {
            **connection_variables(server, role),
            f"{role}_namespaces": ["shop"],
            f"{role}_proxy": "",
            "access_state": "swept",
        }
        play = {"vars": given, "module_defaults": {"group/securescan.kubernetes.scan": defaults}}
        headers = run_play(tmp_path, server, task, **play)
        assert {head["impersonate-user"] for head in headers} == {"of-the-play"}
        assert proxy.targets
        given[f"{role}_impersonate_user"] = "of-the-role"
        headers = run_play(tmp_path, server, task, **play)
    assert {head["impersonate-user"] for head in headers} == {"of-the-role"}


@pytest.mark.parametrize("playbook", ["sweep", "access", "scan", "recycle"])
def test_the_playbooks_take_the_connection_of_the_scan(tmp_path, server, playbook):
    with FakeProxy() as proxy:
        given = {
            **connection_variables(server, "scan"),
            "scan_proxy": f"http://{proxy.authority}",
            "scan_impersonate_groups": ["auditors"],
            "scan_impersonate_user": "jane",
            "scan_namespaces": "shop",
        }
        file = tmp_path / "given.json"
        file.write_text(json.dumps(given), encoding="utf-8")
        headers = run_playbook(
            tmp_path, server, f"securescan.kubernetes.{playbook}", "-e", f"@{file}", "--check"
        )
    assert {head["impersonate-group"] for head in headers} == {"auditors"}
    assert proxy.targets


def test_a_wrong_ca_is_refused_unless_the_role_says_not_to_look(tmp_path, server):
    other = Authority(tmp_path)
    given = {**connection_variables(server, "scan"), "scan_ca_cert": str(other.ca), "scan_namespaces": "shop"}
    with pytest.raises(AssertionError, match="SCAN-203"):
        run_play(tmp_path, server, LOOK, vars=given)
    assert run_play(tmp_path, server, LOOK, vars={**given, "scan_validate_certs": False})
