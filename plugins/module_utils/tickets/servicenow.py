# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of a table of ServiceNow, incidents by default, by its Table API. A record is known by its correlation ID."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .ticket import Known, Ticket
from .tracker import (
    LABEL,
    Tracker,
    TrackerHttp,
    TrackerKind,
    TrackerOptions,
    bad_place,
    check_kept,
    fields_of,
    login,
    made_id,
    objects,
)
from .wording import PLAIN

_TABLE = re.compile(r"[a-z][a-z0-9_]{1,79}")
_SYS_ID = re.compile(r"[0-9a-f]{32}")
_PAGE = 500
_IN_PROGRESS, _RESOLVED = "2", "6"
# Impact and urgency by severity; from these ServiceNow makes the priority.
_LEVELS = {"critical": "1", "high": "2"}
_LOWEST = "3"


class ServiceNow(Tracker):
    """`url` is that of the instance: https://example.service-now.com."""

    markup = PLAIN
    limit = 3900

    def __init__(self, options: TrackerOptions) -> None:
        table = options.place or "incident"
        if not _TABLE.fullmatch(table):
            raise bad_place("servicenow", "the name of a table, such as incident")
        http = options.http
        self._http = TrackerHttp(options, login(options), http.token, http.password)
        self._table = f"/api/now/table/{table}"
        self._close_code = options.servicenow_close_code

    def known(self) -> Iterator[Known]:
        fields = "sys_id,correlation_id,active,state"
        for start in range(0, 10_000_000, _PAGE):
            path = (
                f"{self._table}?sysparm_query=correlation_display%3D{LABEL}%5EORDERBYsys_created_on"
                f"&sysparm_fields={fields}&sysparm_limit={_PAGE}&sysparm_offset={start}"
            )
            found = objects(fields_of(self._http.ask("GET", path)).get("result"), path)
            for record in found:
                is_open = str(record.get("active")).lower() == "true" and str(record.get("state")) < _RESOLVED
                sys_id = str(record.get("sys_id"))
                known = Known.of_mark(sys_id, record.get("correlation_id"), is_open)
                if known and _SYS_ID.fullmatch(sys_id):
                    yield known
            if len(found) < _PAGE:
                return

    def create(self, ticket: Ticket, title: str, body: str) -> str:
        level = _LEVELS.get(ticket.severity, _LOWEST)
        value = {
            "short_description": title[:160],
            "description": body,
            "correlation_id": ticket.mark,
            "correlation_display": LABEL,
            "impact": level,
            "urgency": level,
            **({"cmdb_ci": ticket.configuration_item} if ticket.configuration_item else {}),
        }
        record = fields_of(fields_of(self._http.ask("POST", self._table, value)).get("result"))
        made = made_id(record, "sys_id")
        is_kept = record.get("correlation_id") == ticket.mark and record.get("correlation_display") == LABEL
        advice = "Let the user write correlation_id and correlation_display."
        check_kept(is_kept, made, "its correlation", advice)
        return made

    def update(self, known: Known, ticket: Ticket, title: str, body: str) -> None:
        value = {"short_description": title[:160], "description": body, "correlation_id": ticket.mark}
        self._patch(known, value)

    def reopen(self, known: Known, ticket: Ticket, body: str, comment: str) -> None:
        value = {
            "state": _IN_PROGRESS,
            "description": body,
            "correlation_id": ticket.mark,
            "work_notes": comment,
        }
        self._patch(known, value)

    def close(self, known: Known, ticket: Ticket | None, comment: str) -> None:
        value = {"state": _RESOLVED, "close_code": self._close_code, "close_notes": comment[: self.limit]}
        self._patch(known, value)

    def _patch(self, known: Known, value: dict[str, Any]) -> None:
        self._http.ask("PATCH", f"{self._table}/{known.id}", value)


SERVICENOW = TrackerKind("servicenow", "the table, incident by default", ServiceNow)
