# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the callbacks share: the runs of a play's hosts, gathered from the results of its tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

from ..module_utils.errors import ScanError
from ..module_utils.reports.fleet import ClusterRun
from ..module_utils.results.run import Run, parse_run

_PREFIX = "securescan.kubernetes."
_SCANS = ("scan_container", "scan_judgement")


class ObservedRuns:
    """Takes the results of tasks one by one; `runs` is what became of each host that was scanned."""

    def __init__(self) -> None:
        self._runs: dict[str, ClusterRun] = {}

    def observe(self, host: str, action: str, result: dict[str, Any]) -> None:
        name = action[len(_PREFIX) :] if action.startswith(_PREFIX) else action
        if name in _SCANS:
            self._runs[host] = _run_of(host, result)
        elif name == "scan_threshold" and host in self._runs and isinstance(result.get("gate"), dict):
            before = self._runs[host]
            run = _decided(before, result)
            self._runs[host] = ClusterRun(host, run, before.error, bool(result["gate"].get("passed")))

    def observe_unreachable(self, host: str, action: str, result: dict[str, Any]) -> None:
        if action.rpartition(".")[2] in _SCANS:
            self._runs[host] = ClusterRun(host, error=str(result.get("msg") or "unreachable"))

    @property
    def runs(self) -> list[ClusterRun]:
        return list(self._runs.values())


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
        self._observed.observe(result._host.get_name(), result._task.action, result._result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._observed.observe_unreachable(result._host.get_name(), result._task.action, result._result)


def _decided(before: ClusterRun, result: dict[str, Any]) -> Run | None:
    """The run with what the gate made of its targets, or as it was where that cannot be read or is another run's."""
    again = [_run_of(before.host, {"summary_file": path}).run for path in (result.get("files") or [])[:1]]
    if before.run is not None and again and again[0] is not None and again[0].run_id == before.run.run_id:
        return again[0]
    return before.run


def _run_of(host: str, result: dict[str, Any]) -> ClusterRun:
    path = result.get("summary_file")
    if not path:
        return ClusterRun(host, error=str(result.get("msg") or "no run (check mode?)"))
    try:
        return ClusterRun(host, parse_run(Path(path).read_bytes(), str(path)))
    except (OSError, ScanError) as error:
        return ClusterRun(host, error=f"its summary cannot be read here: {error}")
