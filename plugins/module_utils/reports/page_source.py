# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page report.html is made of, whether it comes from a run, from a fleet run or from the store.

A source yields its clusters one at a time, and a cluster its targets one at a time: nobody holds all documents. What happened
before (trends, the lives of findings) comes from a `History`, which the store implements; without one the page shows a single
moment, and what a gate found by its comparison.

Texts are as they were kept: the page's data bounds and escapes them (see page_data.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Callable

from ..errors import ScanError
from ..results.cluster_entry import BROKEN, GATE_NOT_PASSED, GATE_PASSED, GATES, PARTLY_SCANNED
from ..results.decision import FailedControl
from ..results.fleet_comparison import CHANGES
from ..results.fleet_run import FleetRun
from ..results.history import FindingLife, History
from ..results.run import NamespaceOwner, Run
from ..results.status import NOT_SCANNED, SCANNED
from ..results.target_record import ErrorRecord
from ..results.unmatched import UnmatchedError
from ..results.verdicts import TargetVerdicts, run_verdicts
from ..times import parse_rfc3339
from .wording import overdue_moment, reason_lines

RUN, FLEET_RUN, STORE = "run", "fleet run", "store"


@dataclass(frozen=True)
class PageCluster:
    """One cluster of the page.

    `state`, `gate`, `reason` and `error` are those of a fleet run's entry; `run` is None where nothing of it was scanned.
    `groups` are words by which clusters are grouped: provider, region, version. `owners` is by namespace. `gate_reasons` are
    lines. `new` and `fixed` were found by comparing with `baseline`. `lives` are what its own deadlines know of findings, for a
    page without a history. `notes` are sentences on what could not be read.
    """

    name: str
    state: str
    gate: str = ""
    reason: str = ""
    error: ErrorRecord | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    run_id: str = ""
    started: str = ""
    finished: str = ""
    duration: float = 0.0
    profiles: tuple[tuple[str, str, str], ...] = ()  # (name, version, sha256)
    owners: Mapping[str, NamespaceOwner] = field(default_factory=dict)
    gate_reasons: tuple[str, ...] = ()
    baseline: str = ""
    new: tuple[FailedControl, ...] = ()
    fixed: tuple[FailedControl, ...] = ()
    unmatched: tuple[UnmatchedError, ...] = ()
    folder: str | None = (
        None  # of its run, seen from where the page is written; None: there are no documents to link to
    )
    lives: tuple[FindingLife, ...] = ()
    notes: tuple[str, ...] = ()
    targets: Callable[[], Iterator[TargetVerdicts]] = lambda: iter(())


@dataclass(frozen=True)
class PageSource:
    """`made` is the time (RFC 3339) of which the page speaks: ages are counted from there. `kind` is run, fleet run or store.

    `gate` and `gate_reasons` are the decision on all clusters together, empty where there is none. `notes` are sentences on what
    the page does not show.
    """

    title: str
    kind: str
    made: str
    clusters: Callable[[], Iterator[PageCluster]]
    history: History | None = None
    gate: str = ""
    gate_reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of_run(cls, run: Run, history: History | None = None) -> PageSource:
        gate = "" if run.gate is None else GATE_PASSED if run.gate.passed else run.gate.kind
        gate = gate if gate in GATES else GATE_NOT_PASSED
        return cls(run.cluster, RUN, run.finished, lambda: iter((_cluster_of_run(run, gate),)), history)

    @classmethod
    def of_fleet_run(cls, fleet_run: FleetRun, history: History | None = None) -> PageSource:
        gate = fleet_run.gate
        return cls(
            title=f"{len(fleet_run.expected)} clusters" if len(fleet_run.expected) != 1 else "1 cluster",
            kind=FLEET_RUN,
            made=fleet_run.finished or fleet_run.started,
            clusters=lambda: _clusters_of_fleet(fleet_run),
            history=history,
            gate="" if gate is None else GATE_PASSED if gate.passed else GATE_NOT_PASSED,
            gate_reasons=tuple(
                f"{one.cluster}: {one.text}" if one.cluster else one.text for one in gate.reasons
            )
            if gate
            else (),
            notes=tuple(_cut_lists(fleet_run)),
        )


