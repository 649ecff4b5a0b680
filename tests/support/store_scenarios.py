# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a store does, whatever database it is in: each function is a test that gets a new store's address and a folder."""

from __future__ import annotations

import hashlib
import itertools
import json
import pathlib
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Callable

from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.deadline_policy import (
    DeadlinePolicy,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.known_results import KnownResult
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.place import Place
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.address import StoreAddress
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.backup import back_up, restore
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.database import Database
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.history import StoreHistory
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.known_results import (
    StoreKnownResults,
    document_of_run,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.opening import (
    make_store,
    open_store,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.questions.question import Asked
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.questions.registry import (
    QUESTIONS,
    views,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.store import Store
from ansible_collections.securescan.kubernetes.tests.support.sample_fleet import write_sample_fleet
from ansible_collections.securescan.kubernetes.tests.support.sample_run import write_sample_run
from ansible_collections.securescan.kubernetes.tests.support.store_oracle import (
    random_histories_are_as_recomputed,
)
from ansible_collections.securescan.kubernetes.tests.support.stored_runs import (
    Nights,
    content,
    epoch,
    night,
    target,
)

Scenario = Callable[[str, pathlib.Path], None]
API, API_TOO, WEB, BARE = target("api-1"), target("api-2"), target("web-1"), target("bare-1")
PAY = target("pay-1", namespace="pay")
API_PLACE, WEB_PLACE = Place.of(API).id, Place.of(WEB).id


def rows(store: Store, question: str, *names: str, **asked: Any) -> list[tuple[Any, ...]]:
    """Some columns of all rows of an answer."""
    return [tuple(getattr(row, name) for name in names) for row in store.ask(question, Asked(**asked)).rows]


def _refusal(call: Callable[[], object]) -> str:
    try:
        call()
    except ScanError as error:
        return error.reason
    return ""


def a_finding_has_a_row_for_each_change_and_a_life(address: str, folder: pathlib.Path) -> None:
    store, nights = make_store(address), Nights(folder)
    for number, status in enumerate(["failed", "failed", "error", "passed", "passed", "failed"]):
        store.ingest_run(nights.scan(number, {API: {"c-root": status}}))
    told = rows(store, "place_history", "since", "until", "status", "began", "became", place=API_PLACE)
    assert told == [
        (night(0), night(2), "failed", "opened", "profile_error"),
        (night(2), night(3), "profile_error", "changed", "passed"),
        (night(5), None, "failed", "reopened", None),
    ]
    assert rows(store, "open_now", "control", "opened", "since", "severity") == [
        ("c-root", night(5), night(5), "critical")
    ]
    assert rows(store, "open_at", "control", "status", "opened", at=epoch(2) + 60) == [
        ("c-root", "profile_error", night(0))
    ]
    assert rows(store, "open_at", "control", at=epoch(4)) == []
    assert rows(store, "changes", "at", "change", since=epoch(1), until=epoch(5)) == [
        (night(2), "changed"),
        (night(3), "fixed"),
        (night(5), "reopened"),
    ]
    fixed = rows(store, "time_to_fix", "severity", "fixed", "half", "open")
    assert fixed[0] == ("critical", 1, 3 * 86400, 1) and fixed[1] == ("high", 0, None, 0)


def runs_in_any_order_give_the_same_content(address: str, folder: pathlib.Path) -> None:
    """Orders of four runs, in stores beside each other."""
    nights = Nights(folder)
    runs = [
        nights.scan(0, {API: {"c-root": "failed"}, WEB: {"c-shell": "skipped"}}, teams={"shop": "blue"}),
        nights.scan(
            1, {API: {"c-root": "failed", "c-label": "failed"}}, missing=[WEB], teams={"shop": "red"}
        ),
        nights.scan(2, {API: {}, API_TOO: {"c-shell": "error"}}),
        nights.scan(
            3, {API: {"c-root": "failed"}, WEB: {}}, sha256="cd" * 32, controls=("c-root", "c-label")
        ),
    ]
    expected: dict[str, list[str]] = {}
    orders = list(itertools.permutations(runs))[:: _EVERY[StoreAddress.of(address).kind]]
    for number, order in enumerate(orders):
        store = make_store(_other(address, folder, number))
        for run in [*order, order[0]]:
            store.ingest_run(run, evidence="latest" if number % 2 else "all")
        found = content(store)
        if number % 2:  # another policy keeps other documents, and the rest is the same
            for table in ("documents", "templates", "pieces", "targets"):
                found[table] = expected[table]
        expected = expected or found
        for table, lines in found.items():
            assert lines == expected[table], (table, [run.run_id for run in order])
        store.close()


# Of the 24 orders, one in so many is tried: each needs a store of its own.
_EVERY = {"sqlite": 2, "postgresql": 5}


def _other(address: str, folder: pathlib.Path, number: int) -> str:
    """One more store like that at the address."""
    if StoreAddress.of(address).kind == "sqlite":
        return str(folder / f"other-{number}.db")
    import psycopg

    name = f"{StoreAddress.of(address).database}_{number}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload, unused-ignore]
    return address.rpartition("/")[0] + f"/{name}"


def an_unchanged_night_costs_a_few_numbers(address: str, folder: pathlib.Path) -> None:
    store, nights = make_store(address), Nights(folder)
    store.ingest_run(nights.scan(0, {API: {"c-root": "failed"}}))
    before = content(store)
    store.ingest_run(nights.scan(1, {API: {"c-root": "failed"}}))
    after = content(store)
    grown = {
        table: len(after[table]) - len(before[table])
        for table in after
        if len(after[table]) != len(before[table])
    }
    assert grown == {"runs": 1, "scans": 1, "documents": 1}
    with store.database.read() as work:
        assert work.value("SELECT MAX(length(holes)) FROM documents") < 120


def the_worst_of_several_replicas_counts_and_is_said(address: str, folder: pathlib.Path) -> None:
    store = make_store(address)
    store.ingest_run(Nights(folder).scan(0, {API: {}, API_TOO: {"c-root": "failed"}, WEB: {}}))
    assert rows(store, "open_now", "place", "containers") == [(API_PLACE, 1)]
    assert rows(store, "image_places", "place", "containers", "failed", image="registry/api") == [
        (API_PLACE, 2, 1),
        (WEB_PLACE, 1, 0),
    ]


def a_place_that_a_whole_run_does_not_find_is_gone_and_not_fixed(address: str, folder: pathlib.Path) -> None:
    store, nights = make_store(address), Nights(folder)
    store.ingest_run(nights.scan(0, {API: {"c-root": "failed"}, WEB: {"c-root": "failed"}}))
    narrow = {"namespaces": ["shop"], "workloads": ["api"], "container_kinds": ["container"]}
    store.ingest_run(nights.scan(1, {API: {"c-root": "failed"}}, selection=narrow))
    assert len(rows(store, "open_now", "place")) == 2, "a run that looked at api only says nothing of web"
    store.ingest_run(nights.scan(2, {API: {"c-root": "failed"}}))
    assert rows(store, "open_now", "place") == [(API_PLACE,)]
    assert rows(store, "changes", "change", "status", "place", since=epoch(1)) == [
        ("closed", "gone", WEB_PLACE)
    ]
    assert rows(store, "time_to_fix", "fixed")[0] == (0,)
    assert rows(store, "compliance_over_time", "at", "places") == [(night(0), 2), (night(2), 1)]
    assert {row[0] for row in rows(store, "open_at", "place", at=epoch(1))} == {API_PLACE, WEB_PLACE}
    store.ingest_run(nights.scan(3, {API: {}, WEB: {"c-root": "failed"}}))
    assert rows(store, "open_now", "place", "opened") == [(WEB_PLACE, night(0))], "it is there again"


def what_a_run_does_not_judge_stays_open(address: str, folder: pathlib.Path) -> None:
    store, nights = make_store(address), Nights(folder)
    store.ingest_run(nights.scan(0, {API: {"c-root": "failed"}, WEB: {"c-root": "failed"}}))
    store.ingest_run(nights.scan(1, {WEB: {"c-root": "skipped"}}, missing=[API]))
    assert rows(store, "open_now", "place", "status", "seen", "opened") == [
        (API_PLACE, "failed", night(0), night(0)),
        (WEB_PLACE, "not_reviewed", night(1), night(0)),
    ]
    assert rows(store, "not_scanned", "place", "code", "containers") == [(API_PLACE, "SCAN-501", 1)]
    assert rows(store, "changes", "change", "status", since=epoch(1)) == [("changed", "not_reviewed")]
    assert rows(store, "coverage", "cluster", "state", "expected", "scanned") == [
        ("demo", "partly_scanned", 2, 1)
    ]
    store.ingest_run(nights.scan(2, {API: {}}, sha256="cd" * 32, controls=("c-shell",)))
    assert rows(store, "changes", "change", "status", since=epoch(2)) == [
        ("closed", "absent"),
        ("closed", "gone"),
    ], "a control that the profile no longer has is not fixed"


def what_some_containers_hide_stays_open(address: str, folder: pathlib.Path) -> None:
    store, nights = make_store(address), Nights(folder)
    store.ingest_run(nights.scan(0, {API: {}, API_TOO: {"c-root": "failed"}}))
    store.ingest_run(nights.scan(1, {API: {}}, missing=[API_TOO]))
    assert rows(store, "open_now", "control", "opened") == [("c-root", night(0))]
    store.ingest_run(nights.scan(2, {API: {"c-shell": "failed"}}, missing=[API_TOO], controls=("c-shell",)))
    assert rows(store, "open_now", "control", "opened") == [("c-root", night(0)), ("c-shell", night(2))]
    store.ingest_run(nights.scan(3, {API: {}, API_TOO: {}}))
    assert rows(store, "open_now", "control") == []
    assert rows(store, "changes", "change", since=epoch(3)) == [("fixed",), ("fixed",)]


def a_control_counts_while_its_profile_judges(address: str, folder: pathlib.Path) -> None:
    store, nights = make_store(address), Nights(folder)
    store.ingest_run(nights.scan(0, {API: {"c-root": "failed"}, WEB: {"c-root": "failed"}}))
    store.ingest_run(
        nights.scan(
            1, {API: {"w-own": "failed"}, WEB: {}}, profile="other", sha256="ef" * 32, controls=("w-own",)
        )
    )
    store.ingest_run(nights.scan(2, {API: {}, WEB: {"c-root": "failed"}}))
    names = ("at", "places", "passed", "failed", "compliance")
    found = rows(store, "compliance_over_time", *names, by="control", control="c-root")
    assert found == [(night(0), 2, 0, 2, 0.0), (night(1), 0, 0, 0, None), (night(2), 2, 1, 1, 50.0)]
    assert rows(store, "open_now", "place", "control") == [(WEB_PLACE, "c-root"), (API_PLACE, "w-own")]


def an_age_is_that_of_its_moment(address: str, folder: pathlib.Path) -> None:
    store, nights = make_store(address), Nights(folder)
    store.set_deadlines(_policy())
    for number in (0, 4):
        store.ingest_run(nights.scan(number, {API: {}}, teams={"shop": "red"}))
    names = ("seen", "age", "due", "overdue")
    assert rows(store, "age", *names, at=epoch(2)) == [(night(0), 2 * 86_400, "2026-11-02T08:00:00Z", 1)]
    assert rows(store, "age", "seen", "age", at=epoch(4)) == [(night(4), 0)]


def every_document_comes_back_to_the_byte(address: str, folder: pathlib.Path) -> None:
    store, nights = make_store(address), Nights(folder)
    runs = [nights.scan(number, {API: {"c-root": "failed"}, API_TOO: {}, WEB: {}}) for number in range(3)]
    runs.append(write_sample_run(folder))
    for run in runs:
        store.ingest_run(run)
    for run in runs:
        for record in run.targets:
            data = document_of_run(store, run.cluster, run.run_id, record.target_id)
            if not record.is_scanned:
                assert data is None
                continue
            assert data == (pathlib.Path(run.folder) / record.hdf).read_bytes()
            assert hashlib.sha256(data).hexdigest() == record.hdf_sha256


def a_policy_decides_which_documents_stay(address: str, folder: pathlib.Path) -> None:
    nights = Nights(folder)
    runs = [nights.scan(number, {API: {"c-root": "failed"}, WEB: {}}) for number in range(2)]
    kept = {}
    for number, policy in enumerate(("all", "failed", "latest", "none")):
        store = make_store(_other(address, folder, number))
        for run in runs:
            store.ingest_run(run, evidence=policy)
        with store.database.read() as work:
            found = work.rows(
                "SELECT t.target_id, r.run_id FROM documents d JOIN targets t ON t.id = d.target_id"
                " JOIN runs r ON r.id = d.run_id"
            )
        kept[policy] = sorted(
            (row["target_id"] == API.identity()["target_id"], row["run_id"]) for row in found
        )
        store.close()
    assert kept == {
        "all": [(False, "night-0"), (False, "night-1"), (True, "night-0"), (True, "night-1")],
        "failed": [(True, "night-0"), (True, "night-1")],
        "latest": [(False, "night-1"), (True, "night-1")],
        "none": [],
    }
    assert _refusal(lambda: make_store(address).ingest_run(runs[0], evidence="some")) == "bad_option"


def a_document_that_was_changed_leaves_the_run_half_there(address: str, folder: pathlib.Path) -> None:
    store, nights = make_store(address), Nights(folder)
    run = nights.scan(0, {API: {"c-root": "failed"}, API_TOO: {}, WEB: {"c-root": "failed"}})
    changed = pathlib.Path(run.folder) / next(one.hdf for one in run.targets if one.pod == "api-2")
    whole = changed.read_bytes()
    changed.write_bytes(whole.replace(b"passed", b"failed", 1))
    taken = store.ingest_run(run)
    assert (taken.state, taken.places, len(taken.refused)) == ("half", 1, 1)
    assert "is not the document that the run wrote" in taken.refused[0]
    assert rows(store, "open_now", "place") == [(WEB_PLACE,)], "nothing of a place whose document was changed"
    ((state, refused),) = rows(store, "runs", "state", "refused")
    assert state == "half" and API_PLACE in refused
    assert rows(store, "coverage", "stored") == [("half",)]
    changed.write_bytes(whole)
    taken = store.ingest_run(run)
    assert (taken.state, taken.places, taken.known) == ("whole", 1, 1)
    assert len(rows(store, "open_now", "place")) == 2


def another_run_of_the_same_name_is_refused(address: str, folder: pathlib.Path) -> None:
    store = make_store(address)
    store.ingest_run(Nights(folder / "one").scan(0, {API: {}}))
    other = Nights(folder / "other").scan(0, {API: {"c-root": "failed"}})
    before = content(store)
    assert _refusal(lambda: store.ingest_run(other)) == "run_refused"
    assert content(store) == before
    store.ingest_run(Nights(folder, "second").scan(0, {API: {"c-root": "failed"}}))


def two_processes_take_the_same_run(address: str, folder: pathlib.Path) -> None:
    store = make_store(address)
    targets = {target(f"w{number}-1"): {"c-root": "failed"} for number in range(60)}
    run = Nights(folder).scan(0, targets)
    code = (
        "import sys\n"
        "from ansible_collections.securescan.kubernetes.plugins.module_utils.store import ingest, opening\n"
        "from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import open_run\n"
        "ingest._BATCH = 7\n"
        "print(opening.open_store(sys.argv[1]).ingest_run(open_run(sys.argv[2])).places)\n"
    )
    commands = [[sys.executable, "-c", code, address, run.folder]] * 2
    with _started(commands) as processes:
        written = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert sum(written) == 60
    assert len(rows(store, "open_now", "place")) == 60
    assert rows(store, "runs", "state", "documents") == [("whole", 60)]


class _started:  # noqa: N801 - used as a function
    def __init__(self, commands: Sequence[Sequence[str]]) -> None:
        self._commands = commands

    def __enter__(self) -> list[subprocess.Popen[str]]:
        self._processes = [
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in self._commands
        ]
        return self._processes

    def __exit__(self, *_exception: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


def hostile_words_stay_words(address: str, folder: pathlib.Path) -> None:
    store = make_store(address)
    run = write_sample_run(folder)
    store.ingest_run(run)
    for question in QUESTIONS.values():
        for name in question.parameters:
            if name in ("at", "since", "until", "by", "severity"):  # of these only known words are taken
                continue
            given = {one: "x" for one in question.needs if one != "at"}
            given.update({"at": epoch(0)} if "at" in question.needs else {})
            given[name] = "' OR 1=1; DROP TABLE findings; --"
            if question.name == "compliance_over_time":
                given["by"] = "control" if name == "control" else "profile"
            answer = store.ask(question.name, Asked(**given))
            assert not answer.rows or question.name == "time_to_fix"
    assert len(rows(store, "open_now", "place")) == 8
    cut = store.ask("open_now", Asked(limit=3))
    assert len(cut.rows) == 3 and cut.truncated
    json.dumps([row.to_json() for row in cut.rows])


def views_and_questions_say_the_same(address: str, folder: pathlib.Path) -> None:
    store, nights = make_store(address), Nights(folder)
    store.set_deadlines(_policy())
    for number in range(3):
        store.ingest_run(
            nights.scan(
                number,
                {API: {"c-root": "failed"} if number else {}, PAY: {"c-label": "error"}},
                missing=[BARE],
            )
        )
    asked = {"place_histories": Asked(place=API_PLACE), "finding_changes": Asked()}
    names = {name: (question, by) for question in QUESTIONS.values() for name, by in question.views.items()}
    assert {name for name, _sql in views(store.database)} == names.keys()
    for name, (question, by) in names.items():
        given = asked.get(name, Asked(by=by))
        answer = store.ask(question.name, given)
        with store.database.read() as work:
            found = [question.row_of(row) for row in work.rows(f"SELECT * FROM {name}")]
        if name == "place_histories":
            found = [row for row in found if row.to_json()["place"] == API_PLACE]
        ages = ("age", "oldest")  # of two moments
        assert sorted(_without(row, ages) for row in found) == sorted(
            _without(row, ages) for row in answer.rows
        ), name
        assert answer.rows, name


def _without(row: Any, names: Sequence[str]) -> str:
    return repr({name: value for name, value in row.to_json().items() if name not in names})


def _policy() -> DeadlinePolicy:
    return DeadlinePolicy.of_mapping(
        {
            "default": {"scan_every_hours": 24 * 3650, "fix_within_days": {"critical": 3650, "low": 2}},
            "environments": {"production": {"scan_every_hours": 30, "fix_within_days": {"critical": 1}}},
        }
    )


def deadlines_tell_what_is_overdue(address: str, folder: pathlib.Path) -> None:
    store, nights = make_store(address), Nights(folder)
    assert store.set_deadlines(_policy(), check_mode=True)
    assert store.set_deadlines(_policy()) and not store.set_deadlines(_policy())
    store.ingest_run(
        nights.scan(
            0, {API: {"c-root": "failed", "c-label": "failed", "c-shell": "failed"}}, teams={"shop": "blue"}
        )
    )
    at = epoch(1) + 5
    assert rows(store, "open_at", "control", "due", "overdue", at=at) == [
        ("c-root", night(1), 1),
        ("c-shell", None, 0),
        ("c-label", night(2), 0),
    ]
    assert rows(store, "age", "age", "overdue", at=at) == [(86405, 0)]
    assert rows(store, "age", "overdue", at=epoch(2)) == [(1,)]
    history = StoreHistory(store)
    (life, *_others) = [one for one in history.lives(["demo"]) if one.control_id == "c-root"]
    assert (life.due, life.overdue) == (night(1), True)
    assert store.set_deadlines(None)
    assert rows(store, "open_now", "due")[0] == (None,)


def the_history_has_a_point_a_day_and_the_lives(address: str, folder: pathlib.Path) -> None:
    store = make_store(address)
    demo, edge = Nights(folder), Nights(folder, "edge")
    for number in range(3):
        store.ingest_run(demo.scan(number, {API: {"c-root": "failed"} if number < 2 else {}}))
        store.ingest_run(edge.scan(number, {target("api-1", cluster="edge"): {"c-shell": "failed"}}))
    history = StoreHistory(store, since=epoch(1))
    points = list(history.trend(["demo", "edge"]))
    fleet = [point for point in points if not point.cluster]
    assert [
        (point.at, point.expected, point.open_findings["critical"], point.open_findings["high"])
        for point in fleet
    ] == [
        (night(0), 2, 1, 1),
        (night(1), 2, 1, 1),
        (night(2), 2, 0, 1),
    ]
    assert [round(point.compliance or 0, 1) for point in fleet] == [66.7, 66.7, 83.3]
    assert history.since == night(1)
    lives = {one.control_id: one for one in history.lives(["demo", "edge"])}
    assert (lives["c-root"].opened, lives["c-root"].closed) == (night(0), night(2))
    assert lives["c-root"].changes == ((night(0), "failed"), (night(2), "passed"))
    assert (lives["c-shell"].closed, lives["c-shell"].place_id) == ("", "edge/shop/Deployment/api/app")
    assert not list(StoreHistory(store, since=epoch(3)).lives(["demo"]))


def a_store_knows_the_last_results_of_places(address: str, folder: pathlib.Path) -> None:
    store, nights = make_store(address), Nights(folder)
    runs = [
        nights.scan(number, {API: {"c-root": "failed"}, API_TOO: {}}, missing=[BARE]) for number in range(2)
    ]
    for run in reversed(runs):
        store.ingest_run(run)
    known = StoreKnownResults(store, "demo")
    wanted = [KnownResult.of(runs[1], record) for record in runs[1].targets if record.place_id == API_PLACE]
    assert sorted(known.of(API_PLACE), key=lambda one: one.target_id) == sorted(
        wanted, key=lambda one: one.target_id
    )
    assert [one.result for one in known.of(Place.of(BARE).id)] == ["not_scanned"]
    assert (
        list(known.of("demo/no/such/place/x")) == [] == list(StoreKnownResults(store, "other").of(API_PLACE))
    )
    for one in wanted:
        assert known.document(one) == (pathlib.Path(runs[1].folder) / one.record.hdf).read_bytes()


def old_things_are_forgotten_and_what_lasts_stays(address: str, folder: pathlib.Path) -> None:
    store, nights = make_store(address), Nights(folder)
    runs = [
        nights.scan(0, {API: {"c-root": "failed", "c-shell": "failed"}, WEB: {"c-root": "failed"}}),
        nights.scan(1, {API: {"c-root": "failed"}}),
        nights.scan(2, {API: {"c-root": "failed"}}),
        nights.scan(5, {API: {"c-root": "failed"}, PAY: {}}),
    ]
    for run in runs:
        store.ingest_run(run)
    before = content(store)
    planned = store.prune(epoch(3), epoch(3), check_mode=True)
    assert planned.changed and content(store) == before
    assert store.prune(epoch(3), epoch(3)).rows == planned.rows
    assert rows(store, "open_now", "control", "opened") == [("c-root", night(0))]
    assert rows(store, "runs", "run_id") == [("night-5",)]
    assert rows(store, "changes", "change", until=epoch(2)) == [("opened",)], (
        "what was closed long ago is forgotten"
    )
    assert not store.prune(epoch(3), epoch(3)).changed
    assert _refusal(lambda: store.ingest_run(runs[0])) == "run_refused"
    late = nights.scan(4, {API: {}})
    store.ingest_run(late)
    assert rows(store, "open_now", "opened") == [(night(5),)], "what comes late is still put in its place"


def a_half_run_that_is_older_than_what_is_kept_is_not_finished(address: str, folder: pathlib.Path) -> None:
    store, nights = make_store(address), Nights(folder)
    half = nights.scan(0, {API: {"c-root": "failed"}, PAY: {}, WEB: {}})
    lost = next(record for record in half.targets if record.namespace == "pay")
    path = pathlib.Path(half.folder) / lost.hdf
    away = path.rename(path.with_suffix(".away"))
    assert store.ingest_run(half).state == "half"
    narrow = {"namespaces": ["*"], "container_kinds": ["container"], "exclude_workloads": ["web"]}
    for number in (1, 4):
        store.ingest_run(nights.scan(number, {API: {"c-root": "failed"}, PAY: {}}, selection=narrow))
    assert store.prune(epoch(3), epoch(3)).changed
    away.rename(path)
    before = content(store)
    assert _refusal(lambda: store.ingest_run(half)) == "run_refused"
    assert content(store) == before
    assert rows(store, "open_now", "place", "opened") == [(API_PLACE, night(0))]
    assert ("night-0",) in rows(store, "runs", "run_id"), "the store knows web from it"


def a_backup_is_a_store_and_is_restored(address: str, folder: pathlib.Path) -> None:
    store, nights = make_store(address), Nights(folder)
    for number in range(2):
        store.ingest_run(nights.scan(number, {API: {"c-root": "failed"}, PAY: {}}, missing=[BARE]))
    path = str(folder / "backup.db")
    assert back_up(store, path) > 0
    assert pathlib.Path(path).stat().st_mode & 0o777 == 0o600
    assert content(open_store(path)) == content(store)
    assert _refusal(lambda: back_up(store, path)) == "bad_option"
    assert _refusal(lambda: restore(path, store.database)) == "bad_option", (
        "a store with content is not overwritten"
    )
    other = Database(StoreAddress.of(_other(address, folder, 77)))
    restore(path, other)
    again = open_store(_address(other, address))
    assert content(again) == content(store)
    again.ingest_run(nights.scan(2, {API: {}, WEB: {"c-root": "failed"}}))
    assert rows(again, "open_now", "place") == [(WEB_PLACE,)], "numbers go on behind the restored ones"
    broken = folder / "broken.db"
    broken.write_bytes(pathlib.Path(path).read_bytes()[:5000] + b"x" * 5000)
    empty = Database(StoreAddress.of(_other(address, folder, 78)))
    assert _refusal(lambda: restore(str(broken), empty)) == "not_a_store"


def _address(database: Database, like: str) -> str:
    own = database.address
    return own.path if own.kind == "sqlite" else like.rpartition("/")[0] + f"/{own.database}"


def a_gate_that_decides_later_is_taken(address: str, folder: pathlib.Path) -> None:
    store = make_store(address)
    decided = write_sample_run(folder)
    results = {record.target_id: "not_judged" for record in decided.targets if record.is_scanned}
    undecided = decided.without_gate(results)
    first = store.ingest_run(undecided)
    assert rows(store, "runs", "gate") == [("",)]
    store.ingest_run(decided)
    assert rows(store, "runs", "gate") == [("failed",)]
    assert first.state == "whole"
    other = make_store(_other(address, folder, 1))
    other.ingest_run(decided)
    assert content(other) == content(store)


def a_fleet_run_tells_which_clusters_have_no_run_and_why(address: str, folder: pathlib.Path) -> None:
    store = make_store(address)
    fleet_run = write_sample_fleet(folder)
    store.ingest_fleet_run(fleet_run)
    names = ("cluster", "run_id", "stored", "expected", "scanned", "why")
    for cluster, run_id, stored, *counts, why in rows(store, "coverage", *names):
        (entry,) = (one for one in fleet_run.clusters if one.cluster == cluster)
        assert (run_id, counts) == (entry.run_id, [entry.targets.selected, entry.targets.scanned])
        assert (stored == "half") == entry.has_run
        assert why or not entry.has_run
    for run in fleet_run.runs():
        if run is not None:
            store.ingest_run(run)
    assert not store.ingest_fleet_run(fleet_run).is_new
    told = {row[0]: row[1:] for row in rows(store, "coverage", "cluster", "state", "run_id", "why")}
    assert told.keys() == set(fleet_run.expected)
    for entry in fleet_run.clusters:
        state, run_id, why = told[entry.cluster]
        assert run_id == entry.run_id
        if not entry.has_run:
            assert state == entry.state and why == (entry.error.message if entry.error else "")


def compliance_is_told_by_each_group(address: str, folder: pathlib.Path) -> None:
    store, nights = make_store(address), Nights(folder)
    teams = {"shop": "blue", "pay": "red"}
    for number in range(2):
        store.ingest_run(
            nights.scan(
                number, {API: {"c-root": "failed"} if number else {}, PAY: {"c-label": "failed"}}, teams=teams
            )
        )
    wanted = {
        "fleet": [("", 83.33), ("", 66.67)],
        "cluster": [("demo", 83.33), ("demo", 66.67)],
        "namespace": [("demo/pay", 66.67), ("demo/shop", 100.0), ("demo/shop", 66.67)],
        "team": [("blue", 100.0), ("red", 66.67), ("blue", 66.67)],
        "workload": [
            ("demo/pay/Deployment/pay", 66.67),
            ("demo/shop/Deployment/api", 100.0),
            ("demo/shop/Deployment/api", 66.67),
        ],
        "profile": [("baseline", 83.33), ("baseline", 66.67)],
        "control": [
            ("baseline c-label", 50.0),
            ("baseline c-root", 100.0),
            ("baseline c-shell", 100.0),
            ("baseline c-root", 50.0),
        ],
    }
    for by, points in wanted.items():
        found = rows(store, "compliance_over_time", "at", "name", "compliance", by=by)
        # a change that changes nothing of a group's numbers is a point, too
        assert [(name, value) for _at, name, value in found if (name, value) in points][: len(points)], by
        assert {(name, value) for _at, name, value in found} == set(points), (by, found)
    assert (
        _refusal(lambda: store.ask("compliance_over_time", Asked(by="team", control="c-root")))
        == "bad_option"
    )
    assert rows(store, "compliance_over_time", "compliance", by="control", control="c-root", team="red") == [
        (100.0,)
    ]


def questions_refuse_what_they_do_not_know(address: str, folder: pathlib.Path) -> None:
    store = make_store(address)
    for question, asked in (
        ("open", Asked()),
        ("open_at", Asked()),
        ("open_now", Asked(at=1)),
        ("place_history", Asked()),
        ("compliance_over_time", Asked(by="colour")),
    ):
        assert _refusal(lambda question=question, asked=asked: store.ask(question, asked)) == "bad_option"  # type: ignore[misc]


def numbers_and_times_that_no_run_has_are_refused(address: str, folder: pathlib.Path) -> None:
    store, nights = make_store(address), Nights(folder)
    run = nights.scan(0, {API: {"c-root": "failed"}})
    for started in ("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "soon"):
        assert (
            _refusal(lambda started=started: store.ingest_run(replace(run, started=started))) == "bad_results"
        )  # type: ignore[misc]
    (record,) = run.targets
    for number, seen in enumerate(("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2000-01-01T00:00:00Z")):
        hostile = replace(
            run, run_id=f"odd-{number}", finished="0001-01-01T00:00:00Z" if number else seen,
            targets=(replace(record, seen=seen, hdf="hdf/\0" if number == 1 else record.hdf),),
        )  # fmt: skip
        taken = store.ingest_run(hostile)
        assert taken.state == ("half" if number == 1 else "whole")
    store.set_deadlines(_policy())
    assert len(rows(store, "runs", "finished")) == 3
    (told,) = rows(store, "age", "seen", "overdue", at=epoch(3660))
    assert told[1] == 1 or str(told[0]) > night(0)
    path = pathlib.Path(run.folder) / "summary.json"
    given = path.read_text(encoding="utf-8")
    for name, value in (
        ("replicas", 2**40),
        ("replicas", 10**400),
        ("duration", "NaN"),
        ("duration", 10**400),
    ):
        summary = json.loads(given)
        summary["targets"][0][name] = value
        path.write_text(json.dumps(summary).replace('"NaN"', "NaN"), encoding="utf-8")
        assert _refusal(lambda: open_run(run.folder)) == "bad_results", (name, value)


SCENARIOS: Sequence[Scenario] = (
    a_finding_has_a_row_for_each_change_and_a_life,
    runs_in_any_order_give_the_same_content,
    an_unchanged_night_costs_a_few_numbers,
    the_worst_of_several_replicas_counts_and_is_said,
    a_place_that_a_whole_run_does_not_find_is_gone_and_not_fixed,
    what_a_run_does_not_judge_stays_open,
    what_some_containers_hide_stays_open,
    a_control_counts_while_its_profile_judges,
    an_age_is_that_of_its_moment,
    every_document_comes_back_to_the_byte,
    a_policy_decides_which_documents_stay,
    a_document_that_was_changed_leaves_the_run_half_there,
    another_run_of_the_same_name_is_refused,
    two_processes_take_the_same_run,
    hostile_words_stay_words,
    views_and_questions_say_the_same,
    deadlines_tell_what_is_overdue,
    the_history_has_a_point_a_day_and_the_lives,
    a_store_knows_the_last_results_of_places,
    old_things_are_forgotten_and_what_lasts_stays,
    a_half_run_that_is_older_than_what_is_kept_is_not_finished,
    a_backup_is_a_store_and_is_restored,
    a_gate_that_decides_later_is_taken,
    a_fleet_run_tells_which_clusters_have_no_run_and_why,
    compliance_is_told_by_each_group,
    questions_refuse_what_they_do_not_know,
    numbers_and_times_that_no_run_has_are_refused,
    random_histories_are_as_recomputed,
)
