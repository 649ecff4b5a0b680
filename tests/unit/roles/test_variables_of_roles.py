# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that nothing reads, and values and files that cannot be used, are refused before any cluster is asked."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import yaml

pytest.importorskip("ansible", reason="roles belong to Ansible")

from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.plugin_utils.role_variables import (
    LEFT_FOR_OTHERS,
    check_variables,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import no_shell
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_target,
    write_run,
)
from ansible_collections.securescan.kubernetes.tests.support.specifications import ROOT, variables_of

Play = dict[str, Any]
SCAN_PLAYBOOKS = ("scan", "preflight", "footprint", "recycle", "report", "judge")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeApiServer]:
    with FakeApiServer(Authority(tmp_path_factory.mktemp("authority"))) as running:
        running.add_pod("shop", "edge-1", {"edge": no_shell})
        yield running


class Plays:
    """Runs playbooks over one host, the fake API server. `folder` is the current directory, `output` all that was printed."""

    def __init__(self, folder: pathlib.Path, server: FakeApiServer) -> None:
        self.folder = folder
        self.server = server
        self.output = ""
        self.host: Mapping[str, Any] = {
            "scan_host": server.url,
            "scan_api_key": server.token,
            "scan_ca_cert": str(server.authority.ca),
            "scan_namespaces": "shop",
            "scan_output_dir": str(folder / "results"),
        }

    def run(self, book: str, *arguments: str, extra: Mapping[str, Any] | None = None, **host: Any) -> int:
        """The exit status. `extra`: variables of the command line; `host`: of the inventory."""
        return self._run(book, *arguments, extra=extra, hosts={"edge": host})

    def refusals(self, book: str, cases: Sequence[Mapping[str, Any]]) -> list[str]:
        """What a host with each of these variables is told that ends its play; empty where it goes on."""
        self._run(book, "--forks", "4", hosts={f"case-{number}": case for number, case in enumerate(cases)})
        told = dict(re.findall(r"^fatal: \[(\S+)\]: FAILED! => (\{.*\})$", self.output, re.MULTILINE))
        return [json.loads(told.get(f"case-{number}", "{}")).get("msg", "") for number in range(len(cases))]

    def _run(
        self,
        book: str,
        *arguments: str,
        extra: Mapping[str, Any] | None = None,
        hosts: Mapping[str, Mapping[str, Any]],
    ) -> int:
        self.server.requests.clear()
        inventory = self.folder / "inventory.json"
        hosts = {name: {**self.host, **variables} for name, variables in hosts.items()}
        inventory.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
        program = pathlib.Path(sys.executable).parent / "ansible-playbook"
        environ = {name: value for name, value in os.environ.items() if not name.startswith("K8S_AUTH_")}
        done = subprocess.run(
            [str(program), book, "-i", str(inventory), *arguments, "-e", json.dumps(extra or {})],
            cwd=self.folder,
            check=False,
            text=True,
            capture_output=True,
            timeout=120,
            env={**environ, "HOME": str(self.folder), "PWD": str(self.folder), "ANSIBLE_NOCOLOR": "1"},
        )
        self.output = done.stdout + done.stderr
        return done.returncode

    def play(self, play: Play, **options: Any) -> int:
        book = self.folder / "play.yml"
        book.write_text(json.dumps([{"hosts": "all", "gather_facts": False, **play}]), encoding="utf-8")
        return self.run(str(book), **options)


@pytest.fixture
def plays(tmp_path: pathlib.Path, server: FakeApiServer) -> Plays:
    return Plays(tmp_path, server)


def refused(plays: Plays, status: int, *said: str) -> None:
    """The play failed with these words, and the cluster was not asked for anything."""
    assert status == 2, plays.output
    for text in said:
        assert text in plays.output, plays.output
    assert "No cluster was touched." in plays.output
    assert plays.server.requests == []
    assert not any(word in plays.output for word in ("AnsibleTagged", "Unsafe", "NoneType", "<class"))


# Names


@pytest.mark.parametrize("playbook", SCAN_PLAYBOOKS)
def test_every_playbook_of_the_scan_begins_with_the_check_also_by_its_tag(
    plays: Plays, playbook: str
) -> None:
    misspelt = {"scan_forbidden_aproaches": [{"approaches": ["exec"], "namespaces": ["shop"]}]}
    status = plays.run(f"securescan.kubernetes.{playbook}", "--tags", playbook, **misspelt)
    refused(plays, status, "you have set scan_forbidden_aproaches, did you mean 'scan_forbidden_approaches'?")


