# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy of deadlines in a store, so that views know what is overdue."""

from __future__ import annotations

from ..results.deadline_policy import DeadlinePolicy
from ..results.status import SEVERITIES
from .database import Database

_SCAN = "scan"
_DAY = 86_400


def set_deadlines(database: Database, policy: DeadlinePolicy | None, check_mode: bool = False) -> bool:
    """Makes the store's policy this one; None removes it. :returns: whether that changes something"""
    wanted = _rows(policy) if policy else set()
    with database.write("set the deadlines") as work:
        rows = work.rows("SELECT environment, kind, seconds FROM deadlines")
        if {(row["environment"], row["kind"], row["seconds"]) for row in rows} == wanted:
            return False
        if not check_mode:
            work.run("DELETE FROM deadlines")
            work.add(
                "deadlines",
                [
                    {"environment": environment, "kind": kind, "seconds": seconds}
                    for environment, kind, seconds in sorted(wanted, key=str)
                ],
            )
    return True


def _rows(policy: DeadlinePolicy) -> set[tuple[str, str, int | None]]:
    """(environment, kind, seconds): every kind of every environment that the policy names, and of all others (empty)."""
    rows: set[tuple[str, str, int | None]] = set()
    for environment in ("", *policy.environments):
        every = policy.scan_every(environment)
        rows.add((environment, _SCAN, None if every is None else int(every)))
        for severity in SEVERITIES:
            days = policy.fix_within(severity, environment)
            rows.add((environment, severity, None if days is None else int(days * _DAY)))
    return rows
