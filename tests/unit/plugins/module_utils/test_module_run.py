# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task as an Ansible module: options read as Ansible reads them, and one JSON document on standard output."""

from __future__ import annotations

import importlib.util
import json
from typing import Any, Callable

import pytest

pytest.importorskip("ansible", reason="modules belong to Ansible")

from ansible.module_utils import basic
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.module_run import run_as_module
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.connection import connection_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.modules import scan_guard
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.empty_cluster import (  # noqa: F401
    authority,
    server,
)

SPEC: dict[str, dict[str, Any]] = {
    "count": {"type": "int", "default": 3},
    "name": {"type": "str", "required": True},
    **connection_spec(),
}
Task = Callable[[Any, TaskContext], dict[str, Any]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """run(body, **arguments): what a module's body prints and ends with, given to it as Ansible does."""

    def run_body(body: Callable[[], None], **arguments: Any) -> dict[str, Any]:
        given = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", given)
        if importlib.util.find_spec("ansible.module_utils._internal"):  # ansible-core 2.19 and later
            monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy")
            # other tests of this process may have imported what belongs to the controller, which a module never has
            monkeypatch.setattr("ansible.module_utils._internal.is_controller", False)
        with pytest.raises(SystemExit) as ended:
            body()
        printed: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert bool(ended.value.code) is bool(printed.get("failed"))
        return printed

    return run_body


@pytest.fixture
def module(run: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """module(task, **arguments): what the task prints as a module with the options SPEC."""
    return lambda task, **arguments: run(lambda: run_as_module(SPEC, task), **{"name": "x", **arguments})


def messages(printed: dict[str, Any]) -> list[str]:
    """The warnings as texts; ansible-core 2.19 and later print what it calls an event. It keeps them for as long as the process
    lives, which for a module is one run, so that here those of the tests before come first."""
    found = printed.get("warnings", [])
    return [each["event"]["msg"] if isinstance(each, dict) else each for each in found]


def test_a_result_is_printed_with_the_options_as_they_were_read(
    module: Callable[..., dict[str, Any]],
) -> None:
    def task(params: Any, context: TaskContext) -> dict[str, Any]:
        return {"changed": True, "seen": [params["count"], params["name"], context.check_mode]}

    printed = module(task, count="7")
    assert printed["changed"] is True and printed["seen"] == [7, "x", False] and "failed" not in printed
    assert module(task)["seen"][0] == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"count": "many"}, "count"),
        ({"nome": "x"}, "nome"),
        ({"validate_certs": "perhaps"}, "validate_certs"),
    ],
)
def test_options_that_do_not_fit_never_reach_the_task(
    module: Callable[..., dict[str, Any]], arguments: dict[str, Any], words: str
) -> None:
    reached: list[Any] = []

    def task(params: Any, context: TaskContext) -> dict[str, Any]:
        reached.append(params)
        return {}

    printed = module(task, **arguments)
    assert printed["failed"] and words in printed["msg"] and reached == []


def test_check_mode_reaches_the_task(module: Callable[..., dict[str, Any]]) -> None:
    def task(params: Any, context: TaskContext) -> dict[str, Any]:
        return {"checked": context.check_mode}

    assert module(task, _ansible_check_mode=True)["checked"] is True


def test_a_failure_of_the_engine_is_a_failed_module_with_its_record(
    module: Callable[..., dict[str, Any]],
) -> None:
    error = ScanError("no_targets", "nothing there", tried="selecting", cause="No pod runs.")

    def task(params: Any, context: TaskContext) -> dict[str, Any]:
        context.warnings.append("a first warning")
        raise error

    printed = module(task)
    assert printed["failed"] is True and printed["msg"] == str(error)
    assert printed["error"] == json.loads(json.dumps(error.record()))
    assert messages(printed)[-1] == "a first warning"


def test_a_result_that_says_failed_fails_and_keeps_its_keys(module: Callable[..., dict[str, Any]]) -> None:
    def task(params: Any, context: TaskContext) -> dict[str, Any]:
        context.warnings.append("a warning")
        return {"failed": True, "msg": "the access remains", "changed": True, "run_id": "r-1"}

    printed = module(task)
    assert (printed["failed"], printed["msg"], printed["run_id"], printed["changed"]) == (
        True,
        "the access remains",
        "r-1",
        True,
    )
    assert messages(printed)[-1] == "a warning"


def test_warnings_are_those_of_the_task_in_their_order(module: Callable[..., dict[str, Any]]) -> None:
    def task(params: Any, context: TaskContext) -> dict[str, Any]:
        context.warnings += ["one", "two"]
        return {}

    assert messages(module(task))[-2:] == ["one", "two"]


@pytest.mark.parametrize(("asked", "shown"), [(True, True), (False, False), (None, False)])
def test_a_diff_is_printed_only_where_somebody_asks_for_it(
    module: Callable[..., dict[str, Any]], asked: bool | None, shown: bool
) -> None:
    def task(params: Any, context: TaskContext) -> dict[str, Any]:
        return {"diff": [{"before": "", "after": "x"}]}

    printed = module(task, **({} if asked is None else {"_ansible_diff": asked}))
    assert ("diff" in printed) is shown


def test_secrets_of_a_kubeconfig_that_is_a_dictionary_are_not_printed(
    module: Callable[..., dict[str, Any]],
) -> None:
    user = {
        "token": "se-token",
        "password": "se-password",
        "client-key-data": "se-key",
        "client-certificate-data": "se-certificate",
        "username": "joe-public",
    }

    def task(params: Any, context: TaskContext) -> dict[str, Any]:
        assert params["kubeconfig"]["users"][0]["user"] == user, "the task itself must have them"
        return {
            "text": "it says {token} {password} {client-key-data} {client-certificate-data}".format(**user)
        }

    printed = json.dumps(module(task, kubeconfig={"users": [{"name": "x", "user": user}]}))
    assert "se-" not in printed and "joe-public" in printed


def test_the_api_key_is_not_printed(module: Callable[..., dict[str, Any]]) -> None:
    def task(params: Any, context: TaskContext) -> dict[str, Any]:
        return {"text": params["api_key"]}

    assert "se-key" not in json.dumps(module(task, api_key="se-key"))


def test_the_modules_environment_is_the_engines(
    module: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K8S_AUTH_CONTEXT", "from-environment")

    def task(params: Any, context: TaskContext) -> dict[str, Any]:
        return {"seen": context.environ["K8S_AUTH_CONTEXT"]}

    assert module(task)["seen"] == "from-environment"


def test_a_shipped_module_does_its_task(
    run: Callable[..., dict[str, Any]],
    server: FakeApiServer,  # noqa: F811
) -> None:
    given: dict[str, Any] = {"kubeconfig": server.kubeconfig()}
    printed = run(scan_guard.main, _ansible_check_mode=True, **given)
    assert printed["changed"] is True and len(printed["policies"]) == 6 and server.objects.paths() == []
    assert server.token not in json.dumps(printed)
    assert run(scan_guard.main, **given)["changed"] and len(server.objects.paths()) == 12
    server.grants.deny = lambda user, method, path: "no"
    assert run(scan_guard.main, **given)["error"]["reason"] == "not_permitted"
