# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to a store's database, by SQLAlchemy: one dialect of SQL for SQLite and PostgreSQL.

Statements are texts with named parameters that both databases understand. What differs between the two stands in this file: how a
transaction that writes keeps others out, and how numbers become times.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..path_owners import changer_by
from ..results.folder_owners import check_folder
from .address import SQLITE, StoreAddress
from .database_errors import database_error

try:
    import sqlalchemy
    from sqlalchemy import event
except ImportError:
    sqlalchemy = None  # type: ignore[assignment, unused-ignore]

# SQLite's own mark of whose file it is.
APPLICATION_ID = 0x53656353
# For both databases: how long to wait for somebody else.
WAIT_SECONDS = 30.0
# Everybody who writes to PostgreSQL holds this lock, so that the rows of a place are written by one at a time. Who only reads
# cannot take it. Where there is no table yet, who makes the store holds a lock of a number.
_WRITER_LOCK = "LOCK TABLE store IN SHARE ROW EXCLUSIVE MODE"
_MAKER_LOCK = 0x5365635363616E
_MOST_VALUES = 500
_FILE_MODE = 0o600

Row = Mapping[str, Any]


class Work:
    """One transaction."""

    def __init__(self, connection: Any, is_sqlite: bool) -> None:
        self.connection = connection
        self.is_sqlite = is_sqlite

    def rows(self, sql: str, **values: Any) -> list[Row]:
        """A parameter that is a list stands for `IN :name`, and can be of any length."""
        return [row for result in self._results(sql, values) for row in result.mappings()]

    def stream(self, sql: str) -> Any:
        """SQLAlchemy's result, of which not all is held at once."""
        return self.connection.execute(sqlalchemy.text(sql), execution_options={"stream_results": True})

    def value(self, sql: str, **values: Any) -> Any:
        """The first column of the first row; None without a row."""
        row = self.connection.execute(sqlalchemy.text(sql), _clean(values)).first()
        return None if row is None else row[0]

    def run(self, sql: str, **values: Any) -> int:
        """As `rows`. :returns: the number of rows that it changed"""
        return sum(result.rowcount for result in self._results(sql, values))

    def _results(self, sql: str, values: Row) -> Iterator[Any]:
        several = next((name for name, value in values.items() if isinstance(value, list)), None)
        statement, given = sqlalchemy.text(sql), _clean(values)
        if several is None:
            yield self.connection.execute(statement, given)
            return
        statement = statement.bindparams(sqlalchemy.bindparam(several, expanding=True))
        wanted = [clean(value) for value in values[several]]
        for start in range(0, len(wanted), _MOST_VALUES):
            part = {**given, several: wanted[start : start + _MOST_VALUES]}
            yield self.connection.execute(statement, part)

    def run_many(self, sql: str, rows: Iterable[Row]) -> None:
        given = [_clean(row) for row in rows]
        if given:
            self.connection.execute(sqlalchemy.text(sql), given)

    def add(self, table: str, rows: Iterable[Row], keep: bool = True) -> None:
        """Rows that have the same columns.

        :param keep: one that is there already stays as it is; without it, it is an error of ours
        """
        given = [_clean(row) for row in rows]
        if not given:
            return
        names = list(given[0])
        placed = ", ".join(f":{name}" for name in names)
        end = " ON CONFLICT DO NOTHING" if keep else ""
        self.connection.execute(
            sqlalchemy.text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({placed}){end}"),
            given,
        )


def _clean(values: Row) -> dict[str, Any]:
    return {name: clean(value) for name, value in values.items()}


def clean(value: Any) -> Any:
    """A value as databases take it: without NUL, which PostgreSQL's texts cannot hold, and without halves of characters."""
    if not isinstance(value, str):
        return value
    if "\0" in value:
        value = value.replace("\0", "\ufffd")
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


