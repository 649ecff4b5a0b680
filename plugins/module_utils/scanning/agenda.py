# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the chosen containers is scanned, in which order, and what is carried over from earlier runs instead.

Carried over is only what nothing has changed for: the image, the pod's spec, the profiles, their inputs, waivers and
attestations, and the collection itself. An interrupted run is resumed container by container: pod and container must be
the very same. With `due_only` a place whose results are young enough is not scanned: a container there is stood for by
its own earlier result, or, where it runs, by one of a container that is no longer there. One that never had a result is
scanned.

First come places that were never scanned, then those that are overdue (the longest ago first, and what the last run did
not reach among them), then those that failed, then the rest, in the order in which they were selected.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from ..results.checked_json import bad_results
from ..results.hdf import document_scan
from ..results.known_results import KnownResult, KnownResults
from ..results.place import Place
from ..results.run_folder import drift_paths_in
from ..results.status import FAIL, NOT_JUDGED, PROFILE_ERROR
from ..results.target_record import FRESH, RESUMED, Carried
from ..targets.selection import SelectedTarget
from ..times import parse_rfc3339

_CLOCK_SKEW = 300.0  # seconds that another machine's clock can be ahead
_WORST_FIRST = (FAIL, NOT_JUDGED)
_RUNNING = "running"
_NEVER, _OVERDUE, _FAILING, _REST = range(4)


class Kept(Protocol):
    """Where the files of earlier runs are."""

    def document(self, known: KnownResult) -> bytes: ...

    def folder(self, known: KnownResult) -> Path | None: ...


class Interrupted(Kept, Protocol):
    """What interrupted runs have left."""

    def of(self, target_id: str) -> KnownResult | None: ...


@dataclass(frozen=True)
class Terms:
    """What a result depends on besides its container: one that was had on other terms is not carried over.

    `approaches`: those that are chosen now. `drift_paths`: of which a result has to have the drift, none where it need not.
    `facts`, `cross_check`: whether it has to have kept facts, and to have been cross-checked.
    """

    profiles: Mapping[str, str]
    amendments_sha256: str
    inputs_sha256: str
    collection_version: str
    approaches: Sequence[str]
    drift_paths: Sequence[str] = ()
    facts: bool = False
    cross_check: bool = False

    def allow(self, known: KnownResult) -> bool:
        """Whether a result was had on these terms, whole."""
        record = known.record
        return (
            record.is_scanned
            and not (known.counts or {}).get(PROFILE_ERROR)
            and known.profiles == self.profiles
            and known.amendments_sha256 == self.amendments_sha256
            and bool(known.inputs_sha256)
            and known.inputs_sha256 == self.inputs_sha256
            and known.collection_version == self.collection_version
            and record.approach in self.approaches
            and (not self.drift_paths or record.drift is not None)
            and (not self.facts or record.facts is not None)
        )

    def check_files(self, known: KnownResult, kept: Kept, document: Mapping[str, Any]) -> None:
        """What only the files of an earlier result tell.

        :param document: its HDF document
        :raises ScanError: bad_results, where they are not what is asked for now
        """
        record, folder = known.record, kept.folder(known)
        if self.cross_check and "cross_check" not in document_scan(document):
            raise bad_results(record.hdf, "was not cross-checked")
        if folder is None and (self.drift_paths or self.facts):
            raise bad_results(record.hdf, "is kept without the drift and the facts of its target")
        if folder is None or record.drift is None or not self.drift_paths:
            return
        if set(drift_paths_in(folder, record.drift)) != set(self.drift_paths):
            raise bad_results(record.drift.path, "is the drift of other paths")


@dataclass(frozen=True)
class TakenOver:
    """A result of an earlier run in the place of containers of today. `stands_for`: these."""

    known: KnownResult
    kept: Kept
    carried: Carried
    stands_for: tuple[SelectedTarget, ...]

    @property
    def replicas(self) -> int:
        return sum(selected.replicas for selected in self.stands_for)


