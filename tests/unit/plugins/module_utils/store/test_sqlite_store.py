# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store in a file: who can read it, what keeps it from being used, and its schema."""

from __future__ import annotations

import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Mapping
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.place import Place
from ansible_collections.securescan.kubernetes.plugins.module_utils.store import database as database_module
from ansible_collections.securescan.kubernetes.plugins.module_utils.store import schema
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.address import StoreAddress
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.backup import TABLES, restore
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.database import Database
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.known_results import (
    StoreKnownResults,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.migrations import first
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.opening import (
    make_store,
    open_store,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.schema import version_of
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.store import Store
from ansible_collections.securescan.kubernetes.tests.support.stored_runs import Nights, content, target

API = target("api-1")


def reason(call: Callable[[], object]) -> str:
    with pytest.raises(ScanError) as failure:
        call()
    return failure.value.reason


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "store.db"


def test_nobody_else_reads_the_file_and_it_is_marked_as_ours(path: pathlib.Path) -> None:
    make_store(str(path)).close()
    assert path.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA application_id").fetchone() == (database_module.APPLICATION_ID,)


def test_a_file_that_others_can_change_is_refused(path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    make_store(str(path)).close()
    path.chmod(0o666)
    assert reason(lambda: open_store(str(path))) == "shared_folder"
    open_store(str(path), allow_shared=True)
    path.chmod(0o600)
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    assert reason(lambda: make_store(str(folder / "store.db"))) == "shared_folder"
    assert not (folder / "store.db").exists()
    link = tmp_path / "link.db"
    link.symlink_to(path)
    assert reason(lambda: open_store(str(link))) == "not_a_store"


def test_what_is_no_store_is_told_and_left_alone(path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    assert reason(lambda: open_store(str(path))) == "not_a_store"
    assert not path.exists()
    path.write_bytes(b"some text that is long enough to be read as a header of a file" * 40)
    path.chmod(0o600)
    before = path.read_bytes()
    for call in (open_store, make_store):
        assert reason(lambda call=call: call(str(path))) == "not_a_store"  # type: ignore[misc]
    assert path.read_bytes() == before
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE accounts (id)")
    other.chmod(0o600)
    assert reason(lambda: make_store(str(other))) == "not_a_store"
    with sqlite3.connect(other) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("accounts",)]
    assert reason(lambda: make_store(str(tmp_path / "no" / "folder" / "store.db"))) == "store_unreachable"
    assert reason(lambda: make_store(str(tmp_path))) == "not_a_store"


def test_a_store_that_is_locked_or_full_says_so_and_takes_nothing_by_halves(
    path: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    run = Nights(tmp_path).scan(0, {API: {"c-root": "failed"}})
    store = make_store(str(path))
    before = content(store)
    hurried = Store(Database(StoreAddress.of(str(path)), wait=0.1))
    holder = sqlite3.connect(path)
    holder.execute("BEGIN IMMEDIATE")
    assert reason(lambda: hurried.ingest_run(run)) == "store_locked"
    assert content(store) == before
    holder.rollback()
    holder.close()
    _limit_pages(store)
    big = Nights(tmp_path, "big").scan(
        0, {target(f"w{number}-1", cluster="big"): {"c-root": "failed"} for number in range(200)}
    )
    assert reason(lambda: store.ingest_run(big)) == "store_full"
    again = open_store(str(path))
    assert again.ingest_run(run).state == "whole"
    assert again.ingest_run(big).state == "whole"
    assert pathlib.Path(big.folder, "summary.json").exists()


def _limit_pages(store: Store) -> None:
    from sqlalchemy import event

    def limit(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA max_page_count = 80")

    event.listen(store.database._engine, "connect", limit)


def test_a_newer_schema_is_refused_by_everything(path: pathlib.Path) -> None:
    make_store(str(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE store SET value = '99' WHERE name = 'schema_version'")
    for call in (open_store, make_store):
        assert reason(lambda call=call: call(str(path))) == "store_newer"  # type: ignore[misc]


def test_each_step_of_the_schema_is_taken_once_and_none_back(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a store of the first version, with a second one that is made up."""

    def second(op: Any, sa: Any) -> None:
        op.add_column("clusters", sa.Column("provider", sa.Text, nullable=False, server_default=""))

    make_store(str(path)).close()
    monkeypatch.setattr(schema, "UPGRADES", {1: first.upgrade, 2: second})
    monkeypatch.setattr(schema, "SCHEMA_VERSION", 2)
    database = Database(StoreAddress.of(str(path)))
    assert reason(lambda: schema.check_version(database)) == "store_outdated"
    assert schema.migrate(database, 2) == (1, 2)
    assert schema.migrate(database, 2) == (2, 2)
    schema.check_version(database)
    with database.read() as work:
        assert work.rows("SELECT provider FROM clusters") == []
    assert reason(lambda: schema.migrate(database, 1)) == "store_newer"

    def broken(op: Any, sa: Any) -> None:
        op.add_column("clusters", sa.Column("region", sa.Text))
        raise ScanError("internal", "half-way")

    monkeypatch.setattr(schema, "UPGRADES", {1: first.upgrade, 2: second, 3: broken})
    assert reason(lambda: schema.migrate(database, 3)) == "internal"
    with database.read() as work:
        assert "region" not in {row["name"] for row in work.rows("PRAGMA table_info(clusters)")}
    assert schema.version_of(database) == 2, "all of a migration happens, or nothing"


def test_the_first_schema_is_what_was_released(path: pathlib.Path) -> None:
    """A version that was released is never changed: a difference here is a new version."""
    make_store(str(path)).close()
    wanted = "type <> 'view' AND sql IS NOT NULL"
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            f"SELECT sql FROM sqlite_master WHERE {wanted} ORDER BY type DESC, name"
        ).fetchall()
    found = "".join(" ".join(sql.split()) + ";\n" for (sql,) in rows)
    kept = pathlib.Path(__file__).with_name("schema_1.sql")
    if os.environ.get("SECURESCAN_WRITE_GOLDEN"):
        kept.write_text(found, encoding="utf-8")
    assert kept.read_text(encoding="utf-8") == found


def test_a_store_of_the_first_version_is_lifted_with_its_content(
    path: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """Made from the kept text, as an older version of the collection made it."""
    kept = pathlib.Path(__file__).with_name("schema_1.sql").read_text(encoding="utf-8")
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA application_id = {database_module.APPLICATION_ID}")
        connection.executescript(kept)
        connection.execute("INSERT INTO store VALUES ('schema_version', '1')")
    path.chmod(0o600)
    store = make_store(str(path))
    assert store.ingest_run(Nights(tmp_path).scan(0, {API: {"c-root": "failed"}})).state == "whole"
    assert len(store.ask("open_now").rows) == 1


_TAMPERED: Mapping[str, tuple[str, ...]] = {
    "a trigger": ("CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM findings; END",),
    "a version of bytes": ("UPDATE store SET value = x'00ff'",),
    "a version without end": (f"UPDATE store SET value = '{'9' * 6000}'",),
    "a view without end": (
        "DROP TABLE gaps",
        "CREATE VIEW gaps AS WITH RECURSIVE r(run_id) AS (SELECT 1 UNION ALL SELECT run_id + 1 FROM r)"
        " SELECT run_id, '' AS kind, '' AS namespace, '' AS name, 1 AS cause_id FROM r",
    ),
    "a table less": ("DROP TABLE findings",),
    "a column more": ("ALTER TABLE runs ADD COLUMN more",),
    "a text for a number": ("UPDATE places SET last_at = 'x'",),
    "bytes for a text": ("UPDATE places SET place = x'ff00'",),
    "no UTF-8": ("UPDATE places SET place = CAST(x'ff41' AS TEXT)",),
}


@pytest.mark.parametrize("statements", _TAMPERED.values(), ids=_TAMPERED.keys())
def test_a_backup_that_somebody_tampered_with_is_not_restored(
    statements: tuple[str, ...], path: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    store = make_store(str(path))
    store.ingest_run(Nights(tmp_path).scan(0, {API: {"c-root": "failed"}}))
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    other = Database(StoreAddress.of(str(tmp_path / "other.db")))
    assert reason(lambda: restore(str(path), other)) == "not_a_store"
    assert not other.exists or not version_of(other) or not open_store(other.address.path).ask("runs").rows


@pytest.mark.parametrize(
    "body", [b"", b"\0", zlib.compress(b"[1, 2]"), zlib.compress(b"{"), zlib.compress(b"[[], [1], [], 0]")]
)
def test_a_state_or_record_that_somebody_changed_is_an_error(
    body: bytes, path: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    store, nights = make_store(str(path)), Nights(tmp_path)
    store.ingest_run(nights.scan(1, {API: {"c-root": "failed"}}))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE states SET body = ?", (body,))
        connection.execute("UPDATE known_results SET body = ?", (body,))
    late = nights.scan(0, {API: {}})
    assert reason(lambda: open_store(str(path)).ingest_run(late)) == "not_a_store"
    assert reason(lambda: StoreKnownResults(store, "demo").of(Place.of(API).id)) == "not_a_store"


def test_two_processes_make_one_store(path: pathlib.Path) -> None:
    code = (
        "import sys\n"
        "from ansible_collections.securescan.kubernetes.plugins.module_utils.store.opening import make_store\n"
        "print(len(make_store(sys.argv[1]).ask('runs').rows))\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _process in range(3)]
    assert [process.communicate(timeout=60)[0] for process in processes] == ["0\n"] * 3


def test_every_table_is_described_and_copied(path: pathlib.Path) -> None:
    make_store(str(path)).close()
    with sqlite3.connect(path) as connection:
        tables = {
            name
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
        }
    described = set(re.findall(r"^    (\w+)  +\S", first.__doc__ or "", re.MULTILINE))
    assert described == tables
    assert tables == {*TABLES, "store"}


def test_without_the_libraries_the_error_names_them(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "sqlalchemy", None)
    with pytest.raises(ScanError, match="the store needs the Python package SQLAlchemy") as failure:
        open_store(str(path))
    assert failure.value.reason == "missing_library" and "requirements-store.txt" in failure.value.advice
