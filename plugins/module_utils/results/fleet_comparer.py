# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed between a fleet run and the ones before it, by place and control; and which clusters came and went.

Each cluster is compared with its own last run: a cluster that was unreachable last night has not mended anything meanwhile.
Where that run had too little time, or did not reach all containers, the places that it lacks are those of the runs before it.
Clusters are compared one at a time, so memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ScanError
from ..times import parse_rfc3339
from .cluster_entry import ClusterEntry
from .comparison import Failures, failures_of_run
from .decision import FailedControl
from .fleet_comparison import CHANGES, FIXED, NEW, REOPENED, FleetComparison
from .fleet_folder import KnownFleetRun, fleet_runs_of
from .fleet_run import FleetRun, open_run_of
from .previous_run import is_of_other_server
from .run import Run

_MOST_EARLIER = 30
_MOST_LISTED = 2_000


@dataclass
class EarlierFleetRuns:
    """What fleet runs before one know, the latest first; at most 30 of them are read.

    `entries` are of each the clusters' entries that have a run; `expected` are all its clusters. `fixed` is what was fixed in
    any of them. `notes` has a sentence for each that could not be read.
    """

    ids: list[str] = field(default_factory=list)
    expected: list[frozenset[str]] = field(default_factory=list)
    entries: list[Mapping[str, ClusterEntry]] = field(default_factory=list)
    fixed: set[FailedControl] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def earlier_fleet_runs(fleet_run: FleetRun, output_dir: Path) -> EarlierFleetRuns:
    """Those that began before this one and are finished, without those that it was made of, and what was made of the same."""
    earlier = EarlierFleetRuns()
    own = {fleet_run.fleet_run_id, *fleet_run.merged_from}
    wanted = frozenset(fleet_run.expected)
    for known in _before(fleet_run, output_dir):
        if len(earlier.ids) == _MOST_EARLIER:
            break
        try:
            one = known.folder.open()
        except ScanError as error:
            earlier.notes.append(f"passed over as an earlier fleet run: {error.message}")
            continue
        if not one.is_finished or not own.isdisjoint((one.fleet_run_id, *one.merged_from)):
            continue
        if wanted.isdisjoint(one.expected):
            continue
        earlier.ids.append(one.fleet_run_id)
        earlier.expected.append(frozenset(one.expected))
        earlier.entries.append(
            {entry.cluster: entry for entry in one.clusters if entry.has_run and entry.cluster in wanted}
        )
        if one.comparison:
            earlier.fixed.update(one.comparison.fixed)
    return earlier


def _before(fleet_run: FleetRun, output_dir: Path) -> Iterator[KnownFleetRun]:
    started = parse_rfc3339(fleet_run.started)
    return (known for known in fleet_runs_of(output_dir) if known.started < started)


class FleetComparer:
    """Compares the clusters of a fleet run one by one, by `add`, and says at the end what changed."""

    def __init__(self, earlier: EarlierFleetRuns, output_dir: Path) -> None:
        self._earlier = earlier
        self._output_dir = output_dir
        self._changes: dict[str, list[FailedControl]] = {change: [] for change in CHANGES}
        self._counts = dict.fromkeys(CHANGES, 0)

    def add(self, run: Run) -> None:
        """The run of a cluster, against the last ones that earlier fleet runs have of it."""
        now_failed = failures_of_run(run)
        then_failed = self._known_before(run, now_failed)
        if then_failed is None:
            return
        for failed in now_failed.not_in(then_failed):
            self._note(REOPENED if failed in self._earlier.fixed else NEW, failed)
        for failed in now_failed.mended_since(then_failed):
            self._note(FIXED, failed)

    def _known_before(self, run: Run, now: Failures) -> Failures | None:
        """What the last run knew; beyond it are asked only those that it needs for places that it did not scan."""
        known = None
        for then in self._earlier_runs(run):
            failures = failures_of_run(then)
            known = failures if known is None else failures.behind(known)
            if then.target_counts.not_scanned == 0 or known.by_place.keys() >= now.by_place.keys():
                break
        return known

    def _earlier_runs(self, run: Run) -> Iterator[Run]:
        """Those of the same cluster, the latest first."""
        for entries in self._earlier.entries:
            entry = entries.get(run.cluster)
            if entry is None or entry.run_id == run.run_id:
                continue
            try:
                then = open_run_of(entry, self._output_dir)
            except ScanError as error:
                self._earlier.notes.append(f"passed over as the last run of a cluster: {error.message}")
                continue
            if then is not None and not is_of_other_server(then, run):
                yield then

    def _note(self, change: str, failed: FailedControl) -> None:
        self._counts[change] += 1
        if len(self._changes[change]) < _MOST_LISTED:
            self._changes[change].append(failed)

    def result(self, expected: Collection[str], elsewhere: Collection[str]) -> FleetComparison | None:
        """None without an earlier fleet run.

        :param expected: the clusters of the fleet run, in whose order they were added
        :param elsewhere: clusters of the inventory that it left out: they did not go
        """
        if not self._earlier.ids:
            return None
        now = frozenset(expected)
        went: Collection[str] = ()
        for before in self._earlier.expected:
            # one over another part of the inventory says nothing about clusters that went
            if 2 * len(now & before) > len(before):
                went = before - now - frozenset(elsewhere)
                break
        return FleetComparison(
            previous=self._earlier.ids[0],
            counts=dict(self._counts),
            new=tuple(self._changes[NEW]),
            fixed=tuple(self._changes[FIXED]),
            reopened=tuple(self._changes[REOPENED]),
            came=tuple(sorted(now.difference(*self._earlier.expected))),
            went=tuple(sorted(went)),
        )
