# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_guard`: options in, guard made or removed, result out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..access.guard import POLICY, guard_objects
from ..access.guard_in_cluster import GuardOutcome, ensure_guard, remove_guard
from ..access.guard_terms import GuardOptions, ScannerHabits
from ..access.objects import object_name
from ..approaches.debug_end import END_SHELL
from ..approaches.image_helper import IMAGES_PER_HELPER, LIMITS, MOUNT_POINT, helper_name
from ..approaches.registry import KINDS
from ..approaches.session import SHELL
from ..cluster.rest import RestClient
from ..counted_yaml import require_yaml, yaml_text
from ..options.guard import PRESENT, GuardTaskOptions
from ..options.spec import Params
from ..targets.own_containers import IDLE, PREFIX
from ..text_layout import number_of
from .context import TaskContext, connect_grantor

# Handed to access/guard.py from here: access/ is below approaches/ and must not import it.
HABITS = ScannerHabits(
    shell=SHELL,
    end_shell=END_SHELL,
    idle=IDLE,
    prefix=PREFIX,
    mount_point=MOUNT_POINT,
    most_images=IMAGES_PER_HELPER,
    resources=LIMITS,
    helper_suffix=helper_name("run", 1)[len(object_name("run")) : -1],
    rights=tuple(right for kind in KINDS for right in kind.rights),
)


def run_scan_guard(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed, diff, policies (their names)."""
    options = GuardTaskOptions.from_params(params)
    require_yaml("showing what the guard changes")
    client = RestClient(connect_grantor(options.connection, context))
    wanted = guard_of(options.guard)
    ensure = ensure_guard if options.state == PRESENT else remove_guard
    outcome = ensure(client, wanted, context.check_mode)
    if outcome.changed:
        context.detail(f"the guard as a whole:\n{_as_text(outcome.after)}")
    return {
        "changed": outcome.changed,
        "diff": _diff(outcome),
        "policies": [item["metadata"]["name"] for item in wanted if item["kind"] == POLICY],
    }


def guard_of(options: GuardOptions) -> list[dict[str, Any]]:
    """The objects that the options ask for."""
    return guard_objects(HABITS, options)


def _diff(outcome: GuardOutcome) -> list[dict[str, str]]:
    """What changes, as YAML. An object that is made or removed is a few words: its whole text is long, and nobody compares
    it with anything. Of one that is changed both texts are there, of which Ansible shows the lines that differ."""
    if not outcome.changed:
        return []
    titles = {**outcome.before, **outcome.after}
    differing = [title for title in titles if outcome.before.get(title) != outcome.after.get(title)]
    whole = {title for title in differing if title in outcome.before and title in outcome.after}
    before, after = (
        {
            title: items[title] if title in whole else _in_short(items[title])
            for title in differing
            if title in items
        }
        for items in (outcome.before, outcome.after)
    )
    return [
        {
            "before_header": "guard",
            "after_header": "guard",
            "before": _as_text(before),
            "after": _as_text(after),
        }
    ]


def _in_short(item: Mapping[str, Any]) -> dict[str, Any]:
    """What a policy or a binding does, in a few words."""
    spec = item.get("spec") or {}
    short = {
        name: spec[name] for name in ("policyName", "failurePolicy", "validationActions") if name in spec
    }
    if spec.get("validations"):
        short["validations"] = number_of(len(spec["validations"]), "expression")
    return short


def _as_text(objects: Mapping[str, Any]) -> str:
    return yaml_text(objects, sort_keys=True, width=100) if objects else ""
