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

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Callable, Protocol

from ..results.run import Run
from ..results.target_record import ErrorRecord, TargetRecord
from .page_documents import SeenTarget, seen_targets

RUN, FLEET_RUN, STORE = "run", "fleet run", "store"
# The states of a cluster; those that a fleet run knows.
SCANNED, PARTLY_SCANNED = "scanned", "partly_scanned"

FIXED, OPEN = "fixed", "open"


@dataclass(frozen=True)
class TrendPoint:
    """The counts of one cluster at one moment, `at` in RFC 3339. `cluster` is empty for a sum over the fleet.

    `expected`, `scanned` and `judged` are numbers of targets. `controls` is a number of controls by status, `open_findings` one
    by severity, over places. `overdue` is a number of findings.
    """

    at: str
    cluster: str
    expected: int
    scanned: int
    judged: int
    controls: Mapping[str, int]
    open_findings: Mapping[str, int]
    overdue: int = 0

    @property
    def compliance(self) -> float | None:
        """Passed controls as a percentage of all but those that are not applicable; None where nothing applies."""
        asked = sum(number for status, number in self.controls.items() if status != "not_applicable")
        return 100 * self.controls.get("passed", 0) / asked if asked else None


@dataclass(frozen=True)
class FindingLife:
    """One control on one place, and when its status changed.

    `place_id` is cluster/namespace/workload_kind/workload/container. `changes` are (RFC 3339, status) with the oldest first; a
    status is one of HDF's (`passed`, `failed`, `not_reviewed`, ...). `opened` is when it began to fail without a break, `closed`
    when it ended to, empty where it has not. `due` is the time by which a policy wants it fixed, empty without one.
    """

    place_id: str
    profile: str
    control_id: str
    severity: str
    opened: str
    closed: str = ""
    due: str = ""
    overdue: bool = False
    reopened: int = 0
    changes: tuple[tuple[str, str], ...] = ()


class History(Protocol):
    """What a store remembers of the clusters that a page shows."""

    def trend(self, clusters: Iterable[str]) -> Iterable[TrendPoint]:
        """Points of these clusters, and those of the fleet (with an empty cluster), in the order of time."""

    def lives(self, clusters: Iterable[str]) -> Iterable[FindingLife]:
        """What is open on places of these clusters, and what was closed since `since`."""

    @property
    def since(self) -> str:
        """The time (RFC 3339) since which something counts as new or as fixed; empty where it is not known."""


@dataclass(frozen=True)
class NamespaceOwner:
    """Whose a namespace is; texts may be empty."""

    team: str = ""
    environment: str = ""


@dataclass(frozen=True)
class PageCluster:
    """One cluster of the page.

    `state`, `gate`, `reason` and `error` are those of a fleet run's entry; `run` is None where nothing of it was scanned.
    `groups` are words by which clusters are grouped: provider, region, version. `owners` is by namespace. `gate_reasons` are
    lines. `new` and `fixed` are (place id, profile, control id), as a gate found by its comparison with `baseline`.
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
    new: tuple[tuple[str, str, str], ...] = ()
    fixed: tuple[tuple[str, str, str], ...] = ()
    unmatched: tuple[ErrorRecord, ...] = ()
    folder: str | None = (
        None  # of its run, seen from where the page is written; None: there are no documents to link to
    )
    targets: Callable[[], Iterator[SeenTarget]] = lambda: iter(())


@dataclass(frozen=True)
class PageSource:
    """`made` is the time (RFC 3339) of which the page speaks: ages are counted from there. `kind` is run, fleet run or store."""

    title: str
    kind: str
    made: str
    clusters: Callable[[], Iterator[PageCluster]]
    history: History | None = None

    @classmethod
    def of_run(cls, run: Run, history: History | None = None) -> PageSource:
        return cls(run.cluster, RUN, run.finished, lambda: iter((cluster_of(run),)), history)


def cluster_of(run: Run) -> PageCluster:
    """The only cluster of a page of one run."""
    counts, gate = run.target_counts, run.gate
    whole = counts.scanned == counts.selected
    return PageCluster(
        name=run.cluster,
        state=SCANNED if whole else PARTLY_SCANNED if counts.scanned else "not_scanned",
        gate="" if gate is None else "passed" if gate.passed else "failed",
        run_id=run.run_id,
        started=run.started,
        finished=run.finished,
        duration=run.duration,
        profiles=tuple((profile.name, profile.version, profile.sha256) for profile in run.profiles),
        baseline=gate.baseline if gate else "",
        new=tuple((one.place, one.profile, one.control) for one in gate.new_failures) if gate else (),
        fixed=tuple((one.place, one.profile, one.control) for one in gate.no_longer_failed) if gate else (),
        targets=lambda: seen_targets(run),
    )


def place_id(record: TargetRecord) -> str:
    """cluster/namespace/workload_kind/workload/container"""
    return "/".join(
        (record.cluster, record.namespace, record.workload_kind, record.workload, record.container)
    )
