# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a store does, in a real PostgreSQL."""

from __future__ import annotations

import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Callable

import psycopg
import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.place import Place
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.database import (
    _WRITER_LOCK,
    Database,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.opening import (
    make_store,
    open_store,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.questions.question import Asked
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.store import Store
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.team_roles import TEAM_VIEWS
from ansible_collections.securescan.kubernetes.tests.support.playbooks import Playbooks
from ansible_collections.securescan.kubernetes.tests.support.postgresql_server import (
    PostgresqlServer,
    postgresql_server,
)
from ansible_collections.securescan.kubernetes.tests.support.store_scenarios import SCENARIOS, Scenario
from ansible_collections.securescan.kubernetes.tests.support.stored_runs import Nights, epoch, target


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    with postgresql_server() as running:
        yield running


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_in_postgresql(scenario: Scenario, server: PostgresqlServer, tmp_path: pathlib.Path) -> None:
    scenario(server.new_database(), tmp_path)


def test_a_role_of_a_team_reads_its_places_and_nothing_else(
    server: PostgresqlServer, tmp_path: pathlib.Path
) -> None:
    address = server.new_database()
    store, nights = make_store(address), Nights(tmp_path)
    api, pay, lonely = target("api-1"), target("pay-1", namespace="pay"), target("x-1", namespace="nobodys")
    store.ingest_run(
        nights.scan(
            0,
            {api: {"c-root": "failed"}, pay: {"c-shell": "failed"}, lonely: {"c-label": "failed"}},
            missing=[target("bare-1"), target("bare-1", namespace="pay")],
            teams={"shop": "blue", "pay": "red"},
        )
    )
    assert store.set_team_roles({"blue_reader": "blue", "red_reader": "red"}, check_mode=True)
    assert store.set_team_roles({"blue_reader": "blue", "red_reader": "red"})
    assert not store.set_team_roles({"blue_reader": "blue", "red_reader": "red"})
    server.run("CREATE ROLE ann LOGIN PASSWORD 'ann-secret' IN ROLE blue_reader")
    ann = address.replace(f"owner:{server.password}", "ann:ann-secret")
    # by the module's way
    asked = open_store(ann)
    assert [row.to_json()["place"] for row in asked.ask("open_now").rows] == [Place.of(api).id]
    assert [row.to_json()["namespace"] for row in asked.ask("not_scanned").rows] == ["shop"]
    assert {row.to_json()["namespace"] for row in asked.ask("age", Asked(at=epoch(0))).rows} == {"shop"}
    # by every view and every table
    for view in TEAM_VIEWS:
        text = repr(server.run(f"SELECT * FROM {view}", ann))
        assert "pay" not in text and "nobodys" not in text, view
    assert server.run("SELECT count(*) FROM compliance_by_namespace", ann) == [(1,)]
    assert server.run("SELECT fixed, open FROM time_to_fix ORDER BY severity", ann)[0] == (0, 1)
    assert server.run("SELECT name FROM namespaces", ann) == [("shop",)]
    assert server.run("SELECT count(*) FROM findings", ann) == [(1,)]
    assert server.run("SELECT team FROM team_roles", ann) == [("blue",)]
    for table in (
        *("documents", "templates", "targets", "known_results", "fleet_runs", "fleet_run_clusters"),
        *("coverage", "stored_runs"),
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            server.run(f"SELECT * FROM {table}", ann)
    for column, table in (("body", "states"), ("selection", "runs"), ("uid", "clusters")):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            server.run(f"SELECT {column} FROM {table}", ann)
    for statement in (
        "UPDATE namespaces SET team = 'blue'",
        "INSERT INTO team_roles VALUES ('ann', 'red')",
        "DELETE FROM findings",
        "DROP VIEW open_now",
        "SET ROLE red_reader",
        "ALTER TABLE places DISABLE ROW LEVEL SECURITY",
        "BEGIN; " + _WRITER_LOCK,
    ):
        with pytest.raises(psycopg.Error):
            server.run(statement, ann)
    with pytest.raises(ScanError, match="permission denied"):
        asked.ingest_run(nights.scan(1, {api: {}}))
    # by a function of its own that looks at rows before anybody else does
    told: list[str] = []
    with psycopg.connect(ann, autocommit=True) as connection:
        connection.add_notice_handler(lambda notice: told.append(str(notice.message_primary)))
        connection.execute(
            "CREATE FUNCTION pg_temp.tell(text) RETURNS bool LANGUAGE plpgsql COST 0.0000001"
            " AS $$BEGIN RAISE WARNING '%', $1; RETURN true; END$$"
        )
        for table, column in (
            ("namespaces", "name"),
            ("places", "place"),
            ("open_now", "place"),
            ("causes", "message"),
        ):
            connection.execute(f"SELECT * FROM {table} WHERE pg_temp.tell({column})")  # type: ignore[call-overload, unused-ignore]
    assert "shop" in told and not any("pay" in one or "nobodys" in one for one in told)
    with pytest.raises(ScanError, match="the role that ingests"):
        store.set_team_roles({"owner": "blue"})
    # a namespace that changes hands
    store.ingest_run(
        nights.scan(2, {api: {"c-root": "failed"}, pay: {}}, teams={"shop": "red", "pay": "red"})
    )
    assert server.run("SELECT count(*) FROM open_now", ann) == [(0,)]
    # a role that is no longer one
    assert store.set_team_roles({"red_reader": "red"})
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        server.run("SELECT * FROM open_now", ann)


def test_a_schema_in_which_every_role_can_make_functions_is_refused(server: PostgresqlServer) -> None:
    address = server.new_database()
    make_store(address)
    server.run("GRANT CREATE ON SCHEMA public TO PUBLIC", address)
    for call in (make_store, open_store):
        with pytest.raises(ScanError, match="every role can make functions in the schema public") as failure:
            call(address)
        assert failure.value.reason == "shared_folder"
    open_store(address, allow_shared=True)


def test_what_the_store_has_acknowledged_survives_the_death_of_the_server(tmp_path: pathlib.Path) -> None:
    nights = Nights(tmp_path)
    targets = {target(f"w{number}-1"): {"c-root": "failed"} for number in range(120)}
    run = nights.scan(0, targets)
    with postgresql_server(fsync=True) as own:
        address = own.new_database()
        make_store(address).close()
        code = (
            "import sys\n"
            "from ansible_collections.securescan.kubernetes.plugins.module_utils.store import ingest, opening, place_writer\n"
            "from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import open_run\n"
            "ingest._BATCH = 10\n"
            "batches = 0\n"
            "write = ingest.RunIngest._write\n"
            "def told(self, number, scans):\n"
            "    global batches\n"
            "    batches += 1\n"
            "    if batches > 3:\n"
            "        sys.stdin.readline()\n"
            "    done = write(self, number, scans)\n"
            "    print(*(scan.place.id for scan in scans), sep='\\n', flush=True)\n"
            "    return done\n"
            "ingest.RunIngest._write = told\n"
            "opening.open_store(sys.argv[1]).ingest_run(open_run(sys.argv[2]))\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code, address, run.folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdin and process.stdout
            acknowledged = [process.stdout.readline().strip() for _line in range(30)]
            # the server dies while one more is written, before or after; those that come then find none
            process.stdin.write("go on\n")
            process.stdin.flush()
            own.kill()
            rest, said = process.communicate(timeout=60)
        finally:
            process.kill()
        acknowledged += rest.split()
        assert process.returncode != 0 and "SCAN-831" in said, said
        own.start()
        store = open_store(address)
        there = {row.to_json()["place"] for row in store.ask("open_now", Asked(limit=1000)).rows}
        assert set(acknowledged) <= there, "what was acknowledged is there"
        assert [row.to_json()["state"] for row in store.ask("runs").rows] == ["half"]
        store.ingest_run(run)
        assert len(store.ask("open_now", Asked(limit=1000)).rows) == 120
        assert [row.to_json()["state"] for row in store.ask("runs").rows] == ["whole"]


def test_what_keeps_a_store_from_being_used_has_its_own_error(
    server: PostgresqlServer, tmp_path: pathlib.Path
) -> None:
    address = server.new_database()
    run = Nights(tmp_path).scan(0, {target("api-1"): {}})

    def reason(call: Callable[[], object]) -> str:
        with pytest.raises(ScanError) as failure:
            call()
        assert server.password not in str(failure.value) + repr(failure.value.record())
        return failure.value.reason

    assert reason(lambda: open_store(address)) == "not_a_store"
    store = make_store(address)
    assert reason(lambda: open_store(address.replace(f":{server.port}", ":1"))) == "store_unreachable"
    assert reason(lambda: open_store(address.replace(server.password, "wrong"))) == "store_unreachable"
    assert reason(lambda: open_store(address + "_not_there")) == "store_unreachable"
    with psycopg.connect(address) as holder:
        holder.execute(_WRITER_LOCK)
        hurried = Store(Database(store.database.address, wait=1.0))
        assert reason(lambda: hurried.ingest_run(run)) == "store_locked"
    store.ingest_run(run)
    server.run("UPDATE store SET value = '99' WHERE name = 'schema_version'", address)
    assert reason(lambda: open_store(address)) == "store_newer"
    assert reason(lambda: make_store(address)) == "store_newer"
    server.run("UPDATE store SET value = '0' WHERE name = 'schema_version'", address)
    other = server.new_database()
    server.run("CREATE TABLE accounts (id int)", other)
    assert reason(lambda: make_store(other)) == "not_a_store"
    assert server.run("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", other) == [(1,)]


_PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Take a run
      securescan.kubernetes.scan_store:
        store: "{{ address }}"
        run_dirs: ["{{ run_dir }}"]
      register: taken
    - name: Ask
      securescan.kubernetes.scan_store_info:
        store: "{{ address }}"
        query: open_now
      register: open
    - name: Show
      ansible.builtin.debug:
        msg: "{{ taken.runs[0].state }} {{ open.rows | map(attribute='control') | join(' ') }}"
    - name: Fail
      securescan.kubernetes.scan_store_info:
        store: "{{ address }}_not_there"
        query: open_now
"""


@pytest.mark.parametrize("connection", ["local", "bastion"])
def test_a_playbook_keeps_and_asks_and_shows_no_password(
    connection: str, server: PostgresqlServer, tmp_path: pathlib.Path
) -> None:
    """In the controller, and as modules, whose code comes to their host as an archive."""
    run = Nights(tmp_path).scan(0, {target("api-1"): {"c-root": "failed"}})
    play = tmp_path / "play.yml"
    play.write_text(_PLAY)
    done = Playbooks(tmp_path / "no-kubeconfig", tmp_path).run(
        str(play),
        "-vvv",
        ansible_connection=connection,
        address=server.new_database(),
        run_dir=run.folder,
    )
    assert done.status != 0 and "SCAN-831" in done.output
    assert "whole c-root" in done.output
    for line in done.output.splitlines():
        assert server.password not in line, line
