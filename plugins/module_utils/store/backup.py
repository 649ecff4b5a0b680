# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store copied into another one, table by table: a backup, its restoration, and the way from SQLite to PostgreSQL.

A backup is a store in a file of SQLite, of whatever kind the original is, so it can be asked like any other one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import ScanError
from .address import SQLITE, StoreAddress
from .database import Database, Work
from .schema import check_version, migrate, version_of
from .store import Store
from .team_roles import grant

# In an order in which each row finds what it refers to; with the columns by which its rows are in order.
TABLES: Mapping[str, str] = {
    "clusters": "id",
    "namespaces": "id",
    "places": "id",
    "profiles": "id",
    "controls": "id",
    "control_texts": "profile_id, control_id",
    "runs": "id",
    "causes": "id",
    "gaps": "run_id, kind, namespace, name",
    "images": "id",
    "states": "id",
    "state_images": "state_id, image_id",
    "state_profiles": "state_id, profile_id",
    "scans": "place_id, run_id",
    "place_states": "place_id, since",
    "findings": "place_id, control_id, since",
    "not_scanned": "run_id, place_id",
    "targets": "id",
    "pieces": "id",
    "templates": "id",
    "documents": "target_id, run_id",
    "known_results": "place_id",
    "fleet_runs": "id",
    "fleet_run_clusters": "fleet_run_id, cluster_id",
    "deadlines": "environment, kind",
    "team_roles": "role",
}
_PIECE = 5000
# The order of bytes, in both databases.
_COLLATION = {True: "", False: ' COLLATE "C"'}
# How SQLite keeps what belongs into a column of a type.
_STORED_AS = {
    "INTEGER": "'integer'",
    "BIGINT": "'integer'",
    "SMALLINT": "'integer'",
    "FLOAT": "'real', 'integer'",
    "TEXT": "'text'",
    "BLOB": "'blob'",
}
_TEXT_KEYS = frozenset({"kind", "namespace", "name", "environment", "role"})


def back_up(store: Store, path: str) -> int:
    """Copies a store into a new file, which appears under its name when it is whole.

    :returns: the number of rows
    :raises ScanError: bad_option, where the file is there; what keeps it from being written
    """
    target = Path(path)
    if target.exists() or target.is_symlink():
        raise ScanError("bad_option", f"{path} is there already", tried="reading the option path")
    part = target.with_name(f".{target.name}.part")
    _remove(part)
    database = Database(StoreAddress(SQLITE, path=str(part)), store.database.allow_shared)
    try:
        migrate(database)
        rows = _copy(store.database, database)
        with database.raw() as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
        database.close()
        part.replace(target)
    except OSError as reason:
        raise ScanError(
            "write_failed", f"{path}: {reason.strerror or reason}", tried="back up the store"
        ) from None
    finally:
        _remove(part)
    return rows


def restore(path: str, database: Database) -> int:
    """Copies a backup into an empty place: where no store is, or one that has taken nothing yet.

    :returns: the number of rows
    :raises ScanError: not_a_store, for another backup than ours; bad_option, where the store is not empty
    """
    source = Database(StoreAddress(SQLITE, path=path), database.allow_shared)
    check_version(source)
    _check_tables(source)
    if version_of(database):
        with database.read("look at the store") as work:
            if any(work.value(f"SELECT COUNT(*) FROM {table}") for table in TABLES if table != "team_roles"):
                raise ScanError(
                    "bad_option",
                    f"{database.address.shown} holds a store with content, which is not overwritten",
                    tried="restore a store",
                    advice="Restore into a new place, or remove the old store first (its file, or its database).",
                )
    migrate(database)
    return _copy(source, database)


def _check_tables(source: Database) -> None:
    """A view in place of a table could compute without end."""
    with source.read("look at the backup") as work:
        sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE TABLE %'"
        missing = sorted(TABLES.keys() - {row["name"] for row in work.rows(sql)})
    if missing:
        raise ScanError(
            "not_a_store",
            f"{source.address.shown} has no table {missing[0]}",
            tried="look at the backup",
        )


def _check_types(work: Work, table: str) -> None:
    """SQLite takes a value of any type into any column; what asks and adds up later does not."""
    wrong = [
        f"typeof({column['name']}) NOT IN ('null', {_STORED_AS[column['type']]})"
        for column in work.rows(f"PRAGMA table_info({table})")
    ]
    if work.value(f"SELECT 1 FROM {table} WHERE {' OR '.join(wrong)} LIMIT 1"):
        raise ScanError("not_a_store", f"a row of {table} has a value of another type", tried="copy a store")


def _remove(path: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def _copy(source: Database, target: Database) -> int:
    """All rows; what arrived is read again and compared. It happens as a whole."""
    total = 0
    with source.read("copy a store") as reader, target.write("copy a store") as writer:
        writer.run("DELETE FROM team_roles")
        for row in reader.rows("SELECT name, value FROM store WHERE name <> 'schema_version'"):
            writer.run("DELETE FROM store WHERE name = :name", name=row["name"])
            writer.add("store", [row])
        for table, order in TABLES.items():
            for rows in _pieces(reader, table, order):
                writer.add(table, rows, keep=False)
                total += len(rows)
            if not writer.is_sqlite and order == "id":
                newest = f"(SELECT COALESCE(MAX(id), 0) + 1 FROM {table})"
                writer.value(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {newest}, false)")
            if writer.is_sqlite:
                _check_types(writer, table)
            if _digest(reader, table, order) != _digest(writer, table, order):
                raise ScanError(
                    "not_a_store",
                    f"{target.address.shown}: the rows of {table} are not those that were copied",
                    tried="copy a store",
                )
        if not writer.is_sqlite:
            grant(writer)
    return total


def _pieces(work: Work, table: str, order: str) -> Iterator[Sequence[Mapping[str, Any]]]:
    result = work.stream(f"SELECT * FROM {table} ORDER BY {_ordered(work, order)}")
    for rows in result.mappings().partitions(_PIECE):
        yield [dict(row) for row in rows]


def _ordered(work: Work, order: str) -> str:
    names = order.split(", ")
    return ", ".join(name + (_COLLATION[work.is_sqlite] if name in _TEXT_KEYS else "") for name in names)


def _digest(work: Work, table: str, order: str) -> str:
    digest = hashlib.sha256()
    for rows in _pieces(work, table, order):
        for row in rows:
            digest.update(repr([(name, _plain(row[name])) for name in sorted(row)]).encode("utf-8"))
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, memoryview):
        return bytes(value)
    return int(value) if isinstance(value, bool) else value