@pytest.mark.parametrize("playbook", ["access", "sweep"])
def test_the_playbooks_of_the_access_look_at_the_variables_of_both_roles(plays: Plays, playbook: str) -> None:
    told = plays.refusals(
        f"securescan.kubernetes.{playbook}", [{"scan_label_selector": "a=b"}, {"access_run": "r-1"}]
    )
    refused(plays, 2)
    assert "scan_label_selector, did you mean 'scan_label_selectors'?" in told[0]
    assert "access_run, did you mean 'access_run_id'?" in told[1]


ROLE = {"connection": "local", "roles": ["securescan.kubernetes.scan"]}


def test_it_does_not_matter_where_the_variable_stands(plays: Plays) -> None:
    (plays.folder / "group_vars").mkdir()
    (plays.folder / "group_vars" / "all.yml").write_text("scan_quux_1: 1", encoding="utf-8")
    play = {
        "connection": "local",
        "vars": {"scan_quux_2": 1},
        "pre_tasks": [{"set_fact": {"scan_quux_3": 1}}],
        "roles": [{"role": "securescan.kubernetes.scan", "scan_quux_4": 1, "vars": {"scan_quux_5": 1}}],
    }
    status = plays.play(play, extra={"scan_quux_6": 1}, scan_quux_7=1)
    refused(plays, status, *(f"you have set scan_quux_{number}" for number in range(1, 8)))
    included = {"include_role": {"name": "securescan.kubernetes.scan"}, "vars": {"scan_namespace": "shop"}}
    status = plays.play({"connection": "local", "tasks": [included]})
    refused(plays, status, "you have set scan_namespace, did you mean 'scan_namespaces'?")


def test_what_a_play_registers_or_names_as_its_own_is_no_mistake(plays: Plays) -> None:
    play = {
        **ROLE,
        "pre_tasks": [
            {"debug": {"msg": ""}, "register": "scan_of_the_night"},
            {
                "set_fact": {
                    "scan_result": 1,
                    "scan_run_dir": "/x",
                    "scan_info_file": "",
                    "access_key": "mine",
                }
            },
        ],
        "vars": {"scan_foreign_variables": "scan_of_*"},
    }
    omitted = {"scan_limit": "{{ nothing_such | default(omit) }}", "scan_timeout": "{{ omit }}"}
    plays.play(play, extra={"scan_profiles": ["no-such-profile"]}, **omitted)
    assert "you have set" not in plays.output and "No profile 'no-such-profile'" in plays.output


def test_what_the_roles_leave_for_others_is_known() -> None:
    for role, names in LEFT_FOR_OTHERS.items():
        left: set[str] = set()
        for path in (ROOT / "roles" / role / "tasks").glob("*.yml"):
            waiting = list(yaml.safe_load(path.read_text(encoding="utf-8")))
            while waiting:
                task = waiting.pop()
                waiting += [each for part in ("block", "always", "rescue") for each in task.get(part, [])]
                left |= {task.get("register", ""), *task.get("ansible.builtin.set_fact", {})}
        assert {name for name in left if name.startswith(role)} == names


def test_a_large_inventory_costs_next_to_nothing() -> None:
    task_vars = {f"variable_{number}": number for number in range(10_000)}
    # as long as a name that forbids something
    task_vars.update({f"scam_forbidden_appr_{number:05}": number for number in range(10_000)})
    task_vars["scan_namespaces"] = "shop"
    check_variables("scan", task_vars, lambda value: value)
    rounds = []
    for _host in range(10):
        begun = time.process_time()
        check_variables("scan", task_vars, lambda value: value)
        rounds.append(time.process_time() - begun)
    seconds = min(rounds)
    print(f"milliseconds for a host with 20,000 variables: {seconds * 1000:.1f}")
    assert seconds < 0.1


def test_an_unknown_name_without_a_near_one_is_told_how_to_stay() -> None:
    with pytest.raises(ScanError, match=r"scan_quux, which nothing reads.*scan_foreign_variables"):
        check_variables("scan", {"scan_quux": 1}, lambda value: value)


