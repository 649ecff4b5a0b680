# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What scans by debug have left in the cluster: entries in the pods' lists of ephemeral containers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..approaches.debug_container import ephemeral_statuses
from ..targets.own_containers import MOST_SECONDS, PREFIX
from ..times import api_time, parse_api_time

# How many entries stand in a task's result at most.
MOST_ENTRIES = 50
# Seconds after which one that was to have ended counts as overdue: clocks of nodes differ.
_LATE = 60
# The seconds stand before two other arguments.
_ARGUMENTS = 3


def entries_of(pod: Mapping[str, Any], now: datetime) -> Iterator[dict[str, Any]]:
    """Our entries in one v1 Pod.

    Each: {namespace, pod, name, target_container, image, run_id, state, started, age, is_overdue}; `age` is in
    seconds since the start, None if the node has not reported it; `is_overdue` tells of one that runs longer than it
    was to wait, because somebody has stopped its processes.
    """
    statuses = ephemeral_statuses(pod)
    for entry in pod["spec"].get("ephemeralContainers") or []:
        command = entry.get("command") or []
        if not str(entry["name"]).startswith(PREFIX) or "securescan" not in command:
            continue
        states: Mapping[str, Any] = statuses.get(entry["name"]) or {}
        state = next(iter(states), "unknown")
        started = _time((states.get(state) or {}).get("startedAt"))
        age = int((now - started).total_seconds()) if started else None
        yield {
            "namespace": pod["metadata"]["namespace"],
            "pod": pod["metadata"]["name"],
            "name": str(entry["name"]),
            "target_container": str(entry.get("targetContainerName") or ""),
            "image": str(entry.get("image") or ""),
            "run_id": str(command[-1]),
            "state": state,
            "started": api_time(started) if started else "",
            "age": age,
            "is_overdue": state == "running" and age is not None and age > _lifetime(command) + _LATE,
        }


def as_result(entries: Iterable[Mapping[str, Any]], most: int = MOST_ENTRIES) -> dict[str, Any]:
    """{count, running, pods, by_namespace, oldest (age in seconds), entries}: at most `most` entries, the
    oldest first."""
    known = sorted(entries, key=lambda entry: -1 if entry["age"] is None else -entry["age"] - 1)
    by_namespace: dict[str, int] = {}
    for entry in known:
        by_namespace[entry["namespace"]] = by_namespace.get(entry["namespace"], 0) + 1
    ages: list[int] = [entry["age"] for entry in known if entry["age"] is not None]
    return {
        "count": len(known),
        "running": sum(entry["state"] == "running" for entry in known),
        "pods": len({(entry["namespace"], entry["pod"]) for entry in known}),
        "by_namespace": dict(sorted(by_namespace.items())),
        "oldest": max(ages) if ages else None,
        "entries": [dict(entry) for entry in known[:most]],
    }


def _lifetime(command: Sequence[Any]) -> int:
    """For how many seconds a debug container waits, by its command; for a day where that says something else."""
    text = str(command[-3]) if len(command) >= _ARGUMENTS else ""
    return (
        min(int(text), MOST_SECONDS)
        if text.isdecimal() and len(text) <= len(str(MOST_SECONDS))
        else MOST_SECONDS
    )


def _time(text: Any) -> datetime | None:
    try:
        return parse_api_time(text)
    except ValueError:
        return None
