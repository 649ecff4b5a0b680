# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a store forgets: what is older than it is to keep.

What lasts stays, however long ago it began: findings that are open, the states of places, and what is known of each place.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Callable

from ..errors import ScanError
from .database import Database, Work
from .documents import unpack_numbers

_PRUNED = "pruned_before"

# What belongs to places that are gone, in an order in which nothing refers to what is removed.
_OF_PLACES = ("scans", "place_states", "findings", "not_scanned", "known_results")
_GONE = "SELECT id FROM places WHERE gone_at < :before"
_OLD_RUNS = "SELECT id FROM runs WHERE started < :before"


@dataclass(frozen=True)
class Pruned:
    """Rows that were removed (in check mode: would be), by table. `before`: what is older than that second is forgotten."""

    before: int
    rows: Mapping[str, int]

    @property
    def changed(self) -> bool:
        return any(self.rows.values())


class _CheckedError(Exception):
    """Takes back a transaction."""


def prune(database: Database, before: int, documents_before: int, check_mode: bool = False) -> Pruned:
    """Removes what ended before a time.

    :param before: seconds since 1970; runs that started earlier are not taken any more
    :param documents_before: the same for HDF documents; the newest of each place stays
    :param check_mode: counts, and removes nothing
    """
    rows: dict[str, int] = {}
    try:
        with database.write("prune the store") as work:
            _remove(work, before, max(before, documents_before), rows)
            if check_mode:
                raise _CheckedError
    except _CheckedError:
        return Pruned(before, rows)
    if database.is_sqlite and any(rows.values()):
        # who keeps it from giving its room back now will use the room later
        with suppress(ScanError), database.raw() as connection:
            connection.execute("VACUUM")
    return Pruned(before, rows)


def _remove(work: Work, before: int, documents_before: int, rows: dict[str, int]) -> None:
    def remove(table: str, condition: str, at: int = before) -> None:
        values = {"before": at} if ":before" in condition else {}
        sql = f"DELETE FROM {table} WHERE {condition}"
        rows[table] = rows.get(table, 0) + work.run(sql, **values)

    newest = (
        "SELECT 1 FROM known_results k JOIN targets t ON t.place_id = k.place_id"
        " WHERE t.id = documents.target_id AND k.run_id = documents.run_id"
    )
    remove("documents", f"target_id IN (SELECT id FROM targets WHERE place_id IN ({_GONE}))")
    remove("documents", f"run_id IN ({_OLD_RUNS}) AND NOT EXISTS ({newest})", documents_before)
    for table in _OF_PLACES:
        remove(table, f"place_id IN ({_GONE})")
    remove("targets", f"place_id IN ({_GONE})")
    remove("places", "gone_at < :before")
    for table in ("scans", "not_scanned", "gaps"):
        remove(table, f"run_id IN ({_OLD_RUNS})")
    for table in ("findings", "place_states"):
        remove(table, "until < :before")
    for table in ("known_results", "documents"):
        rows.setdefault(table, 0)
    remove(
        "runs",
        "started < :before AND NOT EXISTS (SELECT 1 FROM known_results k WHERE k.run_id = runs.id)"
        " AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.run_id = runs.id)",
    )
    old = "SELECT id FROM fleet_runs WHERE started < :before"
    remove("fleet_run_clusters", f"fleet_run_id IN ({old})")
    remove("fleet_runs", "started < :before")
    _remove_unused(work, remove, rows)
    told = work.value("SELECT value FROM store WHERE name = :name", name=_PRUNED)
    if told is None:
        work.add("store", [{"name": _PRUNED, "value": str(before)}])
    elif int(told) < before:
        work.run("UPDATE store SET value = :value WHERE name = :name", name=_PRUNED, value=str(before))


def _remove_unused(work: Work, remove: Callable[[str, str], None], rows: dict[str, int]) -> None:
    used = "SELECT state_id FROM scans UNION SELECT state_id FROM place_states"
    for table in ("state_images", "state_profiles"):
        remove(table, f"state_id NOT IN ({used})")
    remove("states", f"id NOT IN ({used})")
    remove("templates", "id NOT IN (SELECT template_id FROM documents)")
    rows["pieces"] = _remove_pieces(work) if rows["templates"] else 0
    remove("targets", "id NOT IN (SELECT target_id FROM documents)")
    remove("images", "id NOT IN (SELECT image_id FROM state_images)")
    remove(
        "causes",
        "id NOT IN (SELECT cause_id FROM not_scanned UNION SELECT cause_id FROM gaps"
        " UNION SELECT cause_id FROM fleet_run_clusters WHERE cause_id IS NOT NULL)",
    )


def _remove_pieces(work: Work) -> int:
    """Pieces that no template has any more."""
    used = {
        number
        for row in work.rows("SELECT body FROM templates")
        for number in unpack_numbers(bytes(row["body"]))
    }
    unused = [row["id"] for row in work.rows("SELECT id FROM pieces") if row["id"] not in used]
    return work.run("DELETE FROM pieces WHERE id IN :unused", unused=unused)
