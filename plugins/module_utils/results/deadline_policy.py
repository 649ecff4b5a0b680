# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deadlines as a policy: how often a place is to be scanned, and how soon a failed control is to be fixed.

    default:
      scan_every_hours: 168
      fix_within_days: {critical: 7, high: 30, medium: 90}
    environments:
      production:
        scan_every_hours: 24
        fix_within_days: {critical: 2}       # the other severities as in default
      sandbox:
        scan_every_hours: never

A value is a number of at most ten years, or `never`. What is said nowhere has no deadline. An environment that the file does not
name, and a namespace without one, has the deadlines of `default`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..editor_schema import Schema, closed_object, described
from ..errors import ScanError
from ..safe_text import escape_text
from ..suggestions import unknown_name
from .status import SEVERITIES
from .strict_yaml import load_yaml
from .teams import MAX_NAME, NAME_SCHEMA, is_name

NEVER = "never"
_MAX_DAYS = 3660
_MAX_ENVIRONMENTS = 1000
_SECTIONS = ("default", "environments")
_SCAN, _FIX = "scan_every_hours", "fix_within_days"

# None is `never`; what is missing is as in `default`.
_Bounds = Mapping[str, "float | None"]


@dataclass(frozen=True)
class _Deadlines:
    scan: _Bounds = field(default_factory=dict)  # under _SCAN; empty where it is not said
    fix: _Bounds = field(default_factory=dict)  # by severity


@dataclass(frozen=True)
class DeadlinePolicy:
    """`as_given`: the policy as plain values, from which it can be made again."""

    default: _Deadlines = _Deadlines()
    environments: Mapping[str, _Deadlines] = field(default_factory=dict)
    as_given: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_mapping(cls, value: Any, source: str = "deadlines") -> DeadlinePolicy:
        """:raises ScanError: bad_deadlines, naming the entry, for any other shape and for a policy without a deadline"""
        if not isinstance(value, Mapping) or not value:
            raise _bad(source, "must hold default or environments")
        _check_keys(value, _SECTIONS, source, "")
        environments = value.get("environments", {})
        if not isinstance(environments, Mapping) or len(environments) > _MAX_ENVIRONMENTS:
            raise _bad(source, f"environments must be at most {_MAX_ENVIRONMENTS} names with their deadlines")
        for name in environments:
            if not is_name(name):
                shown = escape_text(str(name)[:MAX_NAME])
                raise _bad(source, f"environments: {shown!r} is no name of at most {MAX_NAME} characters")
        return cls(
            _deadlines(value["default"], "default", source) if "default" in value else _Deadlines(),
            {name: _deadlines(one, f"environments.{name}", source) for name, one in environments.items()},
            value,
        )

    def scan_every(self, environment: str) -> float | None:
        """The seconds within which a place is to be scanned again; None without a deadline."""
        hours = self._value("scan", _SCAN, environment)
        return None if hours is None else hours * 3600

    def fix_within(self, severity: str, environment: str) -> float | None:
        """The days within which a failed control of this severity is to be fixed; None without a deadline."""
        return self._value("fix", severity, environment)

    def scan_due(self, environment: str, seen: datetime) -> datetime | None:
        """When a place is overdue that was seen at that moment, or that is to be scanned since then."""
        seconds = self.scan_every(environment)
        return None if seconds is None else _later(seen, timedelta(seconds=seconds))

    def fix_due(self, severity: str, environment: str, opened: datetime) -> datetime | None:
        """When a control is overdue that fails since that moment."""
        days = self.fix_within(severity, environment)
        return None if days is None else _later(opened, timedelta(days=days))

    def _value(self, kind: str, name: str, environment: str) -> float | None:
        own: _Bounds = getattr(self.environments.get(environment, self.default), kind)
        return own[name] if name in own else getattr(self.default, kind).get(name)


def is_overdue(due: datetime | None, now: datetime) -> bool:
    """The one rule, for places and findings: the moment that they were due at lies in the past."""
    return due is not None and due < now


def deadlines_schema() -> Schema:
    """Of a policy's file."""

    def bound(most: int, description: str) -> Schema:
        number: Schema = {"type": "number", "exclusiveMinimum": 0, "maximum": most}
        return {"anyOf": [number, {"const": NEVER}], "description": description}

    days = {severity: bound(_MAX_DAYS, f"days, or {NEVER}") for severity in SEVERITIES}
    deadlines = closed_object(
        {
            _SCAN: bound(_MAX_DAYS * 24, f"how often a place is to be scanned: hours, or {NEVER}"),
            _FIX: described(
                closed_object(days, least=1), "how soon a failed control is to be fixed, by severity"
            ),
        },
        least=1,
    )
    environments: Schema = {
        "type": "object",
        "maxProperties": _MAX_ENVIRONMENTS,
        "propertyNames": NAME_SCHEMA,
        "additionalProperties": deadlines,
        "description": "by environment; what one does not say is as in default",
    }
    return closed_object({"default": deadlines, "environments": environments}, least=1)


def load_deadlines(content: str | Mapping[str, Any], source: str) -> DeadlinePolicy:
    """The policy in a file's text (YAML or JSON) or in a mapping; `source` names it in errors.

    :raises ScanError: bad_deadlines
    """
    loaded = load_yaml(content, source, "bad_deadlines") if isinstance(content, str) else content
    return DeadlinePolicy.of_mapping(loaded, source)


def _later(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:
        return datetime.max.replace(tzinfo=moment.tzinfo)


def _deadlines(value: Any, place: str, source: str) -> _Deadlines:
    if not isinstance(value, Mapping) or not value:
        raise _bad(source, f"{place} must hold {_SCAN} or {_FIX}")
    _check_keys(value, (_SCAN, _FIX), source, place)
    fix = value.get(_FIX, {})
    if not isinstance(fix, Mapping) or (_FIX in value and not fix):
        raise _bad(source, f"{place}.{_FIX} must be severities with days, such as {{critical: 7, high: 30}}")
    _check_keys(fix, SEVERITIES, source, f"{place}.{_FIX}", "severity")
    return _Deadlines(
        {_SCAN: _bound(value[_SCAN], f"{place}.{_SCAN}", source, _MAX_DAYS * 24)} if _SCAN in value else {},
        {name: _bound(days, f"{place}.{_FIX}.{name}", source, _MAX_DAYS) for name, days in fix.items()},
    )


def _bound(value: Any, place: str, source: str, most: int) -> float | None:
    if value == NEVER:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise _bad(
            source, f"{place} must be a number or {NEVER}, found {escape_text(repr(value)[:MAX_NAME])}"
        )
    if not 0 < value <= most:
        raise _bad(source, f"{place} must be above 0 and at most {most}, found {value}")
    return float(value)


def _check_keys(
    value: Mapping[Any, Any], known: Sequence[str], source: str, place: str, word: str = "key"
) -> None:
    for key in value:
        if key not in known:
            shown = escape_text(str(key)[:MAX_NAME])
            raise _bad(source, (f"{place}: " if place else "") + unknown_name(word, shown, known))


def _bad(source: str, what: str) -> ScanError:
    return ScanError("bad_deadlines", f"{source}: {what}", tried="read deadlines")