@pytest.mark.parametrize(
    "name",
    [
        "SCAN_FORBIDDEN_APPROACHES",
        "Scan_forbidden_approaches",
        "scan-forbidden-approaches",
        "scan.forbidden approaches",
        "scanForbiddenApproaches",
        "scans_forbidden_approaches",
        "scan_forbidden_approach",
        "scanforbidden_approaches",
        "sacn_forbidden_approaches",
        "can_forbidden_approaches",
        "zcan_forbidden_approaches",
    ],
)
def test_a_name_that_forbids_something_is_not_ignored_however_it_is_written(name: str) -> None:
    with pytest.raises(ScanError) as caught:
        check_variables("scan", {name: ["debug"]}, lambda value: value)
    assert f"you have set {name}, did you mean 'scan_forbidden_approaches'?" in caught.value.message


def test_other_names_of_a_play_are_its_own() -> None:
    names = ("scanner_image", "SCAN", "forbidden_approaches", "my_forbidden_approaches", "scan", "-", "")
    check_variables("scan", dict.fromkeys((*names, "scan_forbidden_approaches"), ""), lambda value: value)
    check_variables(
        "scan", {"scan_foreign_variables": "SCAN_*", "SCAN_OF_MINE": 1}, lambda value: {**value, "x": 1}
    )


# Values


def test_every_variable_can_be_an_empty_field_of_a_survey(plays: Plays) -> None:
    given = (
        "scan_host",
        "scan_api_key",
        "scan_ca_cert",
        "scan_namespaces",
        "scan_profiles",
        "scan_output_dir",
    )
    for empty in ("", None):
        extra = {name: empty for name in variables_of("scan") if name not in given}
        threshold = {"compliance": {"min": "80"}}
        extra["scan_threshold"] = threshold if empty else json.dumps(threshold)
        plays.run("securescan.kubernetes.scan", "--check", extra=extra)
        assert "would scan" in plays.output, plays.output
    extra = {name: "" for name in variables_of("access") if name != "access_namespaces"}
    status = plays.run("securescan.kubernetes.access", "--check", extra=extra)
    assert status == 0, plays.output


def test_an_output_folder_that_is_empty_is_the_default(plays: Plays) -> None:
    plays.run("securescan.kubernetes.scan", extra={"scan_output_dir": ""})
    assert (plays.folder / "scan-results" / "latest").exists() or list(
        (plays.folder / "scan-results").glob("*/latest")
    )


NAMESPACES = [
    "shop, billing",
    "shop\nbilling\n",
    '["shop", "billing"]',
    "['shop','billing']",
    "- shop\n- billing",
    ["shop", " billing"],
]


@pytest.mark.parametrize("playbook", ["scan", "access"])
def test_namespaces_can_be_written_in_every_form_of_a_survey(plays: Plays, playbook: str) -> None:
    cases = [{"scan_namespaces": namespaces} for namespaces in NAMESPACES]
    plays.refusals(f"securescan.kubernetes.{playbook}", cases)
    asked = [request.path for request in plays.server.requests if request.path.endswith("/pods")]
    for namespace in ("shop", "billing"):
        listed = [path for path in asked if path == f"/api/v1/namespaces/{namespace}/pods"]
        assert len(listed) >= len(cases), plays.output


BAD_VALUES = [
    ({"scan_concurrency": 0}, "scan_concurrency is 0; it must be from 1 to 1000"),
    ({"scan_concurrency": "-1"}, "scan_concurrency is -1"),
    ({"scan_timeout": ".nan"}, "scan_timeout must be a number, found '.nan'"),
    ({"scan_timeout": -5}, "scan_timeout is -5; it must be from 1 to 3600 seconds"),
    ({"scan_lifetime": 1}, "scan_lifetime is 1"),
    ({"scan_max_age": "soon"}, "scan_max_age must be a whole number, found 'soon'"),
    (
        {"scan_limit": "x", "scan_keep_facts": "maybe"},
        "scan_limit must be a whole number, found 'x'; scan_keep_facts must be",
    ),
    ({"scan_approach": "exce"}, "scan_approach cannot be 'exce', did you mean 'exec'?"),
    ({"scan_fail_on": "gates"}, "scan_fail_on cannot be 'gates', did you mean 'gate'?"),
    (
        {"scan_forbidden_approaches": [{"approaches": ["exec"], "namespace": ["x"]}]},
        "has no key 'namespace'",
    ),
    ({"scan_inputs": "just words"}, "scan_inputs must be a dictionary"),
]


