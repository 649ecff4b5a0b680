# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a question to a store is made of.

A question is one SELECT with holes: {now} is the moment that it is about, {where} what it is narrowed to, {last_seen} (with the
join {scans}) when a place was looked at last until then, and {time(x)} makes a time of a number. As a view it is about the
present, of everything; a question with `at` or `team` is the same statement with these filled in. So a view and a question cannot
mean different things.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from typing import Any

from ...errors import ScanError
from ...results.checked_json import JsonRecord
from ...results.status import SEVERITIES
from ...suggestions import unknown_name
from ...times import api_time, in_utc
from ..database import Database

_TIME = re.compile(r"\{time\((.*?)\)\}", re.DOTALL)
# Of a place with its namespace and cluster, as p, n and c.
PLACE_COLUMNS = (
    "c.name AS cluster, n.name AS namespace, n.team AS team, n.environment AS environment, "
    "p.workload_kind AS workload_kind, p.workload AS workload, p.container AS container, p.place AS place"
)
# That a place was there at the moment.
THERE = "p.first_present <= {now} AND (p.gone_at IS NULL OR p.gone_at > {now})"
# When the newest facts of a place were collected: as it is now, and of the scans until a moment, which a question joins.
_LAST_SEEN = "p.last_seen"
_SEEN_UNTIL = (
    "LEFT JOIN (SELECT s.place_id AS place_id, MAX(s.seen) AS seen FROM scans s JOIN runs r ON r.id = s.run_id"
    " WHERE r.started <= :at GROUP BY s.place_id) v ON v.place_id = p.id"
)
TITLE = "COALESCE((SELECT t.title FROM control_texts t WHERE t.control_id = k.id ORDER BY t.profile_id DESC LIMIT 1), '')"

# What a question can be narrowed to, and by which condition.
CONDITIONS: Mapping[str, str] = {
    "cluster": "c.name = :cluster",
    "namespace": "n.name = :namespace",
    "team": "n.team = :team",
    "environment": "n.environment = :environment",
    "workload": "p.workload = :workload",
    "place": "p.place = :place",
    "profile": "k.profile = :profile",
    "control": "k.control = :control",
    "severity": "f.severity = :severity",
}


def place_joins(of: str) -> str:
    """To the place of a row, its namespace and cluster."""
    return (
        f"JOIN places p ON p.id = {of}.place_id JOIN namespaces n ON n.id = p.namespace_id"
        " JOIN clusters c ON c.id = n.cluster_id"
    )


def deadline_join(kind: str) -> str:
    """To the deadline of the namespace's environment, as d; to the one for all where the policy does not know it."""
    return (
        f"LEFT JOIN deadlines d ON d.kind = {kind} AND d.environment = CASE WHEN EXISTS"
        " (SELECT 1 FROM deadlines e WHERE e.environment = n.environment) THEN n.environment ELSE '' END"
    )


