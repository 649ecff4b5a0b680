# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet run: one execution over an inventory of clusters. Everything after it reads this.

`fleet.json` of its folder, `<output folder>/_fleet/<fleet run id>/` (docs/fleet.schema.json):

    schema            securescan.kubernetes/fleet-run
    schema_version    number; 1
    fleet_run_id, started, finished (RFC 3339; finished is empty while it runs, and of one that was killed), duration (seconds)
    deadline          the seconds that all of it was given, or null
    collection        {name, version}
    fail_on           list of the kinds of reasons by which it fails (see fleet_gate.py)
    expected          names of all clusters that were to be scanned, sorted
    slice             {offset, count} of the inventory's hosts, or null where all were meant
    merged_from       ids of the fleet runs that it was made of, sorted; empty for one that scanned
    superseded        list of {cluster, state, run_id}: what fleet runs that were merged also had of a cluster, and what does not
                      count because there is something newer
    clusters          list of entries (see cluster_entry.py), one for each that was expected, sorted by name
    comparison        what changed (see fleet_comparison.py), or null without an earlier fleet run
    gate              the decision (see fleet_gate.py), or null while it runs

It stands there from the beginning, before any cluster is touched: then every cluster is `not_reached`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..safe_text import one_line
from ..strict_json import load_json
from .checked_json import JsonObject, JsonRecord, bad_results
from .cluster_entry import STATES, ClusterEntry
from .fleet_comparison import FleetComparison
from .fleet_gate import FAIL_ON_WORDS, FleetGate
from .result_file import read_bounded
from .run import Producer, Run, open_run
from .run_folder import json_bytes
from .whole_file import write_whole

SCHEMA = "securescan.kubernetes/fleet-run"
SCHEMA_VERSION = 1
FLEET_JSON = "fleet.json"
FLEET_FOLDER = "_fleet"
_MAX_BYTES = 256 * 1024 * 1024
_MOST_CLUSTERS = 20_000
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True)
class Slice(JsonRecord):
    """Every `count`-th host of the inventory, the first of them at `offset`."""

    offset: int
    count: int

    @classmethod
    def from_json(cls, given: JsonObject) -> Slice:
        part = cls(given.whole_number("offset"), given.whole_number("count"))
        if not 0 <= part.offset < part.count:
            raise given.bad(f"{given.place}: offset must be 0 or more, and less than count")
        return part


@dataclass(frozen=True)
class Superseded(JsonRecord):
    """What a merged fleet run had of a cluster and what does not count. `run_id` is empty where it had no run."""

    cluster: str
    state: str
    run_id: str

    @classmethod
    def from_json(cls, given: JsonObject) -> Superseded:
        return cls(given.text("cluster"), given.one_of("state", STATES), given.text("run_id"))


