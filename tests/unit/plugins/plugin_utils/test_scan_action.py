# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugins' shared part: where a task runs, what reaches it, and what is left of its result.

The task, the connection and the templar are Ansible's own. A module that is sent elsewhere is not run: only its name and its
options are looked at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable

import pytest

pytest.importorskip("ansible", reason="action plugins belong to Ansible")

from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task as AnsibleTask
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import connection_loader
from ansible.template import Templar
from ansible_collections.securescan.kubernetes.plugins.action.scan_guard import ActionModule as GuardAction
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import KINDS, ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.connection import connection_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.run import cluster_name_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.plugin_utils import host_display
from ansible_collections.securescan.kubernetes.plugins.plugin_utils.scan_action import ScanAction
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.empty_cluster import (  # noqa: F401
    authority,
    server,
)

SPEC: dict[str, dict[str, Any]] = {
    "count": {"type": "int", "default": 3},
    "compiled_profiles": {"type": "list", "elements": "dict"},
    "access": {"type": "dict"},
    **connection_spec(),
}
Body = Callable[[Mapping[str, Any], TaskContext], dict[str, Any]]


class Runner:
    """Runs an action as Ansible does; `sent` is what it sent to be run elsewhere, `displayed` what it displayed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.displayed: list[str] = []
        self.on_stderr: list[str] = []
        self.reply: dict[str, Any] = {"changed": False}

        def send(
            _action: ActionBase, module_name: str, module_args: dict[str, Any], task_vars: Any
        ) -> dict[str, Any]:
            self.sent.append((module_name, module_args))
            return self.reply

        monkeypatch.setattr(ActionBase, "_execute_module", send)
        monkeypatch.setattr(host_display._display, "display", self.display)

    def display(self, text: str, stderr: bool = False) -> None:
        (self.on_stderr if stderr else self.displayed).append(text)

    def __call__(
        self,
        action: type[ScanAction],
        *,
        elsewhere: bool = False,
        become: bool = False,
        check_mode: bool = False,
        diff: bool = False,
        no_log: bool = False,
        environment: Any = None,
        variables: dict[str, Any] | None = None,
        **arguments: Any,
    ) -> dict[str, Any]:
        loader, context = DataLoader(), PlayContext()
        context.become = become
        task = AnsibleTask()
        task.args, task.check_mode, task.diff = arguments, check_mode, diff
        task.environment, task.no_log = environment, no_log
        task.async_val = 0
        connection = connection_loader.get("ssh" if elsewhere else "local", context, "/dev/null")
        templar = Templar(loader=loader, variables=variables or {})
        plugin = action(task, connection, context, loader, templar, None)
        done: dict[str, Any] = plugin.run(None, {"inventory_hostname": "edge", **(variables or {})})
        return done


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Runner:
    return Runner(monkeypatch)


def action_of(body: Body, **attributes: Any) -> type[ScanAction]:
    """An action plugin whose task is `body`."""
    members = {"module_name": "scan_guard", "spec": staticmethod(lambda: SPEC), "task": staticmethod(body)}
    return type("ActionModule", (ScanAction,), {**members, **attributes})


def raising(error: ScanError) -> Body:
    def task(params: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
        raise error

    return task


def echo(params: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    return {"count": params["count"], "check_mode": context.check_mode, "environ": dict(context.environ)}


# Where it runs


def test_with_a_local_connection_the_task_runs_in_this_process(run: Runner) -> None:
    assert run(action_of(echo), count="7")["count"] == 7, "options were not read as Ansible reads them"
    assert run.sent == []


@pytest.mark.parametrize("way", [{"elsewhere": True}, {"become": True}])
def test_with_another_connection_or_user_the_module_of_the_same_name_does_it(
    run: Runner, way: dict[str, Any]
) -> None:
    run.reply = {"changed": True, "run_id": "r-1"}
    assert run(action_of(echo), **way, count="7") == {"changed": True, "run_id": "r-1"}
    assert run.sent == [("securescan.kubernetes.scan_guard", {"count": 7})], "its options are the task's own"


def test_what_needs_the_controller_runs_here_whatever_the_connection(run: Runner) -> None:
    assert run(action_of(echo, always_here=True), elsewhere=True, become=True)["count"] == 3
    assert run.sent == []


def test_what_is_prepared_on_the_controller_reaches_the_task_and_the_module(run: Runner) -> None:
    def prepare(self: ScanAction, params: Mapping[str, Any]) -> dict[str, Any]:
        return {"compiled_profiles": [{"read": params["count"]}]}

    def task(params: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
        return {"seen": params["compiled_profiles"]}

    prepared = action_of(task, prepare=prepare)
    assert run(prepared)["seen"] == [{"read": 3}]
    run(prepared, elsewhere=True, count=4)
    assert run.sent[0][1] == {"count": 4, "compiled_profiles": [{"read": 4}]}


def test_what_cannot_be_prepared_is_a_failure_and_nothing_is_sent(run: Runner) -> None:
    def prepare(self: ScanAction, params: Mapping[str, Any]) -> dict[str, Any]:
        raise ScanError("bad_file", "no such file")

    result = run(action_of(echo, prepare=prepare), elsewhere=True)
    assert result["failed"] and result["error"]["reason"] == "bad_file" and run.sent == []


# What reaches it


def test_options_that_do_not_fit_never_reach_the_task(run: Runner) -> None:
    for elsewhere in (False, True):
        with pytest.raises(AnsibleActionFail, match="cuont"):
            run(action_of(echo), elsewhere=elsewhere, cuont=3)
        refused = run(action_of(echo), elsewhere=elsewhere, count="many")
        assert refused["failed"] and run.sent == []
        assert refused["error"]["message"] == "count must be a whole number, found 'many'"


@pytest.mark.parametrize("given", [{}, {"cluster_name": ""}, {"cluster_name": None}])
def test_a_cluster_is_called_as_its_inventory_host_wherever_the_task_runs(
    run: Runner, given: dict[str, Any]
) -> None:
    def task(params: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
        return {"cluster": params["cluster_name"]}

    named = action_of(task, spec=staticmethod(lambda: {**SPEC, **cluster_name_spec()}))
    assert run(named, **given)["cluster"] == "edge"
    run(named, elsewhere=True, **given)
    assert run.sent.pop()[1]["cluster_name"] == "edge"
    assert run(named, cluster_name="core")["cluster"] == "core"
    run(named, elsewhere=True, cluster_name="core")
    assert run.sent.pop()[1]["cluster_name"] == "core"
    run(action_of(echo), elsewhere=True)
    assert "cluster_name" not in run.sent.pop()[1], "a module without that option gets none"


@pytest.mark.parametrize(
    ("host", "given", "warned"),
    [
        ("localhost", {"context": "prod"}, True),
        ("localhost", {"kubeconfig": "/k"}, True),
        ("localhost", {"context": "prod", "cluster_name": "prod"}, False),
        ("localhost", {}, False),
        ("edge", {"context": "prod"}, False),
    ],
)
def test_a_cluster_that_is_called_localhost_is_warned_of(
    run: Runner, host: str, given: dict[str, Any], warned: bool
) -> None:
    named = action_of(echo, spec=staticmethod(lambda: {**SPEC, **cluster_name_spec()}))
    result = run(named, elsewhere=True, variables={"inventory_hostname": host}, **given)
    assert ["is called localhost" in text for text in result.get("warnings", [])] == [True] * warned


def test_check_mode_reaches_the_task(run: Runner) -> None:
    assert run(action_of(echo), check_mode=True)["check_mode"] is True
    assert run(action_of(echo))["check_mode"] is False


def test_the_tasks_environment_lies_over_that_of_the_controller(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K8S_AUTH_HOST", "of the controller")
    monkeypatch.setenv("K8S_AUTH_CONTEXT", "of the controller")
    layers = [{"K8S_AUTH_CONTEXT": "of the play", "NUMBER": 1}, None, {"NUMBER": 2}]
    environ = run(action_of(echo), environment=layers)["environ"]
    assert (environ["K8S_AUTH_HOST"], environ["K8S_AUTH_CONTEXT"], environ["NUMBER"]) == (
        "of the controller",
        "of the play",
        "2",
    )
    assert run(action_of(echo), environment={"NUMBER": 3})["environ"]["NUMBER"] == "3"


def test_templates_in_the_environment_are_those_of_the_host(run: Runner) -> None:
    result = run(
        action_of(echo), environment=[{"NUMBER": _template("{{ 40 + more }}")}], variables={"more": 2}
    )
    assert result["environ"]["NUMBER"] == "42"


def _template(text: str) -> str:
    """A text that Ansible takes for a template: 2.19 and later want that to be said."""
    try:
        from ansible.template import trust_as_template
    except ImportError:
        return text
    trusted: str = trust_as_template(text)
    return trusted


def test_progress_is_shown_at_once_with_the_host(run: Runner) -> None:
    def task(params: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
        context.say("3/8 containers done")
        return {"shown_by_then": list(run.displayed)}

    assert run(action_of(task))["shown_by_then"] == ["[edge] 3/8 containers done"]


# What is left of its result


def test_a_cluster_that_does_not_answer_is_ansibles_unreachable(run: Runner) -> None:
    result = run(action_of(raising(ScanError("unreachable", "connection refused", tried="connecting"))))
    assert result["unreachable"] is True and "failed" not in result
    assert "connection refused" in result["msg"] and result["error"]["reason"] == "unreachable"


def test_a_module_elsewhere_that_found_no_cluster_is_unreachable_too(run: Runner) -> None:
    run.reply = {"failed": True, "msg": "refused", "error": {"reason": "unreachable"}}
    assert run(action_of(echo), elsewhere=True) == {
        "unreachable": True,
        "msg": "refused",
        "error": {"reason": "unreachable"},
    }


def test_every_other_reason_is_a_failure(run: Runner) -> None:
    results = {reason: run(action_of(raising(ScanError(reason, "why")))) for reason in KINDS}
    assert len(results) > 50
    assert [reason for reason, result in results.items() if not result.get("failed")] == ["unreachable"]
    assert [reason for reason, result in results.items() if "unreachable" in result] == ["unreachable"]
    assert all(result["error"]["reason"] == reason for reason, result in results.items())


@pytest.mark.parametrize(
    "reply", [{"failed": True, "msg": "no error record"}, {"failed": True, "error": None}]
)
def test_a_failed_module_without_our_record_stays_failed(run: Runner, reply: dict[str, Any]) -> None:
    run.reply = dict(reply)
    assert run(action_of(echo), elsewhere=True) == reply


def test_a_result_that_tells_of_an_unreachable_cluster_without_failing_stays(run: Runner) -> None:
    result = run(action_of(lambda params, context: {"error": {"reason": "unreachable"}}))
    assert result == {"error": {"reason": "unreachable"}}


def test_warnings_of_the_task_and_of_the_module_come_together(run: Runner) -> None:
    def fails(params: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
        context.warnings.append("of the task")
        raise ScanError("no_targets", "none")

    def ends(params: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
        context.warnings.append("of the task")
        return {"warnings": ["of the result"]}

    assert run(action_of(fails))["warnings"] == ["of the task"]
    assert run(action_of(ends))["warnings"] == ["of the result", "of the task"]
    run.reply = {"warnings": ["of the module"]}
    assert run(action_of(echo), elsewhere=True)["warnings"] == ["of the module"]
    assert "warnings" not in run(action_of(echo))


def test_a_diff_is_kept_only_where_somebody_asks_for_it(run: Runner) -> None:
    changed = action_of(lambda params, context: {"diff": [{"before": "", "after": "x"}]})
    assert "diff" not in run(changed) and run(changed, diff=True)["diff"]


TABLE = action_of(lambda params, context: {"table": ["one", "two"], "changed": False})


def talking(params: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    context.say("progress")
    return {"table": ["row"], "changed": False}


def test_a_table_is_displayed_in_one_call_below_its_host_and_is_no_part_of_the_result(run: Runner) -> None:
    assert run(TABLE) == {"changed": False}
    assert run.displayed == ["[edge]\none\ntwo"]


def test_no_empty_block_is_displayed(run: Runner) -> None:
    run(action_of(lambda params, context: {"table": []}))
    assert run.displayed == []


def test_a_table_of_a_module_elsewhere_is_displayed_here(run: Runner) -> None:
    run.reply = {"changed": False, "table": ["one"]}
    assert run(action_of(echo), elsewhere=True) == {"changed": False}
    assert run.displayed == ["[edge]\none"]


def test_no_log_holds_for_progress_and_tables(run: Runner) -> None:
    assert run(action_of(talking), no_log=True) == {"changed": False}
    assert run.displayed == run.on_stderr == []


@pytest.mark.parametrize(
    "callback", ["ansible.posix.json", "json", "ansible.posix.jsonl", "jsonl", "null", "acme.web.unknown"]
)
def test_where_a_program_may_read_stdout_all_goes_to_stderr(
    run: Runner, monkeypatch: pytest.MonkeyPatch, callback: str
) -> None:
    monkeypatch.setattr(host_display.constants, "DEFAULT_STDOUT_CALLBACK", callback)
    run(action_of(talking))
    assert (run.displayed, run.on_stderr) == ([], ["[edge] progress", "[edge]\nrow"])


@pytest.mark.parametrize(
    "callback", ["default", "ansible.builtin.default", "yaml", "community.general.unixy", "debug"]
)
def test_people_read_stdout(run: Runner, monkeypatch: pytest.MonkeyPatch, callback: str) -> None:
    monkeypatch.setattr(host_display.constants, "DEFAULT_STDOUT_CALLBACK", callback)
    run(action_of(talking))
    assert (run.displayed, run.on_stderr) == (["[edge] progress", "[edge]\nrow"], [])


@pytest.mark.parametrize(
    ("one_line", "loads_callbacks", "configured", "expected"),
    [
        (True, False, "default", "oneline"),
        (True, True, "yaml", "oneline"),
        (False, False, "yaml", "minimal"),
        (False, True, "default", "minimal"),
        (False, True, "community.general.yaml", "yaml"),
    ],
)
def test_the_callback_of_ad_hoc_commands(
    monkeypatch: pytest.MonkeyPatch, one_line: bool, loads_callbacks: bool, configured: str, expected: str
) -> None:
    monkeypatch.setattr(host_display.context, "CLIARGS", {"one_line": one_line})
    monkeypatch.setattr(host_display.constants, "DEFAULT_LOAD_CALLBACK_PLUGINS", loads_callbacks)
    monkeypatch.setattr(host_display.constants, "DEFAULT_STDOUT_CALLBACK", configured)
    assert host_display.stdout_callback({}) == expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "default"),
        ({"ORIGINAL_STDOUT_CALLBACK": "ansible.posix.json"}, "json"),
        ({"ORIGINAL_STDOUT_CALLBACK": "yaml"}, "yaml"),
    ],
)
def test_the_callback_behind_that_of_ansible_runner(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], expected: str
) -> None:
    monkeypatch.setattr(host_display.constants, "DEFAULT_STDOUT_CALLBACK", "awx_display")
    assert host_display.stdout_callback(environ) == expected


def test_long_options_that_a_module_repeats_are_left_out(run: Runner) -> None:
    arguments = {"access": {"run_id": "r"}, "compiled_profiles": [{}], "waivers": None, "count": 3}
    run.reply = {"invocation": {"module_args": dict(arguments)}}
    assert run(action_of(echo), elsewhere=True)["invocation"]["module_args"] == {
        "access": "(left out)",
        "compiled_profiles": "(left out)",
        "waivers": None,
        "count": 3,
    }


# A shipped one


def test_a_shipped_action_does_its_task(run: Runner, server: FakeApiServer) -> None:  # noqa: F811
    given: dict[str, Any] = {"kubeconfig": server.kubeconfig()}
    planned = run(GuardAction, check_mode=True, diff=True, **given)
    assert planned["changed"] and planned["diff"] and server.objects.paths() == []
    made = run(GuardAction, **given)
    assert made["changed"] and "diff" not in made and len(server.objects.paths()) == 12
    run(GuardAction, elsewhere=True, state="absent")
    assert run.sent == [("securescan.kubernetes.scan_guard", {"state": "absent"})]
    nobody = {"host": "https://127.0.0.1:1", "api_key": "x", "validate_certs": False}
    assert run(GuardAction, environment={"KUBECONFIG": "/dev/null"}, **nobody)["unreachable"] is True


# Details, sums and last words


def asking(params: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    context.detail("by exec: scanned")
    context.log.add_request("grantor GET /version", "200", seconds=0.012, sent=0, received=7)
    return {}


@pytest.mark.parametrize(
    ("verbosity", "wanted"),
    [
        (0, []),
        (1, []),
        (2, ["sums"]),
        (3, ["<edge> by exec: scanned", "<edge> grantor GET /version", "sums"]),
    ],
)
def test_details_are_shown_from_three_v_on_and_sums_from_two(
    run: Runner, monkeypatch: pytest.MonkeyPatch, verbosity: int, wanted: list[str]
) -> None:
    monkeypatch.setattr(host_display._display, "verbosity", verbosity)
    monkeypatch.setattr(host_display._display, "display", lambda text, **_how: run.displayed.append(text))
    run(action_of(asking))
    begins = [
        "[edge] 1 requests, 0 execs, 0 bytes sent, 7 received" if each == "sums" else each for each in wanted
    ]
    assert len(run.displayed) == len(begins)
    assert all(line.startswith(begin) for line, begin in zip(run.displayed, begins)), run.displayed


def test_a_task_with_no_log_shows_no_detail(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_display._display, "verbosity", 4)
    monkeypatch.setattr(host_display._display, "display", lambda text, **_how: run.displayed.append(text))
    run(action_of(asking), no_log=True)
    assert run.displayed == []


def interrupted_with(error: ScanError, leaves: str = "") -> Body:
    def task(params: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
        context.leaves = leaves
        raise KeyboardInterrupt("signal 15") from error

    return task


@pytest.mark.parametrize(
    ("error", "leaves", "wanted"),
    [
        (
            ScanError("cancelled", "x"),
            "its access was removed",
            "[edge] interrupted; its access was removed\n",
        ),
        (ScanError("cancelled", "x"), "", ""),
        (
            ScanError("access_remains", "shop: no", advice="Sweep."),
            "its access was removed",
            "[edge] interrupted; in the cluster remains: shop: no. Sweep.\n",
        ),
    ],
)
def test_who_interrupts_a_task_is_told_what_it_left_where_it_can_tell(
    run: Runner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: ScanError, leaves: str, wanted: str
) -> None:
    with (tmp_path / "stderr").open("w+", encoding="utf-8") as stderr:
        monkeypatch.setattr(host_display, "_STDERR", stderr.fileno())
        with pytest.raises(KeyboardInterrupt):
            run(action_of(interrupted_with(error, leaves)))
    assert (tmp_path / "stderr").read_text(encoding="utf-8") == wanted


def test_some_of_several_kubeconfigs_can_be_missing_but_not_the_only_one(
    run: Runner,
    server: FakeApiServer,  # noqa: F811
    tmp_path: Path,
) -> None:
    (tmp_path / "config").write_text(json.dumps(server.kubeconfig()), encoding="utf-8")
    paths = f"{tmp_path}/missing:{tmp_path}/config"

    def connected(params: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
        return {"server": connect(ConnectionOptions(kubeconfig=params["kubeconfig"]), context.environ).server}

    assert run(action_of(connected), kubeconfig=paths)["server"] == server.url
    result = run(action_of(connected), kubeconfig=f"{tmp_path}/missing")
    assert result["error"]["reason"] == "bad_file"
    assert f"{tmp_path}/missing does not exist" in result["msg"]