@dataclass(frozen=True)
class Asked:
    """What somebody asks for. Times are seconds since 1970; None and the empty text mean everything. `limit` is the most rows."""

    at: int | None = None
    since: int | None = None
    until: int | None = None
    cluster: str = ""
    namespace: str = ""
    team: str = ""
    environment: str = ""
    workload: str = ""
    place: str = ""
    profile: str = ""
    control: str = ""
    severity: str = ""
    image: str = ""
    by: str = ""
    limit: int = 1000

    def given(self) -> dict[str, Any]:
        """The parameters that are given, without the limit."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "limit"}
        return {name: value for name, value in values.items() if value not in ("", None)}


@dataclass(frozen=True)
class Question:
    """`sql` is the statement with its holes, `row` the class of its rows, whose fields are its columns. `parameters` are those of
    `Asked` that it knows, `outer` conditions on its own columns for the ones that are given, `order` the columns of its order.
    `views` maps a view's name to the value of `by` that it is about. `by` fills holes of its own by that value, `inner` others by
    conditions for the parameters that are given."""

    name: str
    purpose: str
    sql: str
    row: type[JsonRecord]
    parameters: tuple[str, ...]
    order: str
    views: Mapping[str, str]
    outer: Mapping[str, str]
    needs: tuple[str, ...] = ()
    by: Mapping[str, Mapping[str, str]] | None = None
    inner: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def check(self, asked: Asked) -> None:
        """:raises ScanError: bad_option, for a parameter that it does not know, or lacks"""
        for name in asked.given():
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise _bad(f"the query {self.name} has no parameter {name}; it has: {known}")
        for name in self.needs:
            if name not in asked.given():
                raise _bad(f"the query {self.name} needs {name}")
        if asked.severity and asked.severity not in SEVERITIES:
            raise _bad(unknown_name("severity", asked.severity[:100], SEVERITIES))
        if self.by is not None and asked.by and asked.by not in self.by:
            raise _bad(unknown_name("grouping", asked.by[:100], self.by))
        self._check_inner(asked)

    def _check_inner(self, asked: Asked) -> None:
        """A condition that has no place in a grouping would be ignored."""
        if self.by is None:
            return
        by = asked.by or next(iter(self.by))
        text = self.sql + "".join(self.by[by].values())
        for name in asked.given():
            holes = [hole for hole, conditions in self.inner.items() if name in conditions]
            if holes and not any("{" + hole + "}" in text for hole in holes):
                raise _bad(f"the query {self.name} by {by} cannot be narrowed to a {name}")

    def statement(self, database: Database, asked: Asked) -> tuple[str, dict[str, Any]]:
        """SQL and its parameters."""
        given = asked.given()
        taken = {name for conditions in self.inner.values() for name in conditions}
        conditions = [text for name, text in CONDITIONS.items() if name in given and name not in taken]
        now = ":at" if "at" in given else database.now
        inner = self._filled(database, asked.by, now, _all_of(conditions), given)
        outer = [self.outer[name] for name in given if name in self.outer]
        where = f" WHERE {' AND '.join(outer)}" if outer else ""
        sql = f"SELECT * FROM ({inner}) q{where} ORDER BY {self.order} LIMIT :limit"
        values = {name: value for name, value in given.items() if name != "by"}
        for name in ("since", "until"):
            if name in values and name in self.outer:
                values[name] = _moment(database, values[name])
        return sql, {**values, "limit": asked.limit + 1}

    def view(self, database: Database, by: str) -> str:
        """The SELECT of a view."""
        return self._filled(database, by, database.now, _all_of([]), {})

    def _filled(self, database: Database, by: str, now: str, where: str, given: Mapping[str, Any]) -> str:
        sql = self.sql
        if self.by is not None:
            for name, text in self.by[by or next(iter(self.by))].items():
                sql = sql.replace("{" + name + "}", text)
        for hole, conditions in self.inner.items():
            sql = sql.replace(
                "{" + hole + "}", _all_of([text for name, text in conditions.items() if name in given])
            )
        is_past = "at" in given
        sql = sql.replace("{last_seen}", "v.seen" if is_past else _LAST_SEEN)
        sql = sql.replace("{scans}", _SEEN_UNTIL if is_past else "")
        sql = sql.replace("{now}", now).replace("{where}", where)
        return _TIME.sub(lambda match: database.time(match[1]), sql)

    def row_of(self, values: Mapping[str, Any]) -> JsonRecord:
        return self.row(**{each.name: _plain(values[each.name]) for each in fields(self.row)})  # type: ignore[arg-type]


def _all_of(conditions: Sequence[str]) -> str:
    return " AND ".join(conditions) or "1 = 1"


def _moment(database: Database, seconds: int) -> Any:
    """A time as a view's columns have it."""
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return api_time(moment) if database.is_sqlite else moment


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return api_time(in_utc(value))
    if value is None or isinstance(value, (str, int, float)):
        return value
    return float(value)  # PostgreSQL's numeric


def _bad(why: str) -> ScanError:
    return ScanError("bad_option", why, tried="reading the option query")
