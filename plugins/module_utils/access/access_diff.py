# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The diff of what is done to accesses, short enough for a person to read, and for a job system to store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from .lifecycle import NamespaceOutcome
from .sweep import Sweep

# The limit of a list within an object, such as the names of a Role's pods.
_LIST_ITEMS = 100
# The limit of the whole diff, in characters. The first namespace is always shown.
_CHARACTERS = 100_000
# The limit of the list of what was swept.
_SWEPT_ITEMS = 50

Diff = list[dict[str, str]]


def access_diff(outcomes: Sequence[NamespaceOutcome]) -> Diff:
    """One entry for each namespace, up to the limit; the last entry then counts the rest."""
    entries: Diff = []
    size = 0
    for outcome in outcomes:
        before, after = objects_text(outcome.before), objects_text(outcome.after)
        size += len(before) + len(after)
        if entries and size > _CHARACTERS:
            rest = outcomes[len(entries) :]
            changed = sum(each.changed for each in rest)
            entries.append(
                _entry(
                    "further namespaces", "", f"{len(rest)} more namespaces, {changed} of them with changes\n"
                )
            )
            break
        entries.append(_entry(outcome.namespace, before, after))
    return entries


def sweep_diff(done: Sweep) -> Diff:
    """One entry with a line for each object that was removed, up to the limit; else no entry."""
    if not done.removed:
        return []
    lines = [
        "{kind} {namespace}/{name} (run {run_id}, expired {expires})\n".format(**item)
        for item in done.removed
    ]
    more = len(lines) - _SWEPT_ITEMS
    shown = lines[:_SWEPT_ITEMS] + ([f"and {more} more\n"] if more > 0 else [])
    return [_entry("expired", "".join(shown), "")]


def objects_text(objects: Mapping[str, Any]) -> str:
    """The objects as JSON with every list cut at the limit; empty where there is none."""
    return json.dumps(_shortened(objects), indent=2, sort_keys=True) + "\n" if objects else ""


def _entry(header: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": header, "after_header": header, "before": before, "after": after}


def _shortened(value: Any) -> Any:
    """The value with every list cut at the limit; the hash shows whether the rest differs."""
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list) and len(value) > _LIST_ITEMS:
        rest = hashlib.sha256(json.dumps(value).encode("utf-8")).hexdigest()[:12]
        return [*value[:_LIST_ITEMS], f"... {len(value)} in all, sha256 {rest}"]
    return [_shortened(item) for item in value] if isinstance(value, list) else value