def test_a_value_that_cannot_be_used_is_told_by_the_name_of_its_variable(plays: Plays) -> None:
    told = plays.refusals("securescan.kubernetes.scan", [variables for variables, _said in BAD_VALUES])
    refused(plays, 2, *(said for _variables, said in BAD_VALUES))
    for (_variables, said), text in zip(BAD_VALUES, told):
        assert said in text and text.count("No cluster was touched.") == 1


# Files


BAD_FILES = [
    ({"scan_threshold": "nothere.yml"}, "nothere.yml does not exist; looked at"),
    (
        {"scan_threshold": "failed:\n  critical: {max: 0}\n"},
        "the path of a file, a dictionary, or one in JSON is expected",
    ),
    (
        {"scan_threshold": "compliance: {min: 80}"},
        "the path of a file, a dictionary, or one in JSON is expected",
    ),
    ({"scan_threshold": {"complience": {"min": 80}}}, "unknown key"),
    ({"scan_threshold": 80}, "the threshold is 80, not keys with limits"),
    ({"scan_waivers": "nothere.yml"}, "of the variable scan_waivers: nothere.yml does not exist"),
    ({"scan_attestations": "nothere.yml"}, "nothere.yml does not exist"),
    ({"scan_profiles": "./nope"}, "No profile './nope'"),
    ({"scan_inputs": {"nothing": 1}}, "nothing"),
    ({"scan_baseline": "/nothere"}, "/nothere"),
    (
        {"scan_baseline": "earlier/run-1"},
        "earlier/run-1 is a run over the cluster demo, this one is over case-",
    ),
    ({"scan_baseline": "earlier/latest", "scan_cluster_name": "demo"}, "earlier/latest is the link `latest`"),
    (
        {"scan_baseline": "earlier/latest/summary.json", "scan_cluster_name": "demo"},
        "earlier/latest/summary.json is the link `latest`",
    ),
    ({"scan_output_dir": "/proc/x"}, "cannot be written to: /proc: "),
    ({"scan_output_dir": "/etc/hostname"}, "cannot be written to: /etc/hostname: it is not a folder"),
]


@pytest.mark.parametrize("playbook", ["scan", "preflight"])
def test_what_is_named_is_looked_at_before_any_cluster(plays: Plays, playbook: str) -> None:
    write_earlier_run(plays.folder)
    told = plays.refusals(f"securescan.kubernetes.{playbook}", [variables for variables, _said in BAD_FILES])
    refused(plays, 2)
    for (variables, said), text in zip(BAD_FILES, told):
        assert said in text, f"{variables}: {text}"
        assert text.count("No cluster was touched.") == 1


def test_an_earlier_run_of_the_same_cluster_is_no_bad_baseline(plays: Plays) -> None:
    write_earlier_run(plays.folder)
    given = {"scan_baseline": "earlier/run-1", "scan_cluster_name": "demo"}
    plays.run("securescan.kubernetes.scan", "--check", extra=given)
    assert "would scan" in plays.output, plays.output


def write_earlier_run(folder: pathlib.Path) -> None:
    """earlier/run-1, of the cluster demo, and the link earlier/latest to it."""
    target = make_target()
    write_run(folder / "earlier", "run-1", [(target, make_document(target, make_control("c-1", "passed")))])
    link = folder / "earlier" / "latest"
    if not link.is_symlink():
        link.symlink_to("run-1")


def test_files_are_found_beside_the_playbook_and_then_in_the_current_directory(plays: Plays) -> None:
    books = plays.folder / "books"
    (books / "files").mkdir(parents=True)
    (books / "files" / "threshold.yml").write_text("complience: {min: 1}\n", encoding="utf-8")
    (books / "waivers.yml").write_text("- {", encoding="utf-8")
    (books / "ca.pem").write_bytes(plays.server.authority.ca.read_bytes())
    (plays.folder / "own.yml").write_text("- {", encoding="utf-8")
    book = books / "play.yml"
    book.write_text(json.dumps([{"hosts": "all", "gather_facts": False, **ROLE}]), encoding="utf-8")
    everywhere = [str(place / "nothere.yml") for place in (books / "files", books, plays.folder)]
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"scan_threshold": "threshold.yml"}, [str(books / "files" / "threshold.yml"), "complience"]),
        ({"scan_waivers": "waivers.yml"}, [str(books / "waivers.yml"), "bad_waivers"]),
        ({"scan_waivers": "own.yml"}, [str(plays.folder / "own.yml"), "bad_waivers"]),
        ({"scan_waivers": "nothere.yml"}, ["nothere.yml does not exist; looked at", *everywhere]),
        ({"scan_attestations": "nothere.yml"}, everywhere),
        ({"scan_threshold": "nothere.yml"}, everywhere),
        ({"scan_profiles": ["nothere.yml"]}, everywhere),
        ({"scan_profiles": "container-baselin"}, ["did you mean 'container-baseline'?"]),
        ({"scan_ca_cert": "nothere.yml"}, ["of the variable scan_ca_cert", *everywhere]),
        ({"scan_kubeconfig": "nothere.yml"}, ["of the variable scan_kubeconfig", *everywhere]),
    ]
    told = plays.refusals(str(book), [variables for variables, _said in cases])
    for (variables, said), text in zip(cases, told):
        assert all(part in text for part in said), f"{variables}: {text}"
    assert plays.server.requests == []
    plays.run(str(book), "--check", scan_ca_cert="ca.pem")
    assert "would scan" in plays.output, plays.output
    # a file of the collection's playbooks and roles is never meant
    plays.run("securescan.kubernetes.scan", extra={"scan_waivers": "report.yml"})
    assert f"report.yml does not exist; looked at {plays.folder / 'report.yml'}" in plays.output


