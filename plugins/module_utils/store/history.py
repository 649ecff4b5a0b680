# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page shows of the past: the points of a trend, and the lives of findings."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import groupby
from typing import Any

from ..results.history import FindingLife, TrendPoint
from ..results.status import SEVERITIES, STATUSES
from ..times import api_time
from .database import Row
from .questions.question import deadline_join, place_joins
from .state import LASTING_STATUSES
from .store import Store

_DAY = 86_400
_NEW_DAYS = 7


def _time(seconds: int | None) -> str:
    return "" if seconds is None else api_time(datetime.fromtimestamp(seconds, timezone.utc))


@dataclass
class _Steps:
    """Numbers that change at moments, and hold until the next one."""

    times: list[int] = field(default_factory=list)
    values: list[Mapping[str, int]] = field(default_factory=list)

    def at(self, moment: int) -> Mapping[str, int]:
        place = bisect_right(self.times, moment)
        return self.values[place - 1] if place else {}


class StoreHistory:
    """`History` over a store. One point a day for each cluster, of its last run that day."""

    def __init__(self, store: Store, since: int | None = None) -> None:
        """:param since: when what is new began; without it seven days before the newest run"""
        self._store = store
        self._since = since

    @property
    def since(self) -> str:
        """The time (RFC 3339) since which something counts as new or as fixed; empty for an empty store."""
        return _time(self._start())

    def _start(self) -> int | None:
        if self._since is None:
            with self._store.database.read() as work:
                newest = work.value("SELECT MAX(started) FROM runs")
            self._since = None if newest is None else newest - _NEW_DAYS * _DAY
        return self._since

    def trend(self, clusters: Iterable[str]) -> Iterable[TrendPoint]:
        """Points of these clusters, and those of the fleet (with an empty cluster), in the order of time."""
        names = sorted(set(clusters))
        runs = self._runs(names)
        controls = _steps(self._changes(_CONTROLS, names))
        findings = _steps(self._changes(_FINDINGS, names))
        overdue = _steps(self._changes(_OVERDUE, names))
        latest: dict[str, TrendPoint] = {}
        points = []
        for _day, of_day in groupby(runs, key=lambda row: int(row["started"]) // _DAY):
            rows = list(of_day)
            for row in {row["cluster"]: row for row in rows}.values():
                name, at = str(row["cluster"]), int(row["started"])
                empty = _Steps()
                point = TrendPoint(
                    at=_time(at),
                    cluster=name,
                    expected=row["expected"],
                    scanned=row["scanned"],
                    judged=row["scanned"] - row["not_judged"],
                    controls=_filled(controls.get(name, empty).at(at), STATUSES),
                    open_findings=_filled(findings.get(name, empty).at(at), SEVERITIES),
                    overdue=overdue.get(name, empty).at(at).get("overdue", 0),
                )
                latest[name] = point
                points.append(point)
            points.append(_sum(latest.values(), _time(int(rows[-1]["started"]))))
        return points

    def _runs(self, clusters: Sequence[str]) -> list[Row]:
        """By time."""
        with self._store.database.read("read the trend") as work:
            rows = work.rows(
                "SELECT c.name AS cluster, r.started, r.run_id, r.expected, r.scanned, r.not_judged"
                " FROM runs r JOIN clusters c ON c.id = r.cluster_id WHERE c.name IN :clusters",
                clusters=list(clusters),
            )
        return sorted(rows, key=lambda row: (row["started"], row["cluster"], row["run_id"]))

    def _changes(self, sql: str, clusters: Sequence[str]) -> list[tuple[str, int, str, int]]:
        """(cluster, time, name, difference)"""
        with self._store.database.read("read the trend") as work:
            rows = work.rows(sql, clusters=list(clusters))
        return [(row["cluster"], int(row["at"]), row["name"], int(row["number"])) for row in rows]

    def lives(self, clusters: Iterable[str]) -> Iterator[FindingLife]:
        """What is open on places of these clusters, and what was closed since `since`."""
        start = self._start() or 0
        with self._store.database.read("read the lives of findings") as work:
            now = int(work.value(f"SELECT {self._store.database.now}"))
            rows = work.rows(_LIVES, clusters=sorted(set(clusters)), start=start)
        rows.sort(key=lambda row: (row["place"], row["control_id"], row["since"]))
        for _key, of_one in groupby(rows, key=lambda row: (row["place"], row["control_id"])):
            life = _life(list(of_one), now)
            if life is not None:
                yield life


def _life(rows: Sequence[Row], now: int) -> FindingLife | None:
    """:param rows: the intervals of one control on one place, by time; None where it was never open"""
    opened = [row for row in rows if row["opened"] is not None]
    if not opened:
        return None
    last = opened[-1]
    changes: list[tuple[str, str]] = []
    for row in rows:
        changes.append((_time(row["since"]), row["status"]))
        if row["until"] is not None and row["became"] not in (
            None,
            "gone",
            "absent",
            *LASTING_STATUSES,
        ):
            changes.append((_time(row["until"]), row["became"]))
    closed = None if last["became"] in LASTING_STATUSES else last["until"]
    due = None if last["seconds"] is None else last["opened"] + last["seconds"]
    return FindingLife(
        place_id=last["place"],
        profile=last["profile"],
        control_id=last["control"],
        severity=last["severity"],
        opened=_time(last["opened"]),
        closed=_time(closed),
        due=_time(due),
        overdue=due is not None and closed is None and due < now,
        reopened=sum(row["began"] == "reopened" for row in rows),
        changes=tuple(dict.fromkeys(changes)),
    )


def _steps(changes: Iterable[tuple[str, int, str, int]]) -> dict[str, _Steps]:
    """By cluster."""
    found: dict[str, _Steps] = {}
    sums: dict[str, dict[str, int]] = {}
    for cluster, at, name, number in sorted(changes):
        steps, so_far = found.setdefault(cluster, _Steps()), sums.setdefault(cluster, {})
        so_far[name] = so_far.get(name, 0) + number
        if steps.times and steps.times[-1] == at:
            steps.values[-1] = dict(so_far)
        else:
            steps.times.append(at)
            steps.values.append(dict(so_far))
    return found


def _filled(values: Mapping[str, int], names: Sequence[str]) -> dict[str, int]:
    return {name: values.get(name, 0) for name in names}


def _sum(points: Iterable[TrendPoint], at: str) -> TrendPoint:
    """The point of the fleet: the newest of each of its clusters."""
    found = list(points)

    def total(values: Iterable[Mapping[str, int]], names: Sequence[str]) -> dict[str, int]:
        given = list(values)
        return {name: sum(value[name] for value in given) for name in names}

    return TrendPoint(
        at=at,
        cluster="",
        expected=sum(point.expected for point in found),
        scanned=sum(point.scanned for point in found),
        judged=sum(point.judged for point in found),
        controls=total((point.controls for point in found), STATUSES),
        open_findings=total((point.open_findings for point in found), SEVERITIES),
        overdue=sum(point.overdue for point in found),
    )


def _both_ends(select: Any) -> str:
    """:param select: SQL of (cluster, since, until, name, number), each counting from its beginning until its end"""
    return (
        f"SELECT cluster, since AS at, name, SUM(number) AS number FROM ({select}) one GROUP BY cluster, since, name"
        f" UNION ALL SELECT cluster, until, name, -SUM(number) FROM ({select}) other"
        " WHERE until IS NOT NULL GROUP BY cluster, until, name"
    )


_CONTROLS = _both_ends(
    " UNION ALL ".join(
        f"SELECT c.name AS cluster, i.since AS since, COALESCE(i.until, p.gone_at) AS until, '{status}' AS name,"
        f" s.{status} AS number FROM place_states i JOIN states s ON s.id = i.state_id {place_joins('i')}"
        " WHERE c.name IN :clusters"
        for status in STATUSES
    )
)
_FINDINGS = _both_ends(
    "SELECT c.name AS cluster, f.since AS since, COALESCE(f.until, p.gone_at) AS until, f.severity AS name, 1 AS number"
    f" FROM findings f {place_joins('f')} WHERE f.opened IS NOT NULL AND c.name IN :clusters"
)
_OVERDUE = _both_ends(
    "SELECT * FROM (SELECT c.name AS cluster, CASE WHEN f.opened + d.seconds > f.since THEN f.opened + d.seconds + 1"
    " ELSE f.since END AS since, COALESCE(f.until, p.gone_at) AS until, 'overdue' AS name, 1 AS number"
    f" FROM findings f {place_joins('f')} {deadline_join('f.severity')}"
    " WHERE f.opened IS NOT NULL AND d.seconds IS NOT NULL AND c.name IN :clusters) o WHERE until IS NULL OR until > since"
)
_LIVES = (
    "SELECT p.place, f.control_id, k.profile, k.control, f.severity, f.status, f.since, COALESCE(f.until, p.gone_at) AS until,"
    " f.opened, f.began, CASE WHEN f.until IS NULL AND p.gone_at IS NOT NULL THEN 'gone' ELSE f.became END AS became, d.seconds"
    f" FROM findings f {place_joins('f')} JOIN controls k ON k.id = f.control_id {deadline_join('f.severity')}"
    " WHERE c.name IN :clusters AND EXISTS (SELECT 1 FROM findings o WHERE o.place_id = f.place_id AND"
    " o.control_id = f.control_id AND o.opened IS NOT NULL AND (COALESCE(o.until, p.gone_at) IS NULL"
    " OR COALESCE(o.until, p.gone_at) >= :start))"
)