@dataclass
class Agenda:
    """`targets` are scanned, in this order."""

    targets: list[SelectedTarget]
    taken_over: list[TakenOver] = field(default_factory=list)

    def give_back(self, taken: TakenOver) -> None:
        """Scans what an earlier result was to stand for, which cannot be used after all. It comes first."""
        self.targets[:0] = taken.stands_for


class AgendaMaker:
    """Decides for one run."""

    def __init__(self, terms: Terms, now: datetime) -> None:
        """:param now: with its time zone"""
        self._terms = terms
        self._now = now

    def make(
        self,
        targets: Sequence[SelectedTarget],
        known: KnownResults | None,
        interrupted: Interrupted | None,
        *,
        resume_max_age: float,
        due_after: float,
        due_only: bool,
        is_same_server: bool,
        selects_whole_workloads: bool,
    ) -> Agenda:
        """
        :param known: None where nothing is known of earlier runs
        :param interrupted: None where no run is resumed
        :param resume_max_age: seconds
        :param due_after: seconds after which a place is overdue
        :param due_only: whether only what is due is scanned
        :param is_same_server: whether it is known that earlier runs are of the same API server
        :param selects_whole_workloads: whether a container that was not selected, of a workload of which others were, is gone
        """
        taken: list[TakenOver] = []
        left: list[SelectedTarget] = []
        for selected in targets:
            found = interrupted.of(selected.target.target_id) if interrupted is not None else None
            if found is not None and interrupted is not None and self._is_same(found, selected):
                age = self._age(found, resume_max_age)
                if age is not None and not _was_seen_since(found, known):
                    carried = Carried(found.run_id, RESUMED, int(age))
                    taken.append(TakenOver(found, interrupted, carried, (selected,)))
                    continue
            left.append(selected)
        if known is None:
            return Agenda(left, taken)
        if due_only:
            resumed = {one.known.target_id for one in taken}
            fresh = self._fresh(left, known, resumed, due_after, is_same_server and selects_whole_workloads)
            taken += fresh
            covered = {id(selected) for one in fresh for selected in one.stands_for}
            left = [selected for selected in left if id(selected) not in covered]
        return Agenda(self._ordered(left, known, due_after), taken)

    def _fresh(
        self,
        targets: Sequence[SelectedTarget],
        known: KnownResults,
        resumed: Collection[str],
        due_after: float,
        gone_is_known: bool,
    ) -> list[TakenOver]:
        """What stands for containers without a scan, each result for one of those selected.

        :param resumed: ids of targets of which there is a result already
        :param gone_is_known: whether what is not selected is no longer there
        """
        groups: dict[str, list[SelectedTarget]] = {}
        for selected in targets:
            groups.setdefault(Place.of(selected.target).id, []).append(selected)
        taken: list[TakenOver] = []
        for place_id, selected_here in groups.items():
            results = {
                one.target_id: (one, age)
                for one in known.of(place_id)
                if one.target_id not in resumed
                and not one.was_missed
                and (age := self._age(one, due_after)) is not None
                and self._terms.allow(one)
            }
            if not results:
                continue
            missing: list[SelectedTarget] = []
            for selected in selected_here:
                own = results.get(selected.target.target_id)
                if own is not None and self._is_same(own[0], selected):
                    taken.append(_fresh_one(*own, known, selected))
                    del results[selected.target.target_id]
                else:
                    missing.append(selected)
            if not gone_is_known:
                continue
            # of containers that are gone, those that had the worst result first
            there = {selected.target.target_id: selected.target.pod_uid for selected in selected_here}
            gone = sorted(
                (pair for pair in results.values() if there.get(pair[0].target_id) != pair[0].pod_uid),
                key=lambda pair: _badness(pair[0]),
            )
            names = {pair[0].target_id for pair in gone}
            heirs: list[tuple[tuple[KnownResult, float], SelectedTarget]] = []
            for selected in sorted(missing, key=lambda one: one.target.target_id not in names):
                if selected.target.state != _RUNNING:
                    continue
                heir = next((pair for pair in gone if _is_alike(pair[0], selected)), None)
                if heir is not None:
                    gone.remove(heir)
                    heirs.append((heir, selected))
            taken += [_fresh_one(*heir, known, selected) for heir, selected in _by_name(heirs)]
        return _without_doubles(taken, targets)

    def _is_same(self, known: KnownResult, selected: SelectedTarget) -> bool:
        """Whether it is a result of this very container, and nothing has changed since."""
        target = selected.target
        return (
            self._terms.allow(known)
            and _is_alike(known, selected)
            and bool(target.container_id)
            and (known.pod_uid, known.container_id) == (target.pod_uid, target.container_id)
        )

    def _age(self, known: KnownResult, most: float) -> float | None:
        """Seconds, where the result is young enough; None where not, and where its time cannot be right."""
        try:
            age = (self._now - parse_rfc3339(known.seen)).total_seconds()
        except (ValueError, OverflowError):
            return None
        return max(0.0, age) if -_CLOCK_SKEW <= age <= most else None

    def _ordered(
        self, targets: Sequence[SelectedTarget], known: KnownResults, due_after: float
    ) -> list[SelectedTarget]:
        ranks: dict[str, tuple[int, str]] = {}
        for selected in targets:
            place_id = Place.of(selected.target).id
            if place_id not in ranks:
                ranks[place_id] = self._rank(known.of(place_id), due_after)
        return sorted(targets, key=lambda selected: ranks[Place.of(selected.target).id])

    def _rank(self, results: Sequence[KnownResult], due_after: float) -> tuple[int, str]:
        seen = [one.seen for one in results if one.seen]
        if not seen:
            return _NEVER, ""
        was_missed = any(one.was_missed or not one.record.is_scanned for one in results)
        if was_missed or any(self._age(one, due_after) is None for one in results):
            return _OVERDUE, min(seen)
        return (_FAILING if any(one.result == FAIL for one in results) else _REST), ""


