# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of a store: which version it has, and the way from there to the newest, by Alembic's operations.

The revisions are functions of this collection (migrations/), because a module's code comes to its host as an archive, in which
Alembic finds no folder of revisions.
"""

from __future__ import annotations

import re
from typing import Any

from ..errors import ScanError
from ..safe_text import one_line
from .database import APPLICATION_ID, Database, Work
from .migrations.registry import SCHEMA_VERSION, UPGRADES
from .questions.registry import views
from .team_roles import OLDEST_SERVER, grant, set_rules

_VERSION = "schema_version"
_NUMBER = re.compile(r"[0-9]{1,6}", re.ASCII)


def version_of(database: Database) -> int:
    """The version of a store's schema, 0 for an empty database. :raises ScanError: not_a_store, for somebody else's"""
    if not database.exists:
        return 0
    with database.read("look at the store") as work:
        return _version(work, database)


def check_version(database: Database) -> None:
    """:raises ScanError: not_a_store, also where there is nothing; store_outdated, store_newer"""
    version = version_of(database)
    shown = database.address.shown
    if version == 0:
        raise ScanError(
            "not_a_store", f"{shown}: there is no store yet", tried="open the store",
            advice="Make one with scan_store, state=present.",
        )  # fmt: skip
    _refuse_newer(version, shown, SCHEMA_VERSION)
    if version < SCHEMA_VERSION:
        raise ScanError(
            "store_outdated",
            f"{shown} has the schema of version {version}, and this version of the collection needs {SCHEMA_VERSION}",
            tried="open the store",
        )


def migrate(database: Database, to: int = 0) -> tuple[int, int]:
    """Makes a store, or lifts one to a version, with its views. All of it happens, or nothing; of several at once one does it.

    :param to: by default the newest
    :returns: the version before and after
    :raises ScanError: store_newer, for a step back; missing_library, without Alembic
    """
    to = to or SCHEMA_VERSION
    try:
        import sqlalchemy
        from alembic.migration import MigrationContext
        from alembic.operations import Operations
    except ImportError as reason:
        raise ScanError(
            "missing_library",
            f"the store needs the Python package {reason.name}, which is not installed",
            tried="migrate the store",
        ) from None
    database.make_file()
    if database.is_sqlite:
        _prepare_file(database)
    with database.write("migrate the store") as work:
        before = _version(work, database)
        _refuse_newer(before, database.address.shown, to)
        operations: Any = Operations(MigrationContext.configure(work.connection))
        for version in range(before + 1, to + 1):
            UPGRADES[version](operations, sqlalchemy)
        if before < to:
            _make_views(work, database)
        if before == 0:
            work.add("store", [{"name": _VERSION, "value": str(to)}], keep=False)
        else:
            work.run("UPDATE store SET value = :value WHERE name = :name", name=_VERSION, value=str(to))
    return before, to


def _make_views(work: Work, database: Database) -> None:
    """The views of the questions, and who sees what of them."""
    invoker = "" if work.is_sqlite else _invoker(work)
    for name, select in views(database):
        work.run(f"DROP VIEW IF EXISTS {name}")
        work.run(f"CREATE VIEW {name}{invoker} AS {select}")
    if not work.is_sqlite:
        set_rules(work)
        grant(work)


def _invoker(work: Work) -> str:
    """Views that see with the rights of whoever asks, where the server has them; else nobody but the owner is granted any."""
    return (
        " WITH (security_invoker = true)"
        if int(work.value("SHOW server_version_num")) >= OLDEST_SERVER
        else ""
    )


def _refuse_newer(version: int, shown: str, to: int) -> None:
    if version > to:
        raise ScanError(
            "store_newer",
            f"{shown} has the schema of version {version}, and this version of the collection knows {to}",
            tried="open the store",
        )


def _version(work: Work, database: Database) -> int:
    if database.is_sqlite:
        if work.value("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"):
            raise _not_ours(database, "has triggers, which no store has")
        mark = work.value("PRAGMA application_id")
        tables = work.value("SELECT count(*) FROM sqlite_master")
        if not mark and not tables:
            return 0
        there = mark == APPLICATION_ID
        if there and not tables:
            return 0
    else:
        if not database.allow_shared:
            _refuse_shared(work, database)
        there = work.value(
            "SELECT to_regclass('store') IS NOT NULL AND to_regclass('place_states') IS NOT NULL"
        )
        if not there and not work.value(
            "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
        ):
            return 0
    value = work.value("SELECT value FROM store WHERE name = :name", name=_VERSION) if there else None
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise _not_ours(database, "belongs to something else")
    return int(value)


def _not_ours(database: Database, why: str) -> ScanError:
    return ScanError("not_a_store", f"{database.address.shown} {why}", tried="look at the store")


def _refuse_shared(work: Work, database: Database) -> None:
    """Functions and operators that somebody puts into a schema of the search path would be run by ours with our rights."""
    schema = work.value(
        "SELECT n.nspname FROM pg_catalog.pg_namespace n, pg_catalog.aclexplode(n.nspacl) a"
        " WHERE n.nspname OPERATOR(pg_catalog.=) ANY (pg_catalog.current_schemas(false))"
        " AND a.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid"
        " AND a.privilege_type OPERATOR(pg_catalog.=) 'CREATE'::pg_catalog.text LIMIT 1"
    )
    if schema is not None:
        raise ScanError(
            "shared_folder",
            f"{database.address.shown}: every role can make functions in the schema {one_line(schema, 63)}",
            tried="look at the store",
            cause="A function or an operator of somebody else would run with the rights of this login.",
            advice="Take the right away (REVOKE CREATE ON SCHEMA ... FROM PUBLIC), or give the store a database of its own. "
            "Where nobody else has a login, allow_shared_folder accepts it.",
        )


def _prepare_file(database: Database) -> None:
    """The mark, and the journal by which readers and one writer do not wait for each other. Neither is part of a transaction."""
    version_of(database)
    with database.read("make the store") as work:
        fresh = not work.value("SELECT count(*) FROM sqlite_master")
    if fresh:
        with database.raw() as connection:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute("PRAGMA journal_mode = WAL")
