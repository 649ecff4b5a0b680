# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The limits of a threshold: which keys exist, what value each takes, and whether a profile's counts meet it.

SAF's keys are taken as they are. They may be nested (`failed: {total: {max: 0}}`), dotted (`failed.total.max: 0`) or
both; every one of them counts (SAF drops some). Keys that SAF writes but never checks are checked here.

Keys of our own. One is about a profile's counts, as SAF's are:

    reviewed: {min: 100}           percentage of the controls that a program could review and did (waived and attested
                                   ones are decided); also by severity: {critical: {min: 100}, ...}

Two are about a target:

    evidence: {min: beside}        how far what was seen of it can be trusted: target, beside or image (see evidence.py)
    skipped_profiles: {max: 0}     profiles that do not support its platform, as the target itself names it

The others are about a run:

    coverage: {min: 100}           percentage of the expected targets that were scanned, and of which each profile judged
                                   something
    new_failures: {max: 0}         controls that failed and did not fail in the baseline run
    overdue: {max: 0}              findings that were not fixed within their deadline (see deadlines.py)
    overdue_scans: {max: 0}        places that were not scanned within theirs
    must_pass: [id, ...]           controls that passed on every target that has them, and that some target has
    must_pass: {profile: [id]}     the same for controls of one profile
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ..editor_schema import Schema, closed_object, described
from ..errors import ScanError
from ..safe_text import one_line
from ..suggestions import asked
from .evidence import GRADES
from .limit_hints import hint
from .percent import exact, rounded_down, rounded_up
from .status import FAILED, NOT_APPLICABLE, NOT_REVIEWED, PASSED, PROFILE_ERROR, SEVERITIES
from .summary import ProfileSummary

# SAF's names for the statuses.
_STATUS_OF_NAME: dict[str, str] = {
    "passed": PASSED,
    "failed": FAILED,
    "skipped": NOT_REVIEWED,
    "no_impact": NOT_APPLICABLE,
    "error": PROFILE_ERROR,
}
_PERCENT = "percent"
_COUNT = "count"
_IDS = "ids"
_GRADE = "grade"
COVERAGE_KEY = "coverage.min"
EVIDENCE_KEY = "evidence.min"
SKIPPED_PROFILES_KEY = "skipped_profiles.max"
COMPLIANCE = "compliance"
_REVIEWED = "reviewed"
NEW_FAILURES_KEY = "new_failures.max"
OVERDUE_KEY = "overdue.max"
OVERDUE_SCANS_KEY = "overdue_scans.max"
MUST_PASS_KEY = "must_pass"  # noqa: S105 - no password
_MUST_PASS_PREFIX = MUST_PASS_KEY + "."
_BOUND_WORDS = {"min": "must be at least", "max": "must be at most"}
_MOST_IDS_IN_TEXT = 5
_MOST_LETTERS_OF_KEY = 200


def _known_keys() -> dict[str, str]:
    keys = {
        COMPLIANCE + ".min": _PERCENT,
        COMPLIANCE + ".max": _PERCENT,
        _REVIEWED + ".min": _PERCENT,
        COVERAGE_KEY: _PERCENT,
        EVIDENCE_KEY: _GRADE,
        SKIPPED_PROFILES_KEY: _COUNT,
        NEW_FAILURES_KEY: _COUNT,
        OVERDUE_KEY: _COUNT,
        OVERDUE_SCANS_KEY: _COUNT,
        MUST_PASS_KEY: _IDS,
    }
    for name in _STATUS_OF_NAME:
        keys[name + ".total"] = _COUNT
        for severity in ("total", *SEVERITIES):
            keys[f"{name}.{severity}.min"] = _COUNT
            keys[f"{name}.{severity}.max"] = _COUNT
        for severity in SEVERITIES:
            keys[f"{name}.{severity}.controls"] = _IDS
    keys.update((f"{_REVIEWED}.{severity}.min", _PERCENT) for severity in SEVERITIES)
    return keys


_KNOWN: dict[str, str] = _known_keys()
_DEEPEST_KEY = 3
_COUNTED = {SKIPPED_PROFILES_KEY: "profiles", OVERDUE_KEY: "findings", OVERDUE_SCANS_KEY: "places"}


