# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of what was expected was scanned: per cluster, and why the rest was not."""

from __future__ import annotations

from dataclasses import dataclass

from ...results.checked_json import JsonRecord
from .question import Question

_RUNS = """
SELECT r.cluster_id AS cluster_id, r.started AS at, r.run_id AS run_id, r.state AS stored,
  CASE WHEN r.not_scanned = 0 THEN 'scanned' WHEN r.scanned = 0 THEN 'not_scanned' ELSE 'partly_scanned' END AS state,
  r.gate AS gate, r.expected AS expected, r.scanned AS scanned, r.not_scanned AS not_scanned, r.not_judged AS not_judged,
  r.carried AS carried, r.refused AS why
FROM runs r
UNION ALL
SELECT x.cluster_id, y.started, x.run_id, CASE x.run_id WHEN '' THEN 'whole' ELSE 'half' END, x.state, x.gate,
  x.expected, x.scanned, x.expected - x.scanned, x.scanned - x.judged, x.carried,
  COALESCE(z.message, CASE x.run_id WHEN '' THEN '' ELSE 'the store has not taken this run' END)
FROM fleet_run_clusters x JOIN fleet_runs y ON y.id = x.fleet_run_id LEFT JOIN causes z ON z.id = x.cause_id
WHERE NOT EXISTS (SELECT 1 FROM runs r WHERE r.cluster_id = x.cluster_id AND r.run_id = x.run_id)
"""


@dataclass(frozen=True)
class ClusterCoverage(JsonRecord):
    """A cluster as its newest run has it, or its newest entry of a fleet run without one or with one that the store has not
    taken. `stored` is half where the store does not have all of the run. `scanned` counts what was `carried` over, too. `why` is
    the cause where there is no run, and what was refused of a run that is half there. `last_scanned` is the last time that
    something of the cluster was scanned."""

    cluster: str
    at: str
    run_id: str
    state: str
    stored: str
    gate: str
    expected: int
    scanned: int
    carried: int
    not_scanned: int
    not_judged: int
    why: str
    last_scanned: str | None


_SQL = f"""
SELECT c.name AS cluster, {{time(v.at)}} AS at, v.run_id AS run_id, v.state AS state, v.stored AS stored, v.gate AS gate,
  v.expected AS expected, v.scanned AS scanned, v.carried AS carried, v.not_scanned AS not_scanned,
  v.not_judged AS not_judged, v.why AS why,
  {{time((
    SELECT MAX(o.started) FROM runs o WHERE o.cluster_id = c.id AND o.scanned > 0 AND o.started <= {{now}}
  ))}} AS last_scanned
FROM (
  SELECT a.*, ROW_NUMBER() OVER (PARTITION BY a.cluster_id ORDER BY a.at DESC, a.run_id DESC) AS newest
  FROM ({_RUNS}) a WHERE a.at <= {{now}}
) v JOIN clusters c ON c.id = v.cluster_id
WHERE v.newest = 1 AND {{where}}
"""

COVERAGE = Question(
    name="coverage",
    purpose="how much of each cluster was scanned last",
    sql=_SQL,
    row=ClusterCoverage,
    parameters=("at", "cluster"),
    order="cluster",
    views={"coverage": ""},
    outer={},
)


@dataclass(frozen=True)
class Uncovered(JsonRecord):
    """A place of its cluster's newest run of which containers were not scanned, with the cause of the first; or a name of the
    run's selection that gave no target (then `place` is its kind and name)."""

    cluster: str
    namespace: str
    team: str
    place: str
    run_id: str
    at: str
    containers: int
    code: str
    reason: str
    message: str


_UNCOVERED = """
SELECT c.name AS cluster, n.name AS namespace, n.team AS team, n.environment AS environment, p.place AS place,
  r.run_id AS run_id, {time(r.started)} AS at, u.containers AS containers, z.code AS code, z.reason AS reason,
  z.message AS message
FROM not_scanned u JOIN runs r ON r.id = u.run_id JOIN causes z ON z.id = u.cause_id JOIN places p ON p.id = u.place_id
  JOIN namespaces n ON n.id = p.namespace_id JOIN clusters c ON c.id = n.cluster_id
WHERE r.id IN ({newest}) AND {where}
UNION ALL
SELECT c.name, g.namespace, COALESCE(n.team, ''), COALESCE(n.environment, ''), g.kind || ' ' || g.name, r.run_id,
  {time(r.started)}, 0, z.code, z.reason, z.message
FROM gaps g JOIN runs r ON r.id = g.run_id JOIN causes z ON z.id = g.cause_id JOIN clusters c ON c.id = r.cluster_id
  LEFT JOIN namespaces n ON n.cluster_id = c.id AND n.name = g.namespace
WHERE r.id IN ({newest}) AND {where}
""".replace(
    "{newest}",
    "SELECT w.id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY cluster_id ORDER BY started DESC, run_id DESC) AS newest"
    " FROM runs WHERE started <= {now}) w WHERE w.newest = 1",
)

NOT_SCANNED = Question(
    name="not_scanned",
    purpose="what was not scanned, and why",
    sql=_UNCOVERED,
    row=Uncovered,
    parameters=("at", "cluster", "namespace", "team", "environment"),
    order="cluster, place",
    views={"uncovered": ""},
    outer={},
)