def _was_seen_since(found: KnownResult, known: KnownResults | None) -> bool:
    """Whether a later run, which was finished, has scanned the target."""
    later = known.of(found.place_id) if known is not None else ()
    return any(one.target_id == found.target_id and one.seen > found.seen for one in later)


def _fresh_one(known: KnownResult, age: float, kept: Kept, selected: SelectedTarget) -> TakenOver:
    return TakenOver(known, kept, Carried(known.run_id, FRESH, int(age)), (selected,))


def _is_alike(known: KnownResult, selected: SelectedTarget) -> bool:
    """Whether image and spec are the same, as far as both are known."""
    target = selected.target
    return (
        bool(target.image_id)
        and known.image_id == target.image_id
        and bool(selected.template)
        and known.spec_sha256 == selected.template
    )


def _badness(known: KnownResult) -> tuple[int, str]:
    worst = _WORST_FIRST.index(known.result) if known.result in _WORST_FIRST else len(_WORST_FIRST)
    return worst, known.target_id


def _by_name(
    heirs: Sequence[tuple[tuple[KnownResult, float], SelectedTarget]],
) -> list[tuple[tuple[KnownResult, float], SelectedTarget]]:
    """The same results for the same containers, each for that of its own name where it can be."""
    results, containers = [heir for heir, _selected in heirs], [selected for _heir, selected in heirs]
    place = {known.target_id: index for index, (known, _age) in enumerate(results)}
    for index, selected in enumerate(containers):
        other = place.get(selected.target.target_id, index)
        mine, own = results[index], results[other]
        if other != index and _is_alike(own[0], selected) and _is_alike(mine[0], containers[other]):
            results[index], results[other] = own, mine
            place[mine[0].target_id] = other
    return list(zip(results, containers))


def _without_doubles(taken: Sequence[TakenOver], targets: Sequence[SelectedTarget]) -> list[TakenOver]:
    """Without results that have the name of another selected container, which may have to be scanned: a StatefulSet gives
    names again."""
    selected = {one.target.target_id for one in targets}
    return [
        one
        for one in taken
        if one.known.target_id not in selected
        or one.known.target_id in {each.target.target_id for each in one.stands_for}
    ]