@dataclass(frozen=True)
class Limit:
    """One limit: its key in dotted form, and a number or, for `controls`, the sorted ids that must be exactly those."""

    key: str
    value: Any

    @classmethod
    def parse(cls, key: str, value: Any, source: str) -> Limit:
        """:raises ScanError: `bad_threshold`, naming `source`, for an unknown key or a value that does not fit"""
        if key not in _KNOWN and not (key.startswith(_MUST_PASS_PREFIX) and key != _MUST_PASS_PREFIX):
            raise _bad(source, _unknown_key(key))
        return cls(key, _checked_value(key, value, source))

    @property
    def family(self) -> str:
        """The first word of its key."""
        return self.key.partition(".")[0]

    @property
    def is_of_run(self) -> bool:
        """Whether it is about the run, and neither about one profile's counts nor about one target."""
        return (
            self.key in (COVERAGE_KEY, NEW_FAILURES_KEY, OVERDUE_KEY, OVERDUE_SCANS_KEY) or self.is_must_pass
        )

    @property
    def is_of_target(self) -> bool:
        """Whether it is about one target, and no profile of it."""
        return self.key in (EVIDENCE_KEY, SKIPPED_PROFILES_KEY)

    @property
    def is_of_profile(self) -> bool:
        """Whether it is about one profile's counts."""
        return not self.is_of_run and not self.is_of_target

    @property
    def is_must_pass(self) -> bool:
        return self.key == MUST_PASS_KEY or self.key.startswith(_MUST_PASS_PREFIX)

    @property
    def must_pass_profile(self) -> str:
        """The profile whose controls must pass; empty where they may be any profile's."""
        return self.key[len(_MUST_PASS_PREFIX) :] if self.is_must_pass else ""

    @property
    def concerns(self) -> tuple[str, str]:
        """(status, severity) of the controls that the limit is about; empty where it is about all."""
        severity = self.key.partition(".")[2].partition(".")[0]
        return _STATUS_OF_NAME.get(self.family, ""), severity if severity in SEVERITIES else ""

    def find(self, profile: ProfileSummary) -> Any:
        """What the profile has where the limit looks: an exact percentage, a number, or sorted ids."""
        status, severity = self.concerns
        if self.family == _REVIEWED:
            return profile.reviewed(severity)
        if not status:
            return profile.counts.exact_compliance
        if _KNOWN[self.key] == _IDS:
            return sorted(profile.ids(status, severity))
        return profile.counts.table[status][severity] if severity else profile.counts.of(status)

    def is_met(self, found: Any) -> bool:
        if self._bound == "min":
            return bool(found >= exact(self.value))
        if self._bound == "max":
            return bool(found <= exact(self.value))
        return bool(found == self.value)

    def shown(self, found: Any) -> Any:
        """What was found, for people: a percentage that does not meet the limit is not rounded to it."""
        if not isinstance(found, Fraction):
            return found
        return rounded_up(found) if self._bound == "max" else rounded_down(found)

    @property
    def _bound(self) -> str:
        return self.key.rpartition(".")[2]

    def explain(self, found: Any, profile: ProfileSummary) -> str:
        """One sentence: the key, what was found, and what is allowed; with the controls where there are too many."""
        status, severity = self.concerns
        if _KNOWN[self.key] == _IDS:
            missing = [one for one in self.value if one not in found]
            surplus = [one for one in found if one not in self.value]
            parts = [
                part
                for part in (
                    missing and "missing " + shorten_ids(missing),
                    surplus and "not listed " + shorten_ids(surplus),
                )
                if part
            ]
            return "{}: must be exactly those listed: {}".format(self.key, "; ".join(parts))
        unit = "" if status else " %"
        which = ""
        if self.family == _REVIEWED:
            which = f" (not reviewed: {shorten_ids(profile.unread(severity))})"
        elif status and found > self.value:
            which = f" ({shorten_ids(profile.ids(status, severity))})"
        bound = _BOUND_WORDS.get(self._bound, "must be exactly")
        return f"{self.key}: found {self.shown(found)}{unit}{which}, {bound} {self.value}{unit}"


# Limits about what could not be judged: too few controls that were reviewed, too many that were not, or that ended in an error.
_ABOUT_WHAT_IS_KNOWN = frozenset(
    {
        _REVIEWED,
        *(name for name, status in _STATUS_OF_NAME.items() if status in (NOT_REVIEWED, PROFILE_ERROR)),
    }
)


