# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How old the newest result of each place is, and whether that is too old."""

from __future__ import annotations

from dataclasses import dataclass

from ...results.checked_json import JsonRecord
from .question import PLACE_COLUMNS, THERE, Question, deadline_join, place_joins


@dataclass(frozen=True)
class PlaceAge(JsonRecord):
    """`seen` is when its newest facts were collected, None where it was never scanned; `age` is in seconds, since then or since
    the place is known. `due` is None without a deadline."""

    cluster: str
    namespace: str
    team: str
    environment: str
    place: str
    seen: str | None
    age: int
    due: str | None
    overdue: int


_SINCE = "COALESCE({last_seen}, p.first_present)"
_SQL = f"""
SELECT {PLACE_COLUMNS}, {{time({{last_seen}})}} AS seen, {{now}} - {_SINCE} AS age, {{time({_SINCE} + d.seconds)}} AS due,
  CASE WHEN {_SINCE} + d.seconds < {{now}} THEN 1 ELSE 0 END AS overdue
FROM places p JOIN namespaces n ON n.id = p.namespace_id JOIN clusters c ON c.id = n.cluster_id {deadline_join("'scan'")}
{{scans}} WHERE {THERE} AND {{where}}
"""

AGE = Question(
    name="age",
    purpose="how old the newest result of each place is, and what is overdue",
    sql=_SQL,
    row=PlaceAge,
    parameters=("at", "cluster", "namespace", "team", "environment", "workload", "place"),
    order="overdue DESC, age DESC, place",
    views={"place_ages": ""},
    outer={},
)


@dataclass(frozen=True)
class TimeToFix(JsonRecord):
    """Findings of one severity that were fixed: how many, and the seconds that it took them: the mean, and what half and nine
    tenths of them stayed below. `open` is the number of those that are open now, `oldest` the seconds of the oldest of them."""

    severity: str
    fixed: int
    mean: float | None
    half: int | None
    nine_tenths: int | None
    longest: int | None
    open: int
    oldest: int | None


_FIX_SQL = f"""
SELECT s.severity AS severity, COALESCE(x.fixed, 0) AS fixed, x.mean AS mean, x.half AS half, x.nine_tenths AS nine_tenths,
  x.longest AS longest, COALESCE(o.open, 0) AS open, o.oldest AS oldest, s.rank AS rank
FROM (SELECT 'critical' AS severity, 0 AS rank UNION ALL SELECT 'high', 1 UNION ALL SELECT 'medium', 2 UNION ALL SELECT 'low', 3
  UNION ALL SELECT 'none', 4) s
LEFT JOIN (
  SELECT severity, COUNT(*) AS fixed, AVG(took) AS mean, MAX(CASE WHEN number = (number_of + 1) / 2 THEN took END) AS half,
    MAX(CASE WHEN number = (number_of * 9 + 9) / 10 THEN took END) AS nine_tenths, MAX(took) AS longest
  FROM (
    SELECT f.severity AS severity, f.until - f.opened AS took,
      ROW_NUMBER() OVER (PARTITION BY f.severity ORDER BY f.until - f.opened) AS number,
      COUNT(*) OVER (PARTITION BY f.severity) AS number_of
    FROM findings f {place_joins("f")} JOIN controls k ON k.id = f.control_id
    WHERE f.opened IS NOT NULL AND f.became = 'passed' AND {{fixed_between}} AND {{where}}
  ) t GROUP BY severity
) x ON x.severity = s.severity
LEFT JOIN (
  SELECT f.severity AS severity, COUNT(*) AS open, {{now}} - MIN(f.opened) AS oldest
  FROM findings f {place_joins("f")} JOIN controls k ON k.id = f.control_id
  WHERE f.opened IS NOT NULL AND f.until IS NULL AND {THERE} AND {{where}} GROUP BY f.severity
) o ON o.severity = s.severity
"""

TIME_TO_FIX = Question(
    name="time_to_fix",
    purpose="how long findings of each severity took to be fixed",
    sql=_FIX_SQL,
    row=TimeToFix,
    parameters=("since", "until", "cluster", "namespace", "team", "environment", "profile", "control"),
    order="rank",
    views={"time_to_fix": ""},
    outer={},
    inner={"fixed_between": {"since": "f.until >= :since", "until": "f.until <= :until"}},
)
