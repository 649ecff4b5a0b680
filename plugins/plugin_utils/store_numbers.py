# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a store says now, in numbers for metrics: by its views, so that they mean what its questions mean."""

from __future__ import annotations

from typing import Any

from ..module_utils.reports.store_metrics import StoreNumbers
from ..module_utils.results.status import FAILED
from ..module_utils.store.address import StoreAddress
from ..module_utils.store.database import Work
from ..module_utils.store.opening import open_store

_FINDINGS = """
SELECT cluster, team, severity, COUNT(*) AS number, SUM(overdue) AS overdue FROM open_now WHERE status = :failed
GROUP BY cluster, team, severity ORDER BY cluster, team, severity LIMIT :most
"""
_PLACES = """
SELECT cluster, team, COUNT(*) AS number, SUM(overdue) AS overdue, MAX(age) AS oldest FROM place_ages
GROUP BY cluster, team ORDER BY cluster, team LIMIT :most
"""
# More rows than this are no metrics.
_MOST = 100_000


def read_store_numbers(address: str, password: str, now: float) -> StoreNumbers:
    """
    :param now: seconds since 1970
    :raises ScanError: as open_store, and what keeps the store from being read
    """
    name = StoreAddress.of(address, password).shown
    store = open_store(address, password)
    try:
        with store.database.read("read its numbers") as work:
            return _numbers(name, work, now)
    finally:
        store.close()


def _numbers(name: str, work: Work, now: float) -> StoreNumbers:
    findings = work.rows(_FINDINGS, failed=FAILED, most=_MOST)
    places = work.rows(_PLACES, most=_MOST)
    oldest: dict[str, float] = {}
    for row in places:
        oldest[row["cluster"]] = min(oldest.get(row["cluster"], now), now - float(row["oldest"]))
    by_severity = ("cluster", "team", "severity")
    return StoreNumbers(
        name,
        {_key(row, *by_severity): int(row["number"]) for row in findings},
        {_key(row, *by_severity): int(row["overdue"]) for row in findings},
        {_key(row, "cluster", "team"): int(row["number"]) for row in places},
        {_key(row, "cluster", "team"): int(row["overdue"]) for row in places},
        oldest,
    )


def _key(row: Any, *names: str) -> Any:
    return tuple(str(row[name]) for name in names)