def limits_schema() -> Schema:
    """Of a threshold's file: keys can be nested, dotted or both."""
    ids: Schema = {"type": "array", "items": {"type": "string"}, "uniqueItems": True}
    some_ids: Schema = {**ids, "minItems": 1}
    values: dict[str, Schema] = {
        _PERCENT: {"type": "number", "minimum": 0, "maximum": 100, "description": "a percentage"},
        _COUNT: {"type": "integer", "minimum": 0, "description": "a number"},
        _IDS: described(ids, "exactly these controls"),
        _GRADE: {"enum": list(GRADES), "description": "a grade of evidence"},
    }

    def below(path: tuple[str, ...]) -> Schema:
        """What a key with this path holds: the value of a limit, or a mapping of longer keys, or one of both."""
        longer = [key for key in map(_words, _KNOWN) if key[: len(path)] == path and len(key) > len(path)]
        names = dict.fromkeys(
            key[len(path) : end] for key in longer for end in range(len(path) + 1, len(key) + 1)
        )
        inner = closed_object({".".join(name): below((*path, *name)) for name in names}, least=1)
        key = ".".join(path)
        if key == MUST_PASS_KEY:
            by_profile = {"type": "object", "minProperties": 1, "additionalProperties": some_ids}
            return {"anyOf": [some_ids, by_profile], "description": "controls that passed wherever they are"}
        if key not in _KNOWN:
            return inner
        value: Schema = {"$ref": f"#/definitions/{_KNOWN[key]}"}
        return {"anyOf": [value, inner]} if names else value

    schema = below(())
    of_profile = f"^{re.escape(_MUST_PASS_PREFIX)}(?:.|\\s)"
    return {**schema, "definitions": values, "patternProperties": {of_profile: some_ids}}


def _words(key: str) -> tuple[str, ...]:
    return tuple(key.split("."))


def asks_for_more(key: str) -> bool:
    """Whether an unmet limit of this key says that too little is known of a target, and nothing against it."""
    return key in (EVIDENCE_KEY, SKIPPED_PROFILES_KEY) or key.partition(".")[0] in _ABOUT_WHAT_IS_KNOWN


def shorten_ids(ids: Sequence[str]) -> str:
    """The ids in a text: all, or the first ones and how many more there are."""
    more = len(ids) - _MOST_IDS_IN_TEXT
    return ", ".join(ids[:_MOST_IDS_IN_TEXT]) + (f" and {more} more" if more > 0 else "")


def parse_limits(content: Mapping[Any, Any], source: str) -> list[Limit]:
    """All limits of a threshold file's content, in its order.

    :raises ScanError: `bad_threshold` for an unknown key, a key that stands twice, or a value that does not fit
    """
    limits: dict[str, Limit] = {}
    for key, value in _leaves(content, (), source):
        if key in limits:
            raise _bad(source, f"{key} is given twice")
        limits[key] = Limit.parse(key, value, source)
    return list(limits.values())


def _leaves(content: Any, path: tuple[str, ...], source: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(content, Mapping):
        yield ".".join(path), content
        return
    if len(path) > _DEEPEST_KEY:
        raise _bad(source, _unknown_key(".".join(path)))
    if not content:
        raise _bad(source, "{} holds no limit".format(".".join(path)))
    for name, value in content.items():
        if not isinstance(name, str):
            raise _bad(source, "unknown key {}: keys are text".format(".".join((*path, str(name)))))
        yield from _leaves(value, (*path, name), source)


def _checked_value(key: str, value: Any, source: str) -> Any:
    kind = _KNOWN.get(key, _IDS)
    if kind == _IDS:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise _bad(source, f"{key} must be a list of control ids")
        if len(set(value)) != len(value):
            raise _bad(source, f"{key} names a control id twice")
        if not value and Limit(key, value).is_must_pass:
            raise _bad(source, f"{key} names no control")
        return sorted(value)
    if kind == _GRADE:
        if value not in GRADES:
            raise _bad(source, f"{key} must be one of {', '.join(GRADES)}, found {value!r}")
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise _bad(source, f"{key} must be a number, found {value!r}")
    if value < 0:
        raise _bad(source, f"{key} must not be negative, found {value}")
    if kind == _PERCENT and value > 100:
        raise _bad(source, f"{key} is a percentage and must not be above 100, found {value}")
    if kind == _COUNT and value != int(value):
        what = _COUNTED.get(key, "controls")
        raise _bad(source, f"{key} counts {what} and must be a whole number, found {value}")
    return int(value) if value == int(value) else value


def _unknown_key(key: str) -> str:
    """With the key that means the same, if that is clear: one that only looks alike can be a weaker limit."""
    meant = hint(key, _KNOWN)
    shown = one_line(key, _MOST_LETTERS_OF_KEY)
    return f"unknown key '{shown}'{asked(meant, 'expected')} a key such as compliance.min, failed.total.max or coverage.min"


def _bad(source: str, what: str) -> ScanError:
    return ScanError("bad_threshold", f"{source}: {what}", tried="read threshold")
