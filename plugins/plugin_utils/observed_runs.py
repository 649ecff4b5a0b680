# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the callbacks share: the runs of a play's hosts, gathered from the results of its tasks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

from ..module_utils.errors import ScanError
from ..module_utils.reports.fleet import ClusterRun
from ..module_utils.reports.health_metrics import ClusterHealth
from ..module_utils.results.fleet_run import FleetRun, open_fleet_run
from ..module_utils.results.run import Run, parse_run

_PREFIX = "securescan.kubernetes."
# reasons of the catalogue of errors, where a result names none
_UNREACHABLE, _UNREADABLE, _UNKNOWN = "unreachable", "bad_results", "internal"
_SCANS = ("scan_container", "scan_judgement")
_BEFORE_SCANS = ("scan_check", "scan_profile", "scan_target_info", "scan_access")


class ObservedRuns:
    """Takes the results of tasks one by one; `runs` is what became of each host that was scanned, or was to be.

    A host whose task before the scan failed has no scan. It counts when another host of the playbook was scanned.
    """

    def __init__(self) -> None:
        self._runs: dict[str, ClusterRun] = {}
        self.fleet_runs: list[FleetRun] = []
        self.health: dict[str, ClusterHealth] = {}
        self._failed_before: dict[str, ClusterRun] = {}

    def observe(self, host: str, action: str, result: dict[str, Any]) -> None:
        name = _module_of(action)
        if name == "scan_health" and isinstance(result.get("checks"), list):
            self.health[host] = _health_of(host, result)
        elif name == "scan_fleet_run" and result.get("fleet_dir") and result.get("gate"):
            self.fleet_runs = _fleet_run_in(str(result["fleet_dir"]))
        elif name in _SCANS:
            self._runs[host] = _run_of(host, result)
        elif name == "scan_threshold" and host in self._runs:
            self._runs[host] = _decided(self._runs[host], result)
        elif name in _BEFORE_SCANS and result.get("failed"):
            self._failed_before[host] = _failed(host, result)

    def observe_unreachable(self, host: str, action: str, result: dict[str, Any]) -> None:
        name = _module_of(action)
        unreachable = ClusterRun(host, error=str(result.get("msg") or "unreachable"), reason=_UNREACHABLE)
        if name in _SCANS:
            self._runs[host] = unreachable
        elif name in _BEFORE_SCANS:
            self._failed_before[host] = unreachable

    @property
    def runs(self) -> list[ClusterRun]:
        return list({**self._failed_before, **self._runs}.values()) if self._runs else []


class ObservingCallback(CallbackBase):
    """A callback that looks at the results of scans. A subclass names itself, and says what it makes of them
    at the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, display: Any = None, options: Any = None) -> None:
        super().__init__(display=display, options=options)
        self._observed = ObservedRuns()

    def v2_runner_on_ok(self, result: Any) -> None:
        self._observed.observe(result._host.get_name(), result._task.action, result._result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        # since ansible-core 2.19 the result of a task that failed does not say so itself
        failed = {**result._result, "failed": True}
        self._observed.observe(result._host.get_name(), result._task.action, failed)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._observed.observe_unreachable(result._host.get_name(), result._task.action, result._result)


def _health_of(host: str, result: dict[str, Any]) -> ClusterHealth:
    """What the module scan_health said. Checks that were not made are left out."""
    checks = {
        str(one["check"]): one["status"] == "passed" for one in result["checks"] if one["status"] != "skipped"
    }
    leftovers = {str(kind): int(number) for kind, number in (result.get("leftovers") or {}).items()}
    return ClusterHealth(host, str(result.get("cluster") or ""), checks, leftovers)


def _fleet_run_in(folder: str) -> list[FleetRun]:
    """The fleet run in a folder; none where it cannot be read here."""
    try:
        return [open_fleet_run(folder)]
    except ScanError:
        return []


def _module_of(action: str) -> str:
    """The name of our module; of another collection's its full name."""
    return action[len(_PREFIX) :] if action.startswith(_PREFIX) else action


def _decided(before: ClusterRun, result: dict[str, Any]) -> ClusterRun:
    """The host with what the gate said, or with the error that kept it from saying anything."""
    gate, reason = result.get("gate"), _reason(result)
    if not isinstance(gate, dict):
        return replace(before, reason=reason or before.reason)
    passed = bool(gate.get("passed"))
    kind = "" if passed else str(gate.get("kind") or "")  # where the task was told not to fail
    return replace(
        before, run=_decided_run(before, result), passed=passed, reason=reason or kind or before.reason
    )


def _decided_run(before: ClusterRun, result: dict[str, Any]) -> Run | None:
    """The run with what the gate made of its targets, or as it was where that cannot be read or is another run's."""
    again = [_run_of(before.host, {"summary_file": path}).run for path in (result.get("files") or [])[:1]]
    if before.run is not None and again and again[0] is not None and again[0].run_id == before.run.run_id:
        return again[0]
    return before.run


def _run_of(host: str, result: dict[str, Any]) -> ClusterRun:
    path = result.get("summary_file")
    if not path and not result.get("failed"):
        return ClusterRun(host, error=str(result.get("msg") or "no run (check mode?)"), is_planned=True)
    if not path:
        return _failed(host, result)
    try:
        run = parse_run(Path(path).read_bytes(), str(path), str(Path(path).parent))
    except (OSError, ScanError) as error:
        return ClusterRun(host, error=f"its summary cannot be read here: {error}", reason=_UNREADABLE)
    return ClusterRun(
        host, run, reason=_reason(result), requests=_numbers(result.get("requests")), left=_left(result)
    )


def _numbers(value: Any) -> dict[str, int]:
    return {str(name): int(number) for name, number in value.items()} if isinstance(value, dict) else {}


def _left(result: dict[str, Any]) -> dict[str, int]:
    """What the scan has left, by kind; nothing is said of a judgement, which enters no cluster."""
    footprint = result.get("footprint")
    if not isinstance(footprint, dict):
        return {}
    return {
        "ephemeral_container": int(footprint.get("added") or 0),
        "running_container": len(footprint.get("not_ended") or ()),
        "access": int(_reason(result) == "access_remains"),
    }


def _failed(host: str, result: dict[str, Any]) -> ClusterRun:
    return ClusterRun(host, error=str(result.get("msg") or "it failed"), reason=_reason(result) or _UNKNOWN)


def _reason(result: dict[str, Any]) -> str:
    """The reason of the error with which a task ended, empty without one."""
    error = result.get("error")
    return str(error.get("reason") or "") if isinstance(error, dict) else ""