class Database:
    """:raises ScanError: missing_library; shared_folder, where others could change an SQLite file"""

    def __init__(self, address: StoreAddress, allow_shared: bool = False, wait: float = WAIT_SECONDS) -> None:
        _need("SQLAlchemy", sqlalchemy)
        self.address = address
        self.allow_shared = allow_shared
        self.is_sqlite = address.kind == SQLITE
        self.warnings: list[str] = []
        if self.is_sqlite:
            self.warnings += check_folder(str(Path(address.path).absolute().parent), allow_shared)
            _check_file(Path(address.path), allow_shared)
        self._engine = _sqlite_engine(address, wait) if self.is_sqlite else _postgresql_engine(address, wait)

    @property
    def exists(self) -> bool:
        """Whether there is something at the address: a file, or always where a server is asked."""
        return not self.is_sqlite or Path(self.address.path).exists()

    def make_file(self) -> None:
        """An empty file of SQLite that nobody else can read. :raises ScanError: store_unreachable"""
        if not self.is_sqlite:
            return
        try:
            descriptor = os.open(
                self.address.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, _FILE_MODE
            )
        except FileExistsError:
            return
        except OSError as reason:
            raise ScanError(
                "store_unreachable",
                f"{self.address.shown}: {reason.strerror or reason}",
                tried="make the store",
            ) from None
        os.close(descriptor)

    @contextmanager
    def read(self, tried: str = "read the store") -> Iterator[Work]:
        """A transaction that sees one moment. :raises ScanError: what keeps it from being read"""
        with self._transaction(tried, writes=False) as work:
            yield work

    @contextmanager
    def write(self, tried: str = "write to the store") -> Iterator[Work]:
        """A transaction that nobody else writes beside; all of it stays, or nothing.

        :raises ScanError: store_locked and others; then nothing of it stays
        """
        with self._transaction(tried, writes=True) as work:
            if not self.is_sqlite:
                if work.value("SELECT pg_catalog.to_regclass('store') IS NOT NULL"):
                    work.run(_WRITER_LOCK)
                else:
                    work.run("SELECT pg_catalog.pg_advisory_xact_lock(:lock)", lock=_MAKER_LOCK)
            yield work

    @contextmanager
    def _transaction(self, tried: str, writes: bool) -> Iterator[Work]:
        try:
            with self._engine.connect().execution_options(writes=writes) as connection, connection.begin():
                if not self.is_sqlite and not writes:
                    connection.execute(
                        sqlalchemy.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    )
                yield Work(connection, self.is_sqlite)
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise database_error(self.address, error, tried) from None

    @contextmanager
    def raw(self) -> Iterator[Any]:
        """SQLite's own connection, for what is part of no transaction. :raises ScanError: what keeps it from being done"""
        try:
            with self._engine.connect() as connection:
                yield connection.connection.driver_connection
        except (sqlite3.Error, sqlalchemy.exc.SQLAlchemyError) as error:
            raise database_error(self.address, error, "write to the store") from None

    def close(self) -> None:
        self._engine.dispose()

    def time(self, column: str) -> str:
        """SQL for the time that a number is: text in RFC 3339 in SQLite, timestamptz in PostgreSQL."""
        if self.is_sqlite:
            return f"strftime('%Y-%m-%dT%H:%M:%SZ', {column}, 'unixepoch')"
        return f"to_timestamp({column})"

    @property
    def now(self) -> str:
        """SQL for the seconds since 1970."""
        return (
            "CAST(strftime('%s', 'now') AS INTEGER)"
            if self.is_sqlite
            else "CAST(extract(epoch FROM now()) AS BIGINT)"
        )


def _need(package: str, module: Any) -> None:
    if module is None:
        raise ScanError(
            "missing_library",
            f"the store needs the Python package {package}, which is not installed",
            tried="open the store",
            advice="Install it for the Python that runs the task; `pip install -r` takes the requirements-store.txt of the "
            "collection.",
        )


def _check_file(path: Path, allow_shared: bool) -> None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    except OSError as reason:
        raise ScanError(
            "store_unreachable", f"{path}: {reason.strerror or reason}", tried="look at the store"
        ) from None
    if not stat.S_ISREG(status.st_mode):
        raise ScanError("not_a_store", f"{path} is no file", tried="look at the store")
    if changer_by(status, path) is not None and not allow_shared:
        raise ScanError(
            "shared_folder", f"others can change the store {path} (mode {stat.S_IMODE(status.st_mode):04o})",
            tried="look at the store", advice="Take the rights from the others (chmod go-w), or give the file to yourself.",
        )  # fmt: skip


def _sqlite_engine(address: StoreAddress, wait: float) -> Any:
    engine = sqlalchemy.create_engine(
        sqlalchemy.engine.URL.create("sqlite", database=address.path),
        poolclass=sqlalchemy.pool.NullPool,
        connect_args={"timeout": wait},
    )

    def on_connect(connection: Any, _record: Any) -> None:
        # transactions are begun by us, below
        connection.isolation_level = None
        for name, value in (("foreign_keys", "ON"), ("trusted_schema", "OFF"), ("cache_size", "-65536")):
            connection.execute(f"PRAGMA {name} = {value}")

    def on_begin(connection: Any) -> None:
        # a transaction that begins to write only after it has read cannot wait for others
        immediate = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


def _postgresql_engine(address: StoreAddress, wait: float) -> Any:
    try:
        import psycopg
    except ImportError:
        psycopg = None
    _need("psycopg", psycopg)
    settings = f"-c lock_timeout={int(wait * 1000)} -c timezone=UTC -c client_min_messages=warning"
    arguments: dict[str, Any] = {
        "connect_timeout": int(wait),
        "application_name": "securescan.kubernetes",
        **dict(address.parameters),
        "options": settings,
    }
    return sqlalchemy.create_engine(
        sqlalchemy.engine.URL.create(
            "postgresql+psycopg",
            username=address.user or None,
            password=address.password or None,
            host=address.host or None,
            port=address.port,
            database=address.database,
        ),
        poolclass=sqlalchemy.pool.NullPool,
        connect_args=arguments,
    )
