# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an image runs, and what became of one place."""

from __future__ import annotations

from dataclasses import dataclass

from ...results.checked_json import JsonRecord
from .question import PLACE_COLUMNS, THERE, Question, place_joins


@dataclass(frozen=True)
class ImagePlace(JsonRecord):
    """A place that runs the image, and its counts. `since` is since when it is in this state."""

    image: str
    digest: str
    cluster: str
    namespace: str
    team: str
    place: str
    containers: int
    since: str
    seen: str
    failed: int
    profile_error: int
    not_reviewed: int
    worst_failed: str
    evidence: str


_SQL = f"""
SELECT m.image AS image, m.digest AS digest, {PLACE_COLUMNS}, s.containers AS containers, {{time(i.since)}} AS since,
  {{time(p.last_seen)}} AS seen, s.failed AS failed, s.profile_error AS profile_error, s.not_reviewed AS not_reviewed,
  s.worst_failed AS worst_failed, s.evidence AS evidence
FROM place_states i JOIN states s ON s.id = i.state_id JOIN state_images g ON g.state_id = s.id JOIN images m ON m.id = g.image_id
{place_joins("i")}
WHERE i.since <= {{now}} AND (i.until IS NULL OR i.until > {{now}}) AND {THERE} AND {{where}}
"""

IMAGE_PLACES = Question(
    name="image_places",
    purpose="which places run an image (its reference, the beginning of it, or its digest)",
    sql=_SQL,
    row=ImagePlace,
    parameters=("image", "at", "cluster", "namespace", "team", "environment"),
    order="image, digest, place",
    views={"image_places": ""},
    outer={"image": "(digest = :image OR substr(image, 1, length(:image)) = :image)"},
)


@dataclass(frozen=True)
class PlaceChange(JsonRecord):
    """A control on the place with one status other than passed, from `since` until `until` (None: still). `became` is what it
    was afterwards."""

    since: str
    until: str | None
    place: str
    profile: str
    control: str
    severity: str
    status: str
    waived: int
    began: str
    became: str | None
    containers: int
    said: str


_HISTORY = f"""
SELECT {{time(f.since)}} AS since, {{time(COALESCE(f.until, p.gone_at))}} AS until, {PLACE_COLUMNS}, k.profile AS profile,
  k.control AS control, f.severity AS severity, f.status AS status, f.waived AS waived,
  f.began AS began, CASE WHEN f.until IS NULL AND p.gone_at IS NOT NULL THEN 'gone' ELSE f.became END AS became,
  f.containers AS containers,
  f.said AS said
FROM findings f {place_joins("f")} JOIN controls k ON k.id = f.control_id
WHERE {{where}}
"""

PLACE_HISTORY = Question(
    name="place_history",
    purpose="what became of the controls of one place",
    sql=_HISTORY,
    row=PlaceChange,
    parameters=("place", "since", "until", "team", "profile", "control", "severity"),
    order="since, profile, control",
    views={"place_histories": ""},
    outer={"since": "(until IS NULL OR until > :since)", "until": "since <= :until"},
    needs=("place",),
)


@dataclass(frozen=True)
class StoredRun(JsonRecord):
    """A run of the store. `state` is half while places of it are missing; `refused` says why, a line for each of the first."""

    cluster: str
    run_id: str
    started: str
    finished: str
    state: str
    gate: str
    expected: int
    scanned: int
    not_scanned: int
    not_judged: int
    carried: int
    documents: int
    refused: str


_RUNS = """
SELECT c.name AS cluster, r.run_id AS run_id, {time(r.started)} AS started, {time(r.finished)} AS finished, r.state AS state,
  r.gate AS gate, r.expected AS expected, r.scanned AS scanned, r.not_scanned AS not_scanned, r.not_judged AS not_judged,
  r.carried AS carried, COALESCE(x.documents, 0) AS documents, r.refused AS refused
FROM runs r JOIN clusters c ON c.id = r.cluster_id
LEFT JOIN (SELECT run_id, COUNT(*) AS documents FROM documents GROUP BY run_id) x ON x.run_id = r.id
WHERE {where}
"""

RUNS = Question(
    name="runs",
    purpose="which runs the store has",
    sql=_RUNS,
    row=StoredRun,
    parameters=("cluster", "since", "until"),
    order="started DESC, cluster, run_id",
    views={"stored_runs": ""},
    outer={"since": "started >= :since", "until": "started <= :until"},
)
