# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_store`: runs into a store, and the store's own life."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..evidence.trust import Trust
from ..options.spec import Params
from ..options.store import BACKED_UP, MIGRATED, PRUNED, RESTORED, StoreOptions
from ..options.store_access import StoreAccess
from ..results.fleet_run import FLEET_JSON, FleetRun, open_fleet_run
from ..results.run import Run, open_run
from ..safe_text import one_line
from ..store.address import StoreAddress
from ..store.backup import back_up, restore
from ..store.database import Database
from ..store.migrations.registry import SCHEMA_VERSION
from ..store.opening import make_store, open_store
from ..store.schema import migrate, version_of
from ..store.store import Store
from .context import TaskContext

_MOST_SHOWN = 50
# Reasons of a run's own; any other one is the store's.
_OF_RUNS = ("run_refused", "bad_results", "not_signed", "bad_evidence")


def run_scan_store(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed, store (its address, without a password), schema_version {before, after}, runs, fleet_runs, rows,
    removed, table (lines for a terminal). In check mode they say what would be done."""
    options = StoreOptions.from_params(params, context.environ)
    states: dict[str, Callable[[StoreOptions, TaskContext], dict[str, Any]]] = {
        MIGRATED: _migrated,
        BACKED_UP: _backed_up,
        RESTORED: _restored,
        PRUNED: _pruned,
    }
    result = states.get(options.state, _present)(options, context)
    return {"store": options.access.shown, **result}


def opened_store(access: StoreAccess, context: TaskContext) -> Store:
    """A store that is there. :raises ScanError: as `open_store`"""
    store = open_store(access.address, access.password, access.allow_shared)
    context.warnings += store.warnings
    return store


def _database(access: StoreAccess, context: TaskContext) -> Database:
    database = Database(StoreAddress.of(access.address, access.password), access.allow_shared)
    context.warnings += database.warnings
    return database


def _present(options: StoreOptions, context: TaskContext) -> dict[str, Any]:
    database = _database(options.access, context)
    before = version_of(database)
    if before == 0 and context.check_mode:
        runs = [_planned(run) for run, _error in _runs(options.run_dirs, options.trust) if run is not None]
        return {"changed": True, "schema_version": _versions(0, SCHEMA_VERSION), "runs": runs}
    access = options.access
    store = (make_store if before == 0 else open_store)(access.address, access.password, access.allow_shared)
    changed = before == 0
    if options.deadlines is not None:
        changed |= store.set_deadlines(options.deadlines, context.check_mode)
    if options.team_roles is not None:
        changed |= store.set_team_roles(options.team_roles, context.check_mode)
    runs = []
    refused: list[str] = []
    for folder in options.run_dirs:
        changed |= _take_manifest(store, folder, context, refused, options.trust)
    for run, error in _runs(options.run_dirs, options.trust):
        if run is None:
            refused.append(error)
            continue
        taken = _take(store, run, options, context, refused)
        if taken is not None:
            runs.append(taken)
            changed |= taken["changed"]
    result = {
        "changed": changed,
        "schema_version": _versions(before, SCHEMA_VERSION),
        "runs": runs[:_MOST_SHOWN],
        "run_count": len(runs),
        "table": [_line(run) for run in runs[:_MOST_SHOWN]],
    }
    if refused:
        raise _incomplete(refused, runs)
    return result


def _take(
    store: Store, run: Run, options: StoreOptions, context: TaskContext, refused: list[str]
) -> dict[str, Any] | None:
    if context.check_mode:
        state = store.state_of(run)
        if state == "whole":
            return {**_planned(run), "state": state, "changed": False}
        return _planned(run)
    try:
        taken = store.ingest_run(run, options.evidence)
    except ScanError as error:
        if error.reason not in _OF_RUNS:
            raise
        refused.append(error.message)
        return None
    refused += taken.refused
    context.say(f"{taken.cluster} {taken.run_id}: {taken.places} places")
    values = asdict(taken)
    del values["refused"]
    return {**values, "changed": taken.is_new}


def _planned(run: Run) -> dict[str, Any]:
    return {
        "cluster": run.cluster,
        "run_id": run.run_id,
        "state": "half",
        "places": 0,
        "known": 0,
        "changed": True,
    }


def _take_manifest(store: Store, folder: str, context: TaskContext, refused: list[str], trust: Trust) -> bool:
    if not (Path(folder) / FLEET_JSON).exists():
        return False
    try:
        fleet_run = open_fleet_run(folder)
        trust.check(folder, fleet_run.sha256)
        return False if context.check_mode else store.ingest_fleet_run(fleet_run).is_new
    except ScanError as error:
        if error.reason not in _OF_RUNS:
            raise
        refused.append(error.message)
        return False


def _runs(folders: tuple[str, ...], trust: Trust) -> Iterator[tuple[Run | None, str]]:
    """(run, empty) of each folder of a run, and of each run of a folder of a fleet run; (None, why) of what cannot be read."""
    for folder in folders:
        try:
            if (Path(folder) / FLEET_JSON).exists():
                fleet_run = open_fleet_run(folder)
                trust.check(folder, fleet_run.sha256)
                # whose signature holds for all of its runs
                yield from _runs_of(fleet_run)
            else:
                run = open_run(folder)
                trust.check(folder, run.sha256)
                yield run, ""
        except ScanError as error:
            yield None, error.message


def _runs_of(fleet_run: FleetRun) -> Iterator[tuple[Run | None, str]]:
    for entry in fleet_run.clusters:
        try:
            run = fleet_run.run_of(entry)
        except ScanError as error:
            yield None, error.message
        else:
            if run is not None:
                yield run, ""


def _line(run: dict[str, Any]) -> str:
    return one_line(
        f"{run['cluster']} {run['run_id']}: {run['state']}, {run['places']} places new, {run['known']} known",
        300,
    )


def _incomplete(refused: list[str], runs: list[dict[str, Any]]) -> ScanError:
    more = len(refused) - 10
    text = "; ".join(one_line(one, 300) for one in refused[:10]) + (f"; and {more} more" if more > 0 else "")
    whole = sum(run["state"] == "whole" for run in runs)
    return ScanError(
        "store_incomplete",
        f"{whole} runs are in the store as a whole; not taken: {text}",
        tried="ingest runs",
    )


def _migrated(options: StoreOptions, context: TaskContext) -> dict[str, Any]:
    database = _database(options.access, context)
    before = version_of(database)
    if not before:
        raise ScanError(
            "not_a_store", f"{options.access.shown}: there is no store yet", tried="migrate the store",
            advice="Make one with state=present.",
        )  # fmt: skip
    if not context.check_mode:
        migrate(database)
    return {"changed": before < SCHEMA_VERSION, "schema_version": _versions(before, SCHEMA_VERSION)}


def _backed_up(options: StoreOptions, context: TaskContext) -> dict[str, Any]:
    store = opened_store(options.access, context)
    path = str(options.path)
    rows = 0 if context.check_mode else back_up(store, path)
    return {"changed": True, "path": path, "rows": rows, "table": [f"Backup: {path}"]}


def _restored(options: StoreOptions, context: TaskContext) -> dict[str, Any]:
    database = _database(options.access, context)
    path = str(options.path)
    if context.check_mode:
        open_store(path, allow_shared=options.access.allow_shared)
        return {"changed": True, "path": path, "rows": 0}
    return {"changed": True, "path": path, "rows": restore(path, database)}


def _pruned(options: StoreOptions, context: TaskContext) -> dict[str, Any]:
    store = opened_store(options.access, context)
    pruned = store.prune(options.before, options.documents_before, context.check_mode)
    return {"changed": pruned.changed, "removed": dict(pruned.rows)}


def _versions(before: int, after: int) -> dict[str, int]:
    return {"before": before, "after": after}
