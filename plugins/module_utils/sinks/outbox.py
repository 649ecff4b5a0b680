# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is still to be sent of the runs of one cluster to one system, and what the system was told of its places. It lies
beside the runs, so that the next push sends first what the last one could not.

    <folder of the cluster's runs>/.push/<system>-<hash>.sqlite3   mode 0600; the hash is that of the destination and the cluster

A run's items come in by one transaction, once. An item leaves when the system has it, and is counted as sent before it is
sent: whenever the process is killed, each item is here, or the system has it, or it is here with `tries` above 0, by which a
sink knows that the system may have it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import sqlite3
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..path_owners import changer_by
from ..results.run import Run
from ..results.target_record import ErrorRecord
from ..results.whole_file import read_own_file, write_failed
from .item import ALREADY_THERE, Item, Outcome
from .sink import Limits

FOLDER = ".push"
FOLDER_MODE = 0o700
_FILE_MODE = 0o600
_HASH_DIGITS = 16
_LOCK_SECONDS = 10.0
_MOST_PARTS = 5
_MOST_ITEM_BYTES = 512 * 1024 * 1024
# "SSKP"; and the version of the tables
_APPLICATION, _VERSION = 0x53534B50, 1
_TABLES: Mapping[str, str] = {
    "head": "CREATE TABLE head (system TEXT NOT NULL, destination TEXT NOT NULL, cluster TEXT NOT NULL)",
    "runs": "CREATE TABLE runs (number INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, folder TEXT NOT NULL, "
    "sha256 TEXT NOT NULL)",
    "items": "CREATE TABLE items (number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, "
    "run INTEGER NOT NULL, subject TEXT NOT NULL, activity TEXT NOT NULL, body BLOB, path TEXT NOT NULL, "
    "sha256 TEXT NOT NULL, size INTEGER NOT NULL, fingerprint TEXT NOT NULL, place TEXT NOT NULL, before TEXT NOT NULL, "
    "tries INTEGER NOT NULL, refusal TEXT NOT NULL)",
    "items_waiting": "CREATE INDEX items_waiting ON items (refusal, number)",
    "items_findings": "CREATE INDEX items_findings ON items (fingerprint)",
    "places": "CREATE TABLE places (place TEXT PRIMARY KEY, told TEXT NOT NULL)",
    "controls": "CREATE TABLE controls (name TEXT PRIMARY KEY, text TEXT NOT NULL)",
}
_COLUMNS = (
    "i.number, i.key, r.run_id, i.subject, i.activity, i.body, i.path, i.sha256, i.size, i.fingerprint, i.place, i.tries, "
    "r.folder"
)


@dataclass(frozen=True)
class Waiting:
    """How much is still to be sent."""

    items: int
    bytes: int


@dataclass(frozen=True)
class Refusal:
    """An item that the system did not take. It is sent again when its run is pushed again, or the outbox flushed."""

    subject: str
    run_id: str
    error: ErrorRecord


@dataclass(frozen=True)
class Sent:
    """An item as it was taken out to be sent: `number` is its place in the order, `problem` why it cannot be sent at all."""

    number: int
    item: Item
    size: int
    problem: ErrorRecord | None = None