def test_modules_in_a_play_of_ones_own_read_all_their_files_before_the_first_request(plays: Plays) -> None:
    text = "pod-x:\n  justification: y\n"
    where = {"output_dir": str(plays.folder / "results"), "namespaces": ["shop"]}
    tasks = [
        {"scan_container": {**where, "waivers": "nothere.yml"}},
        {"scan_container": {**where, "waivers": text}},
        {"scan_container": {**where, "attestations": text}},
        {"scan_container": {**where, "profiles": ["nothere"]}},
        {"scan_container": {**where, "inputs": {"nothing": 1}}},
        {"scan_container": {**where, "output_dir": "/proc/x"}},
        {"scan_container": {**where, "concurrency": 0}},
        {"scan_container": {**where, "forbidden_approaches": [{"approaches": ["exec"], "namespace": "x"}]}},
        {"scan_target_info": {"namespaces": ["shop"], "output_file": "/proc/x/y.json"}},
        {"scan_target_info": {"namespaces": ["shop"], "explain": True, "lifetime": 1}},
        {"scan_access": {"namespaces": ["shop"], "scanner_kubeconfig": "/proc/x/kubeconfig"}},
        {
            "scan_sidecar": {
                "namespace": "shop",
                "workloads": ["Deployment/a"],
                "scanner_image": "x",
                "output_dir": "/proc/x",
            }
        },
        {"scan_recycle": {"namespaces": ["shop"], "wait_timeout": "nan"}},
        {"scan_guard": {"ca_cert": "/nothere"}},
    ]
    connection = {name: plays.host[f"scan_{name}"] for name in ("host", "api_key", "ca_cert")}
    play = {
        "connection": "local",
        "module_defaults": {"group/securescan.kubernetes.scan": connection},
        "tasks": [
            {
                f"securescan.kubernetes.{module}": options,
                "register": "done",
                "failed_when": "done is not failed",
            }
            for task in tasks
            for module, options in task.items()
        ],
    }
    assert plays.play(play) == 0, plays.output
    assert plays.server.requests == []


# How the plays run


def test_the_shipped_plays_run_on_the_controller_unless_the_inventory_says_otherwise(plays: Plays) -> None:
    plays.run("securescan.kubernetes.scan", "--check")
    assert "would scan" in plays.output, plays.output
    status = plays.run(
        "securescan.kubernetes.scan",
        "--check",
        ansible_connection="ssh",
        ansible_host="127.0.0.1",
        ansible_port=1,
    )
    assert status == 4 and "UNREACHABLE" in plays.output, plays.output


@pytest.mark.parametrize("playbook", [*SCAN_PLAYBOOKS, "access", "sweep"])
def test_every_shipped_play_is_local(playbook: str) -> None:
    for play in yaml.safe_load((ROOT / "playbooks" / f"{playbook}.yml").read_text(encoding="utf-8")):
        assert play["connection"] == "local"


def test_the_tag_scan_runs_all_steps_of_the_role(plays: Plays) -> None:
    plays.run("securescan.kubernetes.scan", "--tags", "scan", extra={"scan_fail_on": "never"})
    for step in ("Check the variables", "Scan the containers", "Decide the gate", "Write the reports"):
        assert step in plays.output, plays.output
