# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_guard`: options in, guard made or removed, result out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..access.guard import POLICY, GuardOptions, ScannerHabits, guard_objects
from ..access.guard_in_cluster import GuardOutcome, ensure_guard, remove_guard
from ..access.objects import object_name
from ..approaches.debug_container import END_SHELL
from ..approaches.image_helper import MOUNT_POINT, helper_name
from ..approaches.session import SHELL
from ..cluster.rest import RestClient
from ..targets.own_containers import IDLE, PREFIX
from .context import TaskContext, connect_grantor

HABITS = ScannerHabits(
    shell=SHELL,
    end_shell=END_SHELL,
    idle=IDLE,
    prefix=PREFIX,
    mount_point=MOUNT_POINT,
    helper_suffix=helper_name("run", 1)[len(object_name("run")) : -1],
)


def run_scan_guard(params: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Result keys: changed, diff, policies (their names)."""
    client = RestClient(connect_grantor(params, context))
    wanted = guard_of(params)
    ensure = ensure_guard if params["state"] == "present" else remove_guard
    outcome = ensure(client, wanted, context.check_mode)
    return {
        "changed": outcome.changed,
        "diff": _diff(outcome),
        "policies": [item["metadata"]["name"] for item in wanted if item["kind"] == POLICY],
    }


def guard_of(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The objects that the options ask for."""
    return guard_objects(
        HABITS,
        GuardOptions(
            images=tuple(params["scanner_images"]),
            enter_targets=params["enter_targets"],
            match_capabilities=params["debug_match_capabilities"],
        ),
    )


def _diff(outcome: GuardOutcome) -> list[dict[str, str]]:
    before, after = (
        {title: items[title] for title in items if outcome.before.get(title) != outcome.after.get(title)}
        for items in (outcome.before, outcome.after)
    )
    if not outcome.changed:
        return []
    return [
        {
            "before_header": "guard",
            "after_header": "guard",
            "before": _as_text(before),
            "after": _as_text(after),
        }
    ]


def _as_text(objects: Mapping[str, Any]) -> str:
    return json.dumps(objects, indent=2, sort_keys=True) + "\n" if objects else ""