class Outbox:
    """The outbox of a cluster's runs for one destination. Use it as a context: it is locked against other pushes.

    :param dry: it is only looked at, without a lock; nothing can be put in or sent
    :raises ScanError: push_busy, bad_spool, write_failed
    """

    def __init__(
        self, folder: Path, system: str, destination: str, cluster: str, *, dry: bool = False
    ) -> None:
        name = hashlib.sha256(json.dumps([destination, cluster]).encode("ascii")).hexdigest()[:_HASH_DIGITS]
        self.path = folder / f"{system}-{name}.sqlite3"
        self.cluster = cluster
        self._head = (system, destination, cluster)
        self._dry = dry
        self._lock = -1
        self._has_refused = False
        self._database: sqlite3.Connection | None = None

    def __enter__(self) -> Outbox:
        if self._dry:
            self._database = self._looked_at()
            return self
        _make_folder(self.path.parent)
        self._lock = _locked(self.path.with_suffix(".lock"))
        try:
            self._database = self._opened()
        except BaseException:
            os.close(self._lock)
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):
                self._database.execute("PRAGMA incremental_vacuum")
            self._database.close()
        if not self._dry:
            os.close(self._lock)

    def has_run(self, run: Run) -> bool:
        """Whether its items came in already; its folder can be another now. :raises ScanError: bad_spool, where another run of
        this id did"""
        row = self._row("SELECT sha256 FROM runs WHERE run_id = ?", run.run_id)
        if row is not None and row[0] != run_sha256(run):
            raise self._bad(f"it has another run {run.run_id}, with other targets")
        if row is not None and not self._dry:
            folder = str(Path(run.folder).resolve())
            self._run(
                "UPDATE runs SET folder = ? WHERE run_id = ? AND folder <> ?", folder, run.run_id, folder
            )
        return row is not None

    def add_run(self, run: Run, items: Iterable[Item]) -> int:
        """Puts a run's items in, all or none of them. How many they are.

        :param items: they are made while they come in, and use what the system was told for that
        """
        count = 0
        with self._change():
            number = self._run(
                "INSERT INTO runs (run_id, folder, sha256) VALUES (?, ?, ?)",
                run.run_id,
                str(Path(run.folder).resolve()),
                run_sha256(run),
            ).lastrowid
            self._has_refused = self.refused() > 0
            for item in items:
                self.drop_refused(item.fingerprint)
                self._put(int(number or 0), item, Path(run.folder))
                count += 1
        return count

    def _put(self, run: int, item: Item, folder: Path) -> None:
        self._run(
            "INSERT INTO items (key, run, subject, activity, body, path, sha256, size, fingerprint, place, before, tries,"
            " refusal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '')",
            item.key,
            run,
            _text(item.subject),
            item.activity,
            None if item.path else item.body,
            item.path,
            item.sha256,
            item_size(item, folder),
            item.fingerprint,
            _text(item.place_id),
            item.before,
        )

    def ask_again(self, run_id: str = "") -> None:
        """Lets what was refused be sent again: of a run, or of all. It counts as told again."""
        with self._change():
            refused = self._rows(
                "SELECT number, fingerprint, place, before FROM items WHERE refusal <> ''"
                " AND (? = '' OR run = (SELECT number FROM runs WHERE run_id = ?))",
                run_id,
                run_id,
            )
            for number, fingerprint, place_id, before in list(refused):
                self._run("UPDATE items SET refusal = '' WHERE number = ?", number)
                if fingerprint:
                    self._exchange(number, fingerprint, place_id, before)

    def waiting(self) -> Waiting:
        row = self._row("SELECT count(*), coalesce(sum(size), 0) FROM items WHERE refusal = ''")
        return Waiting(int(row[0]), int(row[1])) if row else Waiting(0, 0)

    def refusals(self, most: int) -> Iterator[Refusal]:
        """The first of what the system did not take."""
        rows = self._rows(
            "SELECT i.subject, r.run_id, i.refusal FROM items i JOIN runs r ON r.number = i.run"
            " WHERE i.refusal <> '' ORDER BY i.number LIMIT ?",
            most,
        )
        for subject, run_id, refusal in rows:
            yield Refusal(subject, run_id, _error_record(refusal))

    def refused(self) -> int:
        row = self._row("SELECT count(*) FROM items WHERE refusal <> ''")
        return int(row[0]) if row else 0

    def next_batch(self, limits: Limits) -> list[Sent]:
        """The next items in order, with their contents, counted as sent. At least one, where any is left.

        Contents that are not what the run wrote are a problem of their item.
        """
        batch: list[tuple[Any, ...]] = []
        size = 0
        for row in self._rows(
            f"SELECT {_COLUMNS} FROM items i JOIN runs r ON r.number = i.run"  # noqa: S608 - constants
            " WHERE i.refusal = '' ORDER BY i.number LIMIT ?",
            limits.items,
        ):
            size += row[8]
            if batch and size > limits.bytes:
                break
            batch.append(row)
        sent = [_sent(row, self.path.parent.parent) for row in batch]
        with self._change():
            self._many("UPDATE items SET tries = tries + 1 WHERE number = ?", [(one.number,) for one in sent])
        return sent

    def not_sent(self, batch: Sequence[Sent]) -> None:
        """Takes back that these were counted as sent: the system did not get them."""
        with self._change():
            self._many(
                "UPDATE items SET tries = ? WHERE number = ?", [(one.item.tries, one.number) for one in batch]
            )

    def settle(self, outcomes: Sequence[tuple[Sent, Outcome]]) -> None:
        """Strikes out what the system has, and keeps why it did not take the others."""
        with self._change():
            there = [
                (sent.number,) for sent, outcome in outcomes if outcome is None or outcome is ALREADY_THERE
            ]
            self._many("DELETE FROM items WHERE number = ?", there)
            for sent, outcome in outcomes:
                if isinstance(outcome, ErrorRecord):
                    self._refuse(sent, outcome)

    def _refuse(self, sent: Sent, error: ErrorRecord) -> None:
        row = self._row("SELECT before FROM items WHERE number = ?", sent.number)
        before, mark = str(row[0]) if row else "", sent.item.fingerprint
        later = self._row(
            "SELECT min(number) FROM items WHERE fingerprint = ? AND number > ?", mark, sent.number
        )
        if mark and later is not None and later[0] is not None:
            # it is out of date, and the one that takes its place follows what the system was told before it
            self._run("UPDATE items SET before = ? WHERE number = ?", before, later[0])
            self._run("DELETE FROM items WHERE number = ?", sent.number)
            return
        said = json.dumps(error.to_json())
        self._run("UPDATE items SET refusal = ?, tries = 0 WHERE number = ?", said, sent.number)
        if mark:
            self._exchange(sent.number, mark, sent.item.place_id, before)

    def _exchange(self, number: int, fingerprint: str, place_id: str, before: str) -> None:
        """Gives what counts as told of a finding and what an item keeps of it each other's place: an item that is refused keeps
        what the system is told by it, should it be sent again."""
        told = self.told_of(place_id)
        controls = told.setdefault("controls", {})
        now = controls.pop(fingerprint, None)
        if before:
            controls[fingerprint] = json.loads(before)
        self.tell(place_id, told)
        self._run("UPDATE items SET before = ? WHERE number = ?", json.dumps(now) if now else "", number)

    # What the system was told. Within `add_run` these belong to its transaction.

    def told_of(self, place_id: str) -> dict[str, Any]:
        """What the system was told of a place, empty for nothing: see findings.py."""
        row = self._row("SELECT told FROM places WHERE place = ?", _text(place_id))
        told = json.loads(row[0]) if row else {}
        if not isinstance(told, dict):
            raise self._bad("what it says of a place is no object")
        return told

    def tell(self, place_id: str, told: Mapping[str, Any]) -> None:
        """Keeps what the system is told of a place; nothing forgets it."""
        if self._dry:
            return
        if told.get("identity") or told.get("controls"):
            self._run("INSERT OR REPLACE INTO places VALUES (?, ?)", _text(place_id), json.dumps(told))
        else:
            self._run("DELETE FROM places WHERE place = ?", _text(place_id))

    def drop_refused(self, fingerprint: str) -> None:
        """Drops what the system refused of a finding: it is out of date."""
        if self._has_refused and fingerprint:
            self._run("DELETE FROM items WHERE fingerprint = ? AND refusal <> ''", fingerprint)

    def places(self) -> list[str]:
        """The places of which the system was told."""
        return [row[0] for row in self._rows("SELECT place FROM places ORDER BY place")]

    def control(self, name: str) -> dict[str, Any] | None:
        row = self._row("SELECT text FROM controls WHERE name = ?", _text(name))
        text = json.loads(row[0]) if row else None
        return text if isinstance(text, dict) else None

    def keep_control(self, name: str, text: Mapping[str, Any]) -> None:
        if not self._dry:
            self._run("INSERT OR REPLACE INTO controls VALUES (?, ?)", _text(name), json.dumps(text))

    @contextlib.contextmanager
    def _change(self) -> Iterator[None]:
        """One transaction; all or nothing of it."""
        self._run("BEGIN IMMEDIATE")
        try:
            yield
            self._run("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._connection().execute("ROLLBACK")
            raise

    def _looked_at(self) -> sqlite3.Connection:
        """The outbox to be read; an empty one in memory, where there is none yet."""
        if not self.path.exists():
            database = sqlite3.connect(":memory:", isolation_level=None)
            self._make(database)
            return database
        _check_file(self.path)
        try:
            uri = f"{self.path.absolute().as_uri()}?mode=ro"
            database = sqlite3.connect(uri, uri=True, isolation_level=None)
            database.execute("PRAGMA trusted_schema = OFF")
            self._check(database)
        except sqlite3.Error as error:
            raise self._error(error) from None
        return database

    def _opened(self) -> sqlite3.Connection:
        is_new = _check_file(self.path)
        try:
            database = sqlite3.connect(
                str(self.path), timeout=_LOCK_SECONDS, isolation_level=None, check_same_thread=False
            )
            for setting in (
                "trusted_schema = OFF",
                "synchronous = FULL",
                "cell_size_check = ON",
                "temp_store = MEMORY",
            ):
                database.execute(f"PRAGMA {setting}")
            if is_new or not self._is_made(database):
                self._make(database)
            self._check(database)
        except sqlite3.Error as error:
            raise self._error(error) from None
        return database

    def _is_made(self, database: sqlite3.Connection) -> bool:
        return bool(database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])

    def _make(self, database: sqlite3.Connection) -> None:
        database.execute("PRAGMA auto_vacuum = INCREMENTAL")
        database.execute("BEGIN IMMEDIATE")
        for table in _TABLES.values():
            database.execute(table)
        database.execute("INSERT INTO head VALUES (?, ?, ?)", [_text(part) for part in self._head])
        database.execute(f"PRAGMA application_id = {_APPLICATION}")
        database.execute(f"PRAGMA user_version = {_VERSION}")
        database.execute("COMMIT")

    def _check(self, database: sqlite3.Connection) -> None:
        """:raises ScanError: bad_spool, where it is not an outbox as this version makes it, or damaged"""
        made = dict(
            database.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall()
        )
        version = database.execute("PRAGMA user_version").fetchone()[0]
        application = database.execute("PRAGMA application_id").fetchone()[0]
        if application != _APPLICATION or made != dict(_TABLES):
            if application == _APPLICATION and version > _VERSION:
                raise self._bad("a newer version of the collection wrote it")
            raise self._bad("it is not an outbox of this collection")
        if tuple(database.execute("SELECT * FROM head").fetchone() or ()) != tuple(map(_text, self._head)):
            raise self._bad("it is the outbox of another system or cluster")
        said = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        if said != "ok":
            raise self._bad("it is damaged")

    def _connection(self) -> sqlite3.Connection:
        if self._database is None:
            raise RuntimeError("the outbox is not open")
        return self._database

    def _run(self, statement: str, *values: object) -> sqlite3.Cursor:
        try:
            return self._connection().execute(statement, values)
        except sqlite3.Error as error:
            raise self._error(error) from None

    def _many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        try:
            self._connection().executemany(statement, rows)
        except sqlite3.Error as error:
            raise self._error(error) from None

    def _rows(self, statement: str, *values: object) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._connection().execute(statement, values)
        except sqlite3.Error as error:
            raise self._error(error) from None

    def _row(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        return next(iter(list(self._rows(statement, *values))), None)

    def _error(self, error: sqlite3.Error) -> ScanError:
        said = " ".join(str(error).split())
        if isinstance(error, sqlite3.OperationalError) and "no such" not in said and "malformed" not in said:
            return ScanError("write_failed", f"{self.path}: {said}", tried="keep what is to be sent")
        return self._bad(said)

    def _bad(self, why: str) -> ScanError:
        return ScanError("bad_spool", f"{self.path}: {why}", tried="open the outbox")


def item_size(item: Item, folder: Path) -> int:
    """Bytes of an item's content; 0 for a document that is not there.

    :param folder: of its run
    """
    if not item.path:
        return len(item.body)
    try:
        return (folder / item.path).stat().st_size
    except OSError:
        return 0


def run_sha256(run: Run) -> str:
    """What tells a run from another one with the same id: its targets and documents. A gate does not change it."""
    lines = [[one.target_id, one.hdf_sha256] for one in run.targets]
    return hashlib.sha256(json.dumps([run.started, lines]).encode("ascii")).hexdigest()


def _sent(row: Sequence[Any], beside: Path) -> Sent:
    """:param beside: where the run's folder is now, if it was moved together with the outbox"""
    number, key, run_id, subject, activity, body, path, sha256, size, fingerprint, place, tries, folder = row
    item = Item(key, subject, run_id, activity, body or b"", path, sha256, fingerprint, place, tries=tries)
    if not path:
        return Sent(number, item, size)
    source = Path(folder)
    source = source if source.is_dir() else beside / source.name
    try:
        return Sent(number, replace(item, body=_content(source, path, sha256)), size)
    except ScanError as error:
        return Sent(number, item, size, ErrorRecord(**error.record()))


def _content(folder: Path, path: str, sha256: str) -> bytes:
    """A document of the run. :raises ScanError: bad_results, where it is not the one that the run wrote"""
    parts = Path(path).parts
    source = folder / path
    if not 1 <= len(parts) <= _MOST_PARTS or ".." in parts or Path(path).is_absolute():
        raise ScanError("bad_results", f"{path!r} is not a file of a run", tried="send a document")
    try:
        data = read_own_file(source, _MOST_ITEM_BYTES)
    except OSError as reason:
        why = f"{source}: cannot be read: {reason.strerror or reason}"
        raise ScanError("bad_results", why, tried="send a document") from None
    if hashlib.sha256(data).hexdigest() != sha256:
        why = f"{source}: is not the file that the run wrote (its SHA-256 differs)"
        raise ScanError("bad_results", why, tried="send a document")
    return data


def _text(value: str) -> str:
    """As SQLite can hold it: UTF-8 without NUL."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


def _error_record(text: str) -> ErrorRecord:
    values = json.loads(text)
    return ErrorRecord(**{name: str(values.get(name, "")) for name in ErrorRecord.__dataclass_fields__})


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    except OSError as reason:
        raise write_failed(folder, reason) from None


@contextlib.contextmanager
def lock_of_deliveries(folder: Path) -> Iterator[None]:
    """For who changes the report of deliveries: pushes to several systems share it. :raises ScanError: push_busy, write_failed"""
    descriptor = _locked(folder / "deliveries.lock")
    try:
        yield
    finally:
        os.close(descriptor)


def _locked(path: Path) -> int:
    """The descriptor of a file that is locked as long as it is open, also when the process is killed."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _FILE_MODE)
    except OSError as reason:
        raise write_failed(path, reason) from None
    end = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except OSError:
            if time.monotonic() > end:
                os.close(descriptor)
                raise ScanError(
                    "push_busy", f"{path}: another push to this system holds it", tried="lock the outbox"
                ) from None
            time.sleep(0.1)


def _check_file(path: Path) -> bool:
    """Whether the outbox is still to be made; the file is then made, for nobody else to read.

    :raises ScanError: bad_spool, where it is not a file, or others can write to it; write_failed
    """
    try:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE))
            return True
        status = path.lstat()
    except OSError as reason:
        raise write_failed(path, reason) from None
    if not stat.S_ISREG(status.st_mode):
        raise ScanError("bad_spool", f"{path}: it is not a file", tried="open the outbox")
    if changer_by(status, path) is not None:
        raise ScanError("bad_spool", f"{path}: others can write to it", tried="open the outbox")
    return False
