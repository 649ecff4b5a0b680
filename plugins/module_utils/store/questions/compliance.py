# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many controls had which status, over time: of the fleet, or of each cluster, namespace, team, workload, profile or control.

A row for each moment at which something changed; it holds until the next one of its group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...results.checked_json import JsonRecord
from ...results.status import STATUSES
from .question import Question, place_joins


@dataclass(frozen=True)
class CompliancePoint(JsonRecord):
    """`name` is the group's (empty for the fleet), `places` the number of its places that were scanned. `compliance` is the
    percentage of passed controls among those that apply; None where none does."""

    at: str
    name: str
    places: int
    passed: int
    failed: int
    not_reviewed: int
    not_applicable: int
    profile_error: int
    compliance: float | None


def _columns(of: str) -> str:
    return ", ".join(f"{of}.{status} AS {status}" for status in STATUSES)


# Each state of a place counts from its beginning until its end, or until the place is gone.
_OF_STATES = f"""
SELECT {{group}} AS name, i.since AS since, COALESCE(i.until, p.gone_at) AS until, 1 AS places, {_columns("s")}
FROM place_states i JOIN states s ON s.id = i.state_id {place_joins("i")} WHERE {{where}}
"""
_OF_PROFILES = f"""
SELECT y.name AS name, i.since AS since, COALESCE(i.until, p.gone_at) AS until, 1 AS places, {_columns("s")}
FROM place_states i JOIN state_profiles s ON s.state_id = i.state_id JOIN profiles y ON y.id = s.profile_id {place_joins("i")}
WHERE {{where}} AND {{profiles}}
"""


def _both_ends(intervals: str) -> str:
    """What counts from its beginning until its end, as two changes."""
    return f"""
      SELECT since AS at, name, places, {", ".join(STATUSES)} FROM ({intervals}) one
      UNION ALL
      SELECT until AS at, name, -places, {", ".join(f"-{status}" for status in STATUSES)} FROM ({intervals}) other
      WHERE until IS NOT NULL
"""


# A control passes on all places that its profile has judged, but for those of its findings; while a place's profile judges
# nothing, its findings last and are not counted. The numbers of places are added up by profile before they are those of each of
# its controls.
_JUDGED = f"""
SELECT {{end}} AS at, s.profile_id AS profile_id, {{sign}} * COUNT(*) AS places
FROM place_states i JOIN state_profiles s ON s.state_id = i.state_id {place_joins("i")}
WHERE {{where}} AND {{end}} IS NOT NULL GROUP BY s.profile_id, {{end}}
"""
_BEGUN = _JUDGED.replace("{end}", "i.since").replace("{sign}", "1")
_ENDED = _JUDGED.replace("{end}", "COALESCE(i.until, p.gone_at)").replace("{sign}", "-1")
_NAME = "k.profile || ' ' || k.control"


def _instead_of_passed(sign: int) -> str:
    """The numbers of a control that did not pass on one place."""
    one = (
        f"CASE f.status WHEN '{status}' THEN {sign} ELSE 0 END AS {status}"
        for status in STATUSES
        if status != "passed"
    )
    return f"0 AS places, {-sign} AS passed, {', '.join(one)}"


_OF_FINDINGS = f"""
SELECT {_NAME} AS name, f.since AS since, COALESCE(f.until, p.gone_at) AS until, {_instead_of_passed(1)}
FROM findings f {place_joins("f")} JOIN controls k ON k.id = f.control_id WHERE {{where}} AND {{controls}}
UNION ALL
SELECT {_NAME}, CASE WHEN f.since > i.since THEN f.since ELSE i.since END,
  CASE WHEN f.until < COALESCE(i.until, f.until + 1) THEN f.until ELSE COALESCE(i.until, p.gone_at) END, {_instead_of_passed(-1)}
FROM (
  SELECT s.id AS state_id, y.name AS profile FROM states s CROSS JOIN (SELECT DISTINCT name FROM profiles) y
  WHERE NOT EXISTS (SELECT 1 FROM state_profiles x JOIN profiles z ON z.id = x.profile_id
    WHERE x.state_id = s.id AND z.name = y.name)
) u JOIN place_states i ON i.state_id = u.state_id
JOIN findings f ON f.place_id = i.place_id AND (f.until IS NULL OR i.since < f.until) AND (i.until IS NULL OR i.until > f.since)
{place_joins("f")} JOIN controls k ON k.id = f.control_id AND k.profile = u.profile WHERE {{where}} AND {{controls}}
"""
_OF_CONTROLS = f"""
SELECT j.at AS at, {_NAME} AS name, j.places AS places, j.places AS passed, 0 AS failed, 0 AS not_reviewed, 0 AS not_applicable,
  0 AS profile_error
FROM (SELECT at, profile_id, SUM(places) AS places FROM ({_BEGUN} UNION ALL {_ENDED}) e GROUP BY at, profile_id) j
JOIN control_texts t ON t.profile_id = j.profile_id JOIN controls k ON k.id = t.control_id WHERE {{controls}} AND j.places <> 0
UNION ALL {_both_ends(_OF_FINDINGS)}
"""

_SUMS = ", ".join(f"SUM({name}) AS {name}" for name in ("places", *STATUSES))
_SO_FAR = ", ".join(
    f"SUM({name}) OVER (PARTITION BY name ORDER BY at) AS {name}" for name in ("places", *STATUSES)
)
_SQL = f"""
SELECT {{time(z.at)}} AS at, z.name AS name, {", ".join(f"z.{name} AS {name}" for name in ("places", *STATUSES))},
  CASE WHEN z.passed + z.failed + z.not_reviewed + z.profile_error > 0 THEN
    ROUND(100.0 * z.passed / (z.passed + z.failed + z.not_reviewed + z.profile_error), 2) END AS compliance
FROM (
  SELECT at, name, {_SO_FAR} FROM (
    SELECT at, name, {_SUMS} FROM (
      {{steps}}
    ) steps GROUP BY at, name
  ) changes
) z
"""

_GROUPS: Mapping[str, str] = {
    "fleet": "''",
    "cluster": "c.name",
    "namespace": "c.name || '/' || n.name",
    "team": "n.team",
    "workload": "c.name || '/' || n.name || '/' || p.workload_kind || '/' || p.workload",
}
_BY: Mapping[str, Mapping[str, str]] = {
    **{name: {"steps": _both_ends(_OF_STATES.replace("{group}", sql))} for name, sql in _GROUPS.items()},
    "profile": {"steps": _both_ends(_OF_PROFILES)},
    "control": {"steps": _OF_CONTROLS},
}

COMPLIANCE = Question(
    name="compliance_over_time",
    purpose="how many controls passed, over time; `by` names the groups",
    sql=_SQL,
    row=CompliancePoint,
    parameters=(
        "by", "since", "until", "cluster", "namespace", "team", "environment", "workload", "place", "profile", "control",
    ),
    order="at, name",
    views={f"compliance_by_{name}" if name != "fleet" else "compliance_of_fleet": name for name in _BY},
    outer={"since": "at >= :since", "until": "at <= :until"},
    by=_BY,
    inner={
        "profiles": {"profile": "y.name = :profile"},
        "controls": {"profile": "k.profile = :profile", "control": "k.control = :control"},
    },
)  # fmt: skip