@dataclass(frozen=True)
class FleetRun(JsonRecord):
    """A fleet run as the module's text describes it. `folder` is where it was opened, empty for one that was not; `sha256` is
    that of the file which was read, empty without one."""

    fleet_run_id: str
    started: str
    finished: str
    duration: float
    deadline: float | None
    collection: Producer
    fail_on: tuple[str, ...]
    expected: tuple[str, ...]
    slice: Slice | None
    merged_from: tuple[str, ...]
    superseded: tuple[Superseded, ...]
    clusters: tuple[ClusterEntry, ...]
    comparison: FleetComparison | None
    gate: FleetGate | None
    folder: str = ""
    sha256: str = field(default="", compare=False)

    @classmethod
    def from_json(cls, value: Any, source: str, folder: str = "") -> FleetRun:
        """The fleet run that `value` describes; `source` names it in errors.

        :raises ScanError: `bad_results`, naming the place, when it is not a whole one of a known schema version
        """
        if not isinstance(value, dict) or (value.get("schema"), value.get("schema_version")) != (
            SCHEMA,
            SCHEMA_VERSION,
        ):
            raise bad_results(source, f"is not a fleet run of schema version {SCHEMA_VERSION}")
        given = JsonObject(value, source)
        part, comparison, gate = (given.object_or_none(name) for name in ("slice", "comparison", "gate"))
        fleet_run = cls(
            **{name: given.text(name) for name in ("fleet_run_id", "started", "finished")},
            duration=given.number("duration"),
            deadline=None if given.values.get("deadline") is None else given.number("deadline"),
            collection=Producer.from_json(given.object("collection")),
            fail_on=given.texts("fail_on"),
            expected=given.texts("expected"),
            slice=Slice.from_json(part) if part else None,
            merged_from=given.texts("merged_from"),
            superseded=tuple(Superseded.from_json(one) for one in given.objects("superseded")),
            clusters=tuple(ClusterEntry.from_json(entry) for entry in given.objects("clusters")),
            comparison=FleetComparison.from_json(comparison) if comparison else None,
            gate=FleetGate.from_json(gate) if gate else None,
            folder=folder,
        )
        fleet_run._check(given)
        return fleet_run

    def _check(self, given: JsonObject) -> None:
        for name in (self.fleet_run_id, *self.merged_from):
            if not is_fleet_run_id(name):
                raise given.bad(f"{one_line(name, 80)!r} is no id of a fleet run")
        if not set(FAIL_ON_WORDS).issuperset(self.fail_on):
            raise given.bad(f"fail_on must be a list of {', '.join(FAIL_ON_WORDS)}")
        if len(self.clusters) > _MOST_CLUSTERS:
            raise given.bad(f"it has more than {_MOST_CLUSTERS} clusters")
        names = [entry.cluster for entry in self.clusters]
        if names != sorted(set(self.expected)) or list(self.expected) != names:
            raise given.bad("clusters must have one entry for each that was expected, sorted by name")
        if bool(self.finished) != bool(self.gate):
            raise given.bad("what is finished has a decision, and nothing else has one")

    def to_json(self) -> dict[str, Any]:
        """It as plain JSON values."""
        values = super().to_json()
        del values["folder"], values["sha256"]
        return {"schema": SCHEMA, "schema_version": SCHEMA_VERSION, **values}

    @property
    def is_finished(self) -> bool:
        return bool(self.finished)

    @property
    def output_dir(self) -> Path:
        """The output folder, in which `run_dir` of an entry is. The fleet run was opened from its folder."""
        return Path(self.folder).resolve().parent.parent

    def entry(self, cluster: str) -> ClusterEntry | None:
        return next((entry for entry in self.clusters if entry.cluster == cluster), None)

    def runs(self) -> Iterator[Run | None]:
        """The run of each entry of `clusters`, in their order; None for one without. One is held at a time.

        :raises ScanError: `bad_results`, while they are asked for, as `run_of`
        """
        return (self.run_of(entry) for entry in self.clusters)

    def run_of(self, entry: ClusterEntry) -> Run | None:
        """The run of one of its entries, None where it has none.

        :raises ScanError: `bad_results`, when it is missing, not whole, or not the one that the entry names
        """
        if not self.folder:
            raise bad_results(
                f"fleet run {self.fleet_run_id}",
                "has no runs here, because it was not opened from its folder",
            )
        return open_run_of(entry, self.output_dir)


def is_fleet_run_id(name: str) -> bool:
    return bool(_ID.fullmatch(name)) and name != "latest"


def open_run_of(entry: ClusterEntry, output_dir: Path) -> Run | None:
    """As `FleetRun.run_of`."""
    if not entry.has_run:
        return None
    folder = output_dir / entry.run_dir
    run = open_run(str(folder))
    if (run.sha256, run.run_id, run.cluster) != (entry.summary_sha256, entry.run_id, entry.cluster):
        raise bad_results(
            str(folder), f"is not the run that the fleet run has seen of {one_line(entry.cluster, 80)}"
        )
    return run


def open_fleet_run(folder: str) -> FleetRun:
    """The fleet run in a folder, whether it is finished or not. :raises ScanError: `bad_results`, when its file is missing, not
    whole, or of another folder"""
    file = Path(folder) / FLEET_JSON
    data = read_bounded(file, _MAX_BYTES)
    return parse_fleet_run(data, str(file), folder)


def parse_fleet_run(data: bytes, source: str, folder: str = "") -> FleetRun:
    """The fleet run whose fleet.json holds `data`. :raises ScanError: `bad_results`"""
    try:
        value = load_json(data)
    except (ValueError, RecursionError) as reason:
        raise bad_results(source, f"is not JSON, or is cut off: {one_line(str(reason), 200)}") from None
    return replace(FleetRun.from_json(value, source, folder), sha256=hashlib.sha256(data).hexdigest())


def write_fleet_run(folder: Path, fleet_run: FleetRun) -> Path:
    """Writes fleet.json. :raises ScanError: `write_failed`"""
    return write_whole(folder / FLEET_JSON, fleet_run_bytes(fleet_run))


def fleet_run_bytes(fleet_run: FleetRun) -> bytes:
    return json_bytes(fleet_run.to_json())
