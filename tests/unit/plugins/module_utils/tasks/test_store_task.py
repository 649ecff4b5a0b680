# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks `scan_store` and `scan_store_info`."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.store import scan_store_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.store_info import (
    scan_store_info_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.store import run_scan_store
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.store_info import (
    run_scan_store_info,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_fleet import write_sample_fleet
from ansible_collections.securescan.kubernetes.tests.support.stored_runs import Nights, night, target

API = target("api-1")
DEADLINES = {"default": {"fix_within_days": {"critical": 1}}}


@pytest.fixture
def store(tmp_path: pathlib.Path) -> str:
    return str(tmp_path / "store.db")


def keep(store: str, check_mode: bool = False, **params: Any) -> dict[str, Any]:
    given = {name: rule.get("default") for name, rule in scan_store_spec().items()}
    return run_scan_store({**given, "store": store, **params}, TaskContext(check_mode=check_mode, environ={}))


def ask(store: str, query: str, check_mode: bool = False, **params: Any) -> dict[str, Any]:
    given = {name: rule.get("default") for name, rule in scan_store_info_spec().items()}
    context = TaskContext(check_mode=check_mode, environ={})
    return run_scan_store_info({**given, "store": store, "query": query, **params}, context)


def refusal(call: Any, *args: Any, **params: Any) -> ScanError:
    with pytest.raises(ScanError) as failure:
        call(*args, **params)
    return failure.value


def test_runs_are_taken_once_and_check_mode_takes_none(store: str, tmp_path: pathlib.Path) -> None:
    run = Nights(tmp_path).scan(0, {API: {"c-root": "failed"}})
    params: dict[str, Any] = {"run_dirs": [run.folder], "deadlines": DEADLINES}
    planned = keep(store, check_mode=True, **params)
    assert planned["changed"] and not pathlib.Path(store).exists()
    assert (planned["schema_version"], planned["runs"][0]["run_id"]) == ({"before": 0, "after": 1}, "night-0")
    taken = keep(store, **params)
    (told,) = taken["runs"]
    assert taken["changed"] and (told["state"], told["places"], told["changed"]) == ("whole", 1, True)
    for check_mode in (False, True):
        again = keep(store, check_mode=check_mode, **params)
        assert not again["changed"] and again["runs"][0]["state"] == "whole"
    assert len(json.dumps(taken)) < 1000


def test_what_cannot_be_taken_fails_the_task_after_the_rest_is_taken(
    store: str, tmp_path: pathlib.Path
) -> None:
    nights = Nights(tmp_path)
    bad, good = nights.scan(0, {API: {}}), nights.scan(1, {API: {"c-root": "failed"}})
    next(pathlib.Path(bad.folder, "hdf").iterdir()).write_text("{}")
    error = refusal(keep, store, run_dirs=[str(tmp_path / "nothing"), bad.folder, good.folder])
    assert error.reason == "store_incomplete"
    assert "1 runs are in the store as a whole" in error.message and "nothing/summary.json" in error.message
    assert [row["state"] for row in ask(store, "runs")["rows"]] == ["whole", "half"]


def test_the_runs_of_a_fleet_run_are_taken(store: str, tmp_path: pathlib.Path) -> None:
    fleet_run = write_sample_fleet(tmp_path)
    taken = keep(store, run_dirs=[fleet_run.folder])
    assert taken["run_count"] == sum(entry.has_run for entry in fleet_run.clusters)
    assert {row["cluster"] for row in ask(store, "coverage")["rows"]} == set(fleet_run.expected)
    assert not keep(store, run_dirs=[fleet_run.folder])["changed"]


def test_a_backup_is_restored_and_the_store_is_pruned(store: str, tmp_path: pathlib.Path) -> None:
    nights = Nights(tmp_path)
    keep(store, run_dirs=[nights.scan(number, {API: {"c-root": "failed"}}).folder for number in (0, 1)])
    path, other = str(tmp_path / "backup.db"), str(tmp_path / "other.db")
    keep(store, check_mode=True, state="backed_up", path=path)
    assert not pathlib.Path(path).exists()
    assert keep(store, state="backed_up", path=path)["rows"] > 0
    keep(other, check_mode=True, state="restored", path=path)
    assert not pathlib.Path(other).exists()
    keep(other, state="restored", path=path)
    assert ask(other, "open_now")["rows"] == ask(store, "open_now")["rows"]
    assert not keep(store, state="pruned", keep_days=36_500)["changed"]
    assert not keep(store, state="migrated")["changed"]
    assert refusal(keep, str(tmp_path / "none.db"), state="migrated").reason == "not_a_store"


def test_a_document_is_written_out_again(store: str, tmp_path: pathlib.Path) -> None:
    run = Nights(tmp_path).scan(0, {API: {"c-root": "failed"}})
    keep(store, run_dirs=[run.folder])
    (record,) = run.targets
    output = tmp_path / "again.json"
    params = {"cluster": "demo", "run_id": "night-0", "target_id": record.target_id, "output": str(output)}
    assert ask(store, "document", check_mode=True, **params)["changed"] and not output.exists()
    written = ask(store, "document", **params)
    assert written["sha256"] == record.hdf_sha256
    assert output.read_bytes() == pathlib.Path(run.folder, record.hdf).read_bytes()
    assert not ask(store, "document", **params)["changed"]
    assert refusal(ask, store, "document", **{**params, "run_id": "other"}).reason == "not_found"


def test_days_mean_all_of_them(store: str, tmp_path: pathlib.Path) -> None:
    nights = Nights(tmp_path)
    keep(
        store,
        run_dirs=[
            nights.scan(number, {API: {"c-root": status}}).folder
            for number, status in enumerate(["failed", "passed"])
        ],
    )
    assert len(ask(store, "open_at", at=night(0)[:10])["rows"]) == 1
    assert ask(store, "open_at", at=night(1)[:10])["rows"] == []
    changes = ask(store, "changes", since=night(1)[:10], until=night(1)[:10])["rows"]
    assert [row["change"] for row in changes] == ["fixed"]
    assert ask(store, "changes", limit=1)["truncated"]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"state": "pruned"}, "needs keep_days"),
        ({"state": "backed_up"}, "needs path"),
        ({"path": "/x"}, "path belongs to state=backed_up or state=restored"),
        ({"state": "migrated", "run_dirs": ["/x"]}, "run_dirs belongs to state=present"),
        ({"state": "pruned", "keep_days": 0}, "from 1 to 36500"),
        ({"state": "pruned", "keep_days": 5, "keep_documents_days": 6}, "longer than their runs"),
        ({"team_roles": {"x; DROP": "y"}}, "role of lower-case letters"),
        ({"team_roles": {"reader": "shop"}}, "only a store in PostgreSQL has roles"),
    ],
)
def test_options_that_do_not_fit_are_refused(store: str, params: dict[str, Any], said: str) -> None:
    assert said in refusal(keep, store, **params).message


@pytest.mark.parametrize(
    ("query", "params", "said"),
    [
        ("open_now", {"at": "2026-11-01"}, "no parameter at"),
        ("open_at", {"at": "yesterday"}, "is no date"),
        ("open_at", {}, "needs at"),
        ("document", {"cluster": "demo"}, "needs run_id"),
        ("open_now", {"output": "/x"}, "belongs to query=document"),
    ],
)
def test_questions_that_do_not_fit_are_refused(
    store: str, query: str, params: dict[str, Any], said: str
) -> None:
    assert said in refusal(ask, store, query, **params).message


def test_a_password_is_in_no_result_and_no_error(tmp_path: pathlib.Path) -> None:
    address = "postgresql://scanner:s3cret-word@127.0.0.1:1/findings?connect_timeout=2"
    for params in (
        {"store": address},
        {"store": address.replace(":s3cret-word", ""), "password": "s3cret-word"},
    ):
        for error in (refusal(keep, **params), refusal(ask, query="open_now", **params)):
            assert error.reason == "store_unreachable"
            assert "s3cret" not in json.dumps(error.record()) + str(error)
