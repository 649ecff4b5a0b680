# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Impact, tags and references of a control."""

from __future__ import annotations

import re
from typing import Any

from ..suggestions import unknown_name
from ..vocabulary.cursor import Cursor
from ..vocabulary.value_text import show
from ..vocabulary.value_types import kind_of

REF_KEYS = ("ref", "url")

# InSpec's words and numbers. HDF computes the severity from the number.
IMPACTS: dict[str, float] = {"none": 0.0, "low": 0.1, "medium": 0.4, "high": 0.7, "critical": 0.9}


def matching(cursor: Cursor, pattern: str, what: str, expected: str) -> str:
    """A text that matches `pattern`; `expected` describes it in words."""
    text = cursor.text(what)
    if not re.match(pattern, text):
        cursor.fail(f"{what}: found '{show(text)}'; expected {expected}")
    return text


def compile_impact(cursor: Cursor, what: str) -> float:
    """An impact as a number; `what` names the control in errors, here and below."""
    value = cursor.value
    if isinstance(value, str):
        if value.lower() not in IMPACTS:
            cursor.fail(f"{what}: {unknown_name('impact', value, IMPACTS)}")
        return IMPACTS[value.lower()]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        cursor.fail(
            "{}: found {} as impact; expected a number from 0.0 to 1.0 or one of {}".format(
                what, kind_of(value), ", ".join(IMPACTS)
            )
        )
    if 0 < value < IMPACTS["low"]:
        cursor.fail(
            f"{what}: found {kind_of(value)} as impact; expected 0.0, or 0.1 and more, as summaries leave "
            "out what lies between"
        )
    return float(value)


def compile_tags(cursor: Cursor, what: str) -> dict[str, Any]:
    tags: dict[str, Any] = {}
    for key, entry in cursor.mapping(f"{what}: tags").items():
        value = entry.value
        parts = value if isinstance(value, list) else [value]
        if any(isinstance(part, (dict, list)) for part in parts):
            entry.fail(
                f"{what}: the tag '{key}' holds a mapping or lists in a list; expected a text, a number, "
                "true, false or a list of these"
            )
        if key in ("severity", "severityoverride") and value not in IMPACTS:
            # SAF compares these without regard to case and then counts them with regard to it.
            entry.fail(
                "{}: the tag '{}' is {}; expected one of {} in small letters".format(
                    what, key, kind_of(value), ", ".join(IMPACTS)
                )
            )
        tags[key] = value
    return tags


def compile_refs(cursor: Cursor, what: str) -> list[dict[str, str]]:
    refs = []
    for entry in cursor.items(f"{what}: refs"):
        if isinstance(entry.value, dict):
            keys = entry.mapping(f"{what}: refs", REF_KEYS)
            refs.append({key: value.text(f"{what}: refs {key}") for key, value in keys.items()})
        else:
            refs.append({"ref": entry.text(f"{what}: refs")})
    return refs
