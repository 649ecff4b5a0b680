# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is open at a moment: each control that fails, or cannot be judged for an error, on each place that is there."""

from __future__ import annotations

from dataclasses import dataclass

from ...results.checked_json import JsonRecord
from .question import PLACE_COLUMNS, THERE, TITLE, Question, deadline_join, place_joins


@dataclass(frozen=True)
class OpenFinding(JsonRecord):
    """`opened` is since when it is open without a break, `since` since when with this status. `seen` is when the place was looked
    at last until now. `due` is empty without a deadline. `containers`: on how many containers of the place."""

    cluster: str
    namespace: str
    team: str
    environment: str
    workload_kind: str
    workload: str
    container: str
    place: str
    profile: str
    control: str
    title: str
    severity: str
    status: str
    containers: int
    said: str
    began: str
    opened: str
    since: str
    seen: str
    due: str | None
    overdue: int


_SQL = f"""
SELECT {PLACE_COLUMNS}, k.profile AS profile, k.control AS control, {TITLE} AS title, f.severity AS severity, f.status AS status,
  f.containers AS containers, f.said AS said, f.began AS began, {{time(f.opened)}} AS opened, {{time(f.since)}} AS since,
  {{time(p.last_seen)}} AS seen, {{time(f.opened + d.seconds)}} AS due,
  CASE WHEN f.opened + d.seconds < {{now}} THEN 1 ELSE 0 END AS overdue,
  CASE f.severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END AS severity_rank
FROM findings f {place_joins("f")} JOIN controls k ON k.id = f.control_id {deadline_join("f.severity")}
WHERE f.opened IS NOT NULL AND f.since <= {{now}} AND (f.until IS NULL OR f.until > {{now}}) AND {THERE} AND {{where}}
"""
_PARAMETERS = (
    "cluster", "namespace", "team", "environment", "workload", "place", "profile", "control", "severity",
)  # fmt: skip
_ORDER = "severity_rank, profile, control, place"

OPEN_NOW = Question(
    name="open_now",
    purpose="what is open now",
    sql=_SQL,
    row=OpenFinding,
    parameters=_PARAMETERS,
    order=_ORDER,
    views={"open_now": ""},
    outer={},
)
OPEN_AT = Question(
    name="open_at",
    purpose="what was open at a moment",
    sql=_SQL,
    row=OpenFinding,
    parameters=("at", *_PARAMETERS),
    order=_ORDER,
    views={},
    outer={},
    needs=("at",),
)
