# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was opened, changed, fixed, closed otherwise or opened again, and when."""

from __future__ import annotations

from dataclasses import dataclass

from ...results.checked_json import JsonRecord
from ..state import LASTING_STATUSES
from .question import PLACE_COLUMNS, Question, place_joins


@dataclass(frozen=True)
class FindingChange(JsonRecord):
    """`change` is opened, reopened, changed, fixed or closed. `status` is what the control had since then: passed where it was
    fixed; not_applicable, absent (its profile has it no more) or gone (its place is) where it was closed."""

    at: str
    change: str
    cluster: str
    namespace: str
    team: str
    place: str
    profile: str
    control: str
    severity: str
    status: str
    said: str


_LASTING = ", ".join(f"'{status}'" for status in LASTING_STATUSES)
_SQL = f"""
SELECT {{time(e.at)}} AS at, e.what AS change, {PLACE_COLUMNS}, k.profile AS profile, k.control AS control,
  f.severity AS severity, e.status AS status, CASE WHEN e.what IN ('fixed', 'closed') THEN '' ELSE f.said END AS said
FROM (
  SELECT place_id, control_id, since, since AS at, began AS what, status AS status FROM findings WHERE opened IS NOT NULL
  UNION ALL
  SELECT place_id, control_id, since, until, CASE became WHEN 'passed' THEN 'fixed' ELSE 'closed' END, became
  FROM findings WHERE opened IS NOT NULL AND until IS NOT NULL AND became NOT IN ({_LASTING})
  UNION ALL
  SELECT f.place_id, f.control_id, f.since, p.gone_at, 'closed', 'gone' FROM findings f JOIN places p ON p.id = f.place_id
  WHERE f.opened IS NOT NULL AND f.until IS NULL AND p.gone_at IS NOT NULL
) e JOIN findings f ON f.place_id = e.place_id AND f.control_id = e.control_id AND f.since = e.since
{place_joins("f")} JOIN controls k ON k.id = f.control_id
WHERE {{where}}
"""

CHANGES = Question(
    name="changes",
    purpose="what was opened, fixed and opened again between two moments",
    sql=_SQL,
    row=FindingChange,
    parameters=(
        "since", "until", "cluster", "namespace", "team", "environment", "place", "profile", "control", "severity",
    ),
    order="at, place, profile, control",
    views={"finding_changes": ""},
    outer={"since": "at >= :since", "until": "at <= :until"},
)  # fmt: skip
