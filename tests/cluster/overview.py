# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is of clusters on this machine, as rows for a table or for JSON."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from . import cgroups, health
from . import state as states
from .failure import ClusterError
from .handle import Cluster
from .places import cluster_folder, cluster_names
from .state import State

_COLUMNS = ("name", "state", "version", "server", "node", "since", "memory", "kubeconfig")


def rows() -> list[dict[str, Any]]:
    """One row for each cluster; `memory` in MiB, `state` is "ready" or "broken: WHY"."""
    found = {name: _row(name) for name in cluster_names()}
    # not of one that was taken down while we looked
    return [row for name, row in found.items() if cluster_folder(name).exists()]


def table(found: list[dict[str, Any]]) -> str:
    """The rows as a table, and the kubectl that goes with them."""
    if not found:
        return "There is no cluster."
    cells = [[_cell(row, column) for column in _COLUMNS] for row in found]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *cells)]
    lines = [_line((column.upper() for column in _COLUMNS), widths), *(_line(row, widths) for row in cells)]
    kubectls = sorted({row["kubectl"] for row in found if row["kubectl"]})
    return "\n".join([*lines, *(f"kubectl: {path}" for path in kubectls)])


def _row(name: str) -> dict[str, Any]:
    state = states.load(name)
    if state is None:
        return {
            **dict.fromkeys(_COLUMNS),
            "name": name,
            "state": "broken: its start was cut short",
            "kubectl": None,
        }
    problem = health.problem(state)
    return {
        "name": name,
        "state": "ready" if problem is None else f"broken: {problem}",
        "version": state.version,
        "server": state.server,
        "node": state.node,
        "since": state.since,
        "memory": _memory(state.control_groups) // 2**20,
        "kubeconfig": str(state.kubeconfig),
        "audit_log": str(state.audit_log),
        "kubectl": str(state.kubectl),
        "processes": _processes(state) if problem is None else {},
    }


def _processes(state: State) -> dict[str, int]:
    try:
        return Cluster(state).processes()
    except (ClusterError, KeyError):
        return {}  # it is taken down while we look


def _memory(control_groups: str) -> int:
    """Bytes that the cluster's processes, pods included, hold for themselves (pages shared by n count as 1/n)."""
    total = 0
    for pid in cgroups.processes(control_groups):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue  # it ended while we looked
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def _cell(row: dict[str, Any], column: str) -> str:
    if row[column] is None:
        return "-"
    return f"{row[column]} MiB" if column == "memory" else str(row[column])


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip()
