# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A year of simulated nightly scans in a store: its size, and the time of each question.

    python store_growth.py PATH|postgresql|postgresql://... [--nights 365] [--targets 1000] [--controls 116] [--evidence all]

The word postgresql starts a server of its own. Each night every target is scanned, and 1 % of them have a control that changes.
What comes after the reading of documents is the store's own code; the documents are made once and get the times of each night, as
a scan would write them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pathlib
import random
import sys
import time
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.place import Place
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import (
    NamespaceOwner,
    ProfileReference,
    Run,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_summary_builder import (
    RunSummaryBuilder,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.target_record import TargetRecord
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.documents import (
    PackedDocument,
    pack,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.history import StoreHistory
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.ingest import RunIngest
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.opening import make_store
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.place_writer import PlaceWriter
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.questions.question import Asked
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.run_reader import (
    PackedTarget,
    PlaceScan,
    encode_records,
    seconds,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.state import (
    DocumentReader,
    PlaceState,
    SeenTarget,
    merged,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.store import Store
from ansible_collections.securescan.kubernetes.plugins.module_utils.strict_json import dump_json
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import Target
from ansible_collections.securescan.kubernetes.tests.support.postgresql_server import postgresql_server
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_judgement,
    make_profile,
    make_target,
)

FIRST = datetime(2025, 11, 30, 2, 0, tzinfo=timezone.utc)
NAMESPACES, CHANGED = 40, 0.01
SHA256 = "ab" * 32
_READER = DocumentReader()


def moment(night: int) -> str:
    return (FIRST + timedelta(days=night)).strftime("%Y-%m-%dT%H:%M:%SZ")


class SimulatedTarget:
    """One target with the document that it has until a control of it changes."""

    def __init__(self, number: int, controls: int) -> None:
        chance = random.Random(number)
        image = chance.randrange(60)
        self.target: Target = make_target(
            f"api-{number}-x", workload=f"api-{number}", namespace=f"team-{number % NAMESPACES}",
            image=f"registry.example.com/shop/service-{image}:1", image_digest=f"sha256:{image:064x}",
        )  # fmt: skip
        of_image = random.Random(image)
        self.statuses = [
            of_image.choices(["passed", "failed", "skipped"], [80, 12, 8])[0] for _control in range(controls)
        ]
        self.record: TargetRecord | None = None
        self.make()

    def change(self, chance: random.Random) -> None:
        control = chance.randrange(len(self.statuses))
        self.statuses[control] = "failed" if self.statuses[control] == "passed" else "passed"
        self.make()

    def make(self) -> None:
        made = [
            make_control(
                f"cb-control-{number}", status, status, impact=(1.0, 0.7, 0.5, 0.3)[number % 4],
                tags={"nist": ["AC-6"], "cis": f"5.{number}"},
                desc=f"Description of control {number}, which is as long as those of a real profile are. " * 6,
                descriptions={"fix": f"How to mend control {number}, in the words of a real profile. " * 5},
            )
            for number, status in enumerate(self.statuses)
        ]  # fmt: skip
        profile = make_profile("container-baseline", *made)
        document = hdf_document(make_judgement(self.target, profile))
        self.packed: PackedDocument = pack(dump_json(document) + b"\n")
        seen: SeenTarget = _READER.read(document, "simulated")
        self.state: PlaceState = merged(
            [(seen, 1)], [(self.target.image, self.target.image_digest)], "target"
        )
        self.profiles = seen.profiles
        self.document = document
        self.record = None


class SimulatedNight:
    """Gives what a RunReader reads."""

    def __init__(self, targets: dict[str, SimulatedTarget], night: int) -> None:
        self._targets, self._night = targets, night
        # as many holes as the document of 116 controls with two tests each has
        times, took = [moment(night).encode()] * 232, [b"0.001"] * 232
        kinds = (times, took, times[:1], [b"0.25"] * 2, [f"night-{night}".encode()])
        self._holes = zlib.compress(b"\0".join(b"\n".join(values) for values in kinds), 9)

    def scan(self, place: Place, records: Sequence[TargetRecord]) -> PlaceScan:
        (record,) = records
        one = self._targets[record.target_id]
        sha256 = hashlib.sha256(f"{record.target_id} {self._night}".encode()).digest()
        document = replace(one.packed, sha256=sha256, holes=self._holes)
        return PlaceScan(
            place, "container", one.state, one.profiles, seconds(moment(self._night)), False, None, 0,
            [PackedTarget(record.target_id, document)], encode_records(records),
        )  # fmt: skip


def simulated_run(targets: Sequence[SimulatedTarget], night: int) -> Run:
    builder = RunSummaryBuilder(
        run_id=f"night-{night}",
        started=moment(night),
        cluster="demo",
        selection={"namespaces": ["*"], "container_kinds": ["container"]},
        profiles=[ProfileReference("container-baseline", "1.2.0", SHA256)],
        namespaces=[
            NamespaceOwner(f"team-{number}", f"team-{number % 10}", "production")
            for number in range(NAMESPACES)
        ],
    )
    for one in targets:
        if one.record is None:
            one.record = builder.add_scanned(
                one.target.identity(),
                "exec",
                0.25,
                one.document,
                f"hdf/{one.target.pod}.json",
                hdf_sha256="ab" * 32,
            )
            one.document = {}
        else:
            builder._targets.append(one.record)
    return builder.finish(moment(night), 2.0)


def size(store: Store, address: str) -> int:
    if store.database.is_sqlite:
        with store.database.raw() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return pathlib.Path(address).stat().st_size
    with store.database.read() as work:
        return int(work.value("SELECT pg_database_size(current_database())"))


def tables(store: Store) -> dict[str, int]:
    """Bytes by table with its indexes, in PostgreSQL; rows in SQLite."""
    from ansible_collections.securescan.kubernetes.plugins.module_utils.store.backup import TABLES

    with store.database.read() as work:
        if store.database.is_sqlite:
            return {name: int(work.value(f"SELECT COUNT(*) FROM {name}")) for name in TABLES}
        return {name: int(work.value(f"SELECT pg_total_relation_size('{name}')")) for name in TABLES}


def measure(address: str, nights: int, count: int, controls: int, evidence: str) -> dict[str, Any]:
    store = make_store(address)
    targets = [SimulatedTarget(number, controls) for number in range(count)]
    by_id = {str(one.target.identity()["target_id"]): one for one in targets}
    chance = random.Random(7)
    writer = PlaceWriter(evidence)
    took: list[float] = []
    sizes: dict[int, int] = {}
    for night in range(nights):
        if night:
            for one in chance.sample(targets, max(1, int(count * CHANGED))):
                one.change(chance)
        run = simulated_run(targets, night)
        began = time.perf_counter()
        taken = RunIngest(store.database, run, writer, SimulatedNight(by_id, night)).take()
        took.append(time.perf_counter() - began)
        assert taken.places == count, taken
        if night in (0, nights - 1):
            sizes[night] = size(store, address)
        if night % 50 == 0:
            print(f"night {night}: {took[-1]:.2f} s", file=sys.stderr, flush=True)
    grown = (sizes[nights - 1] - sizes[0]) / max(1, (nights - 1) * count)
    return {
        "store": store.database.address.kind,
        "nights": nights,
        "targets": count,
        "controls": controls,
        "evidence": evidence,
        "first_night_mb": round(sizes[0] / 1e6, 1),
        "size_mb": round(sizes[nights - 1] / 1e6, 1),
        "bytes_per_scan": round(grown),
        "ingest_s": {"first": round(took[0], 2), "median": round(sorted(took)[len(took) // 2], 2)},
        "questions_s": questions(store, nights),
        "tables": tables(store),
    }


def questions(store: Store, nights: int) -> dict[str, float]:
    middle = int((FIRST + timedelta(days=nights // 2)).timestamp())
    asked = {
        "open_now": Asked(),
        "open_at": Asked(at=middle),
        "changes": Asked(since=middle, until=middle + 30 * 86400),
        "coverage": Asked(),
        "not_scanned": Asked(),
        "age": Asked(),
        "time_to_fix": Asked(),
        "image_places": Asked(image="registry.example.com/shop/service-7"),
        "place_history": Asked(place="demo/team-7/Deployment/api-7/app"),
        "runs": Asked(),
    }
    took = {name: clock(lambda name=name, one=one: store.ask(name, one)) for name, one in asked.items()}  # type: ignore[misc]
    for by in ("fleet", "cluster", "namespace", "team", "workload", "profile", "control"):
        took[f"compliance by {by}"] = clock(lambda by=by: store.ask("compliance_over_time", Asked(by=by)))  # type: ignore[misc]
    history = StoreHistory(store)
    took["trend of the page"] = clock(lambda: list(history.trend(["demo"])))
    took["lives of the page"] = clock(lambda: list(history.lives(["demo"])))
    return took


def clock(call: Any) -> float:
    began = time.perf_counter()
    call()
    return round(time.perf_counter() - began, 3)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("store")
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--targets", type=int, default=1000)
    parser.add_argument("--controls", type=int, default=116)
    parser.add_argument("--evidence", default="all")
    given = parser.parse_args()
    numbers = (given.nights, given.targets, given.controls, given.evidence)
    if given.store != "postgresql":
        print(json.dumps(measure(given.store, *numbers), indent=2))
        return 0
    with postgresql_server(fsync=True) as server:
        print(json.dumps(measure(server.new_database(), *numbers), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