def _cluster_of_run(run: Run, gate: str) -> PageCluster:
    counts, decision = run.target_counts, run.gate
    whole = counts.scanned == counts.selected
    return replace(
        _with_run(
            PageCluster(run.cluster, SCANNED if whole else PARTLY_SCANNED if counts.scanned else NOT_SCANNED),
            run,
        ),
        gate=gate,
        reason=decision.kind if decision else "",
        folder="",
    )


def _with_run(cluster: PageCluster, run: Run) -> PageCluster:
    """The cluster with what its run says, its gate's comparison with an earlier one among that."""
    gate = run.gate
    lives, notes = _lives(run)
    return replace(
        cluster,
        run_id=run.run_id,
        started=run.started,
        finished=run.finished,
        duration=run.duration,
        profiles=tuple((profile.name, profile.version, profile.sha256) for profile in run.profiles),
        owners={owner.name: owner for owner in run.namespaces},
        gate_reasons=tuple(reason_lines(run)),
        baseline=gate.baseline if gate else "",
        new=gate.new_failures if gate else (),
        fixed=gate.no_longer_failed if gate else (),
        unmatched=tuple(gap.error for gap in run.gaps),
        lives=lives,
        notes=notes,
        targets=lambda: run_verdicts(run),
    )


def _lives(run: Run) -> tuple[tuple[FindingLife, ...], tuple[str, ...]]:
    """What the deadlines of a run say of its findings, when its gate decided; and why they could not be read."""
    try:
        deadlines = run.deadlines if run.folder else None
    except ScanError as error:
        return (), (error.message,)
    now = _moment(overdue_moment(run))
    if deadlines is None or now is None:
        return (), ()
    return tuple(
        FindingLife(
            place.place_id,
            one.profile,
            one.control,
            one.severity,
            one.since,
            due=one.due,
            overdue=one.is_overdue(now),
        )
        for place in deadlines.present
        for one in place.findings
    ), ()


def _moment(text: str) -> datetime | None:
    try:
        return parse_rfc3339(text)
    except (ValueError, OverflowError):
        return None


def _clusters_of_fleet(fleet_run: FleetRun) -> Iterator[PageCluster]:
    """One run is held at a time. A run that cannot be opened is told as the cluster's error."""
    new, fixed = _by_cluster(fleet_run)
    for entry in fleet_run.clusters:
        cluster = PageCluster(
            name=entry.cluster,
            state=entry.state,
            gate=entry.gate,
            reason=entry.reason,
            error=entry.error,
            groups=entry.groups,
            started=entry.started,
            finished=entry.finished,
            duration=entry.duration,
        )
        try:
            run = fleet_run.run_of(entry)
        except ScanError as error:
            yield replace(cluster, state=BROKEN, gate="", error=ErrorRecord(**error.record()))
            continue
        if run is not None:
            cluster = replace(_with_run(cluster, run), folder=f"../../{entry.run_dir}")
        if fleet_run.comparison:
            cluster = replace(
                cluster,
                baseline=fleet_run.comparison.previous,
                new=new.get(entry.cluster, ()),
                fixed=fixed.get(entry.cluster, ()),
            )
        yield cluster


def _by_cluster(
    fleet_run: FleetRun,
) -> tuple[dict[str, tuple[FailedControl, ...]], dict[str, tuple[FailedControl, ...]]]:
    """What is new (or failed again) and what is fixed, as the comparison lists it, by cluster."""
    comparison = fleet_run.comparison
    if comparison is None:
        return {}, {}
    found: list[dict[str, tuple[FailedControl, ...]]] = [{}, {}]
    for kind, listed in enumerate(((*comparison.new, *comparison.reopened), comparison.fixed)):
        lists: dict[str, list[FailedControl]] = {}
        for one in listed:
            lists.setdefault(cluster_of_place(one.place), []).append(one)
        found[kind] = {cluster: tuple(ones) for cluster, ones in lists.items()}
    return found[0], found[1]


def _cut_lists(fleet_run: FleetRun) -> Iterator[str]:
    comparison = fleet_run.comparison
    for change in CHANGES if comparison else ():
        if comparison and len(comparison.of(change)) < comparison.counts[change]:
            yield (
                f"The fleet run lists {len(comparison.of(change))} of {comparison.counts[change]} {change} findings; this page "
                "shows those."
            )


def cluster_of_place(place_id: str) -> str:
    """The cluster's name, which alone can hold a slash."""
    return place_id.rsplit("/", 4)[0]
