# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Common Event Format, as SIEMs read it: CEF:0|vendor|product|version|control|title|severity|key=value ...

    Passed, Not Applicable   severity 0; `outcome` success, and unknown
    Failed                   severity 10, 8, 5, 3 or 1, by the control's; `outcome` failure
    Not Reviewed             severity 3; `outcome` unknown
    Profile Error            as Failed; `outcome` unknown

`cat` has our own word for each, with waived and attested.
"""

from __future__ import annotations

import re

from ..reports.event import ControlStatus, EventSource, event_time, not_seen
from ..reports.event_text import line_text, name_text
from ..results.status import FAILED, NOT_REVIEWED, PASSED, PROFILE_ERROR
from ..results.verdicts import TargetVerdicts, Verdict
from ..safe_text import one_line

_SEVERITIES = {"critical": 10, "high": 8, "medium": 5, "low": 3, "none": 1}
_OUTCOMES = {PASSED: "success", FAILED: "failure"}
_HEADER = re.compile(r"[\\|]")
_VALUE = re.compile(r"[\\=]")
_MAX_MESSAGE = 1023


def cef_text(source: EventSource, target: TargetVerdicts, verdict: Verdict | None, activity: str) -> str:
    """One line."""
    told = verdict or not_seen(target)
    about, record, status = told.about, target.record, ControlStatus.of(told, activity)
    head = (
        "CEF:0",
        "securescan",
        "kubernetes",
        name_text(source.version),
        name_text(about.id),
        line_text(about.title) or name_text(about.id),
        str(_severity(told)),
    )
    values = {
        "rt": str(int(event_time(source, target).timestamp() * 1000)),
        "act": activity,
        "cat": status.words,
        "outcome": _OUTCOMES.get(told.status, "unknown"),
        "externalId": told.fingerprint(record.place_id),
        "dvchost": name_text(record.cluster or source.cluster),
        "dhost": name_text(record.node),
        "msg": one_line(told.text, _MAX_MESSAGE),
        "cs1Label": "profile",
        "cs1": name_text(about.profile),
        "cs2Label": "target",
        "cs2": line_text(record.target_id),
        "cs3Label": "image",
        "cs3": line_text(record.image),
        "cs4Label": "place",
        "cs4": line_text(record.place_id),
        "cs5Label": "run",
        "cs5": name_text(source.run_id),
    }
    said = " ".join(f"{name}={_VALUE.sub(_escaped, value)}" for name, value in values.items() if value)
    first, *others = (_HEADER.sub(_escaped, part) for part in head)
    return "|".join([first, *others, said])


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found.group()}"


def _severity(verdict: Verdict) -> int:
    if verdict.status in (FAILED, PROFILE_ERROR):
        return _SEVERITIES[verdict.about.severity]
    return _SEVERITIES["low"] if verdict.status == NOT_REVIEWED else 0
