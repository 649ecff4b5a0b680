# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The findings of a run as tickets: one for each place, or one for each control.

A ticket is solved only when the run has seen everything that it could be about: each container was scanned, its document is
the run's, and no control of the severities that count failed, ended in an error, or was not reviewed though a program can do
that. What is neither failed nor solved is no ticket at all, and whatever a tracker has of it stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..results.configuration_items import ConfigurationItems
from ..results.coverage import Coverage
from ..results.place import Place
from ..results.run import Run
from ..results.status import FAILED, NOT_REVIEWED, PROFILE_ERROR, SEVERITIES
from ..results.target_record import TargetRecord
from ..results.verdicts import ControlText, TargetVerdicts, Verdict, run_verdicts
from ..safe_text import one_line
from .ticket import (
    OPEN,
    PER_CONTROL,
    PER_PLACE,
    SOLVED,
    Finding,
    Ticket,
    digest_of,
    key_of,
    scope_of,
)

MOST_FINDINGS = 50
_MOST_EVIDENCE = 10
_MAX_TEXT, _MAX_TITLE, _MAX_NAME = 400, 200, 300
_EVERYTHING = "*"
# Options of a selection that choose among the pods of a workload.
_OF_PODS = ("label_selectors", "field_selectors", "pods", "exclude_pods", "images", "exclude_images", "limit")


@dataclass(frozen=True)
class Grouping:
    """How findings become tickets. `min_severity` is the least that counts; `with_errors`: a profile error is a finding, too."""

    per: str = PER_PLACE
    min_severity: str = "high"
    with_errors: bool = False
    items: ConfigurationItems = field(default_factory=ConfigurationItems)

    def counts(self, severity: str) -> bool:
        return SEVERITIES.index(severity) <= SEVERITIES.index(self.min_severity)

    def is_finding(self, verdict: Verdict) -> bool:
        return verdict.status == FAILED or (self.with_errors and verdict.status == PROFILE_ERROR)


@dataclass(frozen=True)
class Tickets:
    """The tickets of a run, worst first. `gone_scopes` are those of which the run has seen everything: a ticket with such a key
    that is not among these is about a place that is gone. `unseen` says why some tickets can be neither opened nor solved."""

    run: Run
    grouping: Grouping
    tickets: tuple[Ticket, ...]
    seen: frozenset[str]
    gone_scopes: frozenset[str]
    unseen: tuple[str, ...]


def tickets_of(run: Run, grouping: Grouping) -> Tickets:
    """Reads each document of the run once. Memory grows with the findings, and not with their texts."""
    groups: dict[str, _Group] = {}
    unseen: list[str] = [f"{one_line(gap.target_id, _MAX_NAME)} gave no container" for gap in run.gaps]
    all_seen = not unseen
    # without these, what another run has found of a control could be elsewhere
    sees_cluster = _sees_everywhere(run)
    for seen in run_verdicts(run):
        reason = _why_unseen(seen)
        if reason:
            unseen.append(f"{one_line(seen.record.target_id, _MAX_NAME)}: {reason}")
        for key, about, of in _groups_of(seen, grouping):
            group = groups.setdefault(key, _Group(key, about, seen.record))
            group.take(seen, of, grouping, reason)
    if unseen:
        all_seen = False
    if not _sees_places(run):
        unseen.insert(
            0, "the run's selection can leave out some pods of a place, so that no ticket is solved by it"
        )
    can_solve = _sees_places(run) if grouping.per == PER_PLACE else sees_cluster and all_seen
    tickets = [ticket for group in groups.values() for ticket in group.ticket(run, grouping, can_solve)]
    tickets.sort(key=lambda one: (SEVERITIES.index(one.severity), -one.count, one.about))
    return Tickets(
        run, grouping, tuple(tickets), frozenset(groups), _gone_scopes(run, grouping), tuple(unseen)
    )


def _groups_of(
    seen: TargetVerdicts, grouping: Grouping
) -> Iterator[tuple[str, tuple[str, ...], Sequence[Verdict]]]:
    """(key, what it is about, the verdicts that belong to it)."""
    record = seen.record
    if grouping.per == PER_PLACE:
        place_id = record.place_id
        scope = scope_of(record.cluster, PER_PLACE, record.container_kind or "container")
        yield key_of(scope, place_id), (place_id,), seen.controls
        return
    scope = scope_of(record.cluster, PER_CONTROL)
    for verdict in seen.controls:
        about = (verdict.about.profile, verdict.about.id)
        if grouping.counts(verdict.about.severity):
            yield key_of(scope, *about), about, (verdict,)


def _why_unseen(seen: TargetVerdicts) -> str:
    if seen.record.error is not None:
        return f"was not scanned ({seen.record.error.code} {seen.record.error.reason})"
    return one_line(seen.unread, _MAX_TEXT)


def _sees_places(run: Run) -> bool:
    """Whether the selection takes all containers of a place, or none of them."""
    return not any(run.selection.get(name) for name in _OF_PODS)


def _sees_everywhere(run: Run) -> bool:
    coverage = Coverage.of(run)
    return coverage is not None and _EVERYTHING in coverage.namespaces and not coverage.excluded


def _gone_scopes(run: Run, grouping: Grouping) -> frozenset[str]:
    coverage = Coverage.of(run)
    if coverage is None or grouping.per != PER_PLACE or not _sees_everywhere(run) or run.gaps:
        return frozenset()
    kinds = coverage.kinds or ("container",)
    return frozenset(scope_of(run.cluster, PER_PLACE, kind) for kind in kinds)


class _Group:
    """What the documents say of one ticket."""

    def __init__(self, key: str, about: Sequence[str], record: TargetRecord) -> None:
        self._key = key
        self._about = about
        self._record = record
        self._findings: dict[tuple[str, str, str], tuple[ControlText, Verdict]] = {}
        self._evidence: list[str] = []
        self._is_whole = True

    def take(
        self, seen: TargetVerdicts, verdicts: Sequence[Verdict], grouping: Grouping, reason: str
    ) -> None:
        """Some verdicts on one target; `reason` says why it was not seen."""
        place_id = seen.record.place_id
        if reason or not verdicts:
            self._is_whole = False
        for verdict in verdicts:
            about = verdict.about
            if not grouping.counts(about.severity):
                continue
            if grouping.is_finding(verdict):
                self._findings.setdefault((place_id, about.profile, about.id), (about, verdict))
            elif verdict.status == PROFILE_ERROR or _is_open_question(verdict):
                self._is_whole = False
        if len(self._evidence) < _MOST_EVIDENCE and not reason:
            record = seen.record
            self._evidence.append(
                one_line(
                    f"{record.target_id}, seen {record.seen}, results with SHA-256 {record.hdf_sha256}", 600
                )
            )

    def ticket(self, run: Run, grouping: Grouping, can_solve: bool) -> Iterator[Ticket]:
        """One, or none where it can be neither open nor solved."""
        item = grouping.items.of(Place.of(self._record)) if grouping.per == PER_PLACE else ""
        about = one_line("/".join(self._about), _MAX_NAME)
        if not self._findings:
            if can_solve and self._is_whole:
                evidence = (f"run {run.run_id}, started {run.started}", *self._evidence)
                yield Ticket(
                    self._key, digest_of([]), SOLVED, about, self._title(), "none", 0,
                    evidence=evidence, configuration_item=item,
                )  # fmt: skip
            return
        found = sorted(self._findings.items(), key=lambda one: (SEVERITIES.index(one[1][0].severity), one[0]))
        fingerprints = [verdict.fingerprint(place) for (place, _p, _c), (_a, verdict) in found]
        findings = tuple(_finding(place, verdict) for (place, _p, _c), (_a, verdict) in found[:MOST_FINDINGS])
        yield Ticket(
            self._key, digest_of(fingerprints, item), OPEN, about, self._title(), found[0][1][0].severity,
            len(found), findings, configuration_item=item,
        )  # fmt: skip

    def _title(self) -> str:
        record = self._record
        if len(self._about) == 1:
            where = (
                f"{record.namespace}/{record.workload} ({record.workload_kind}), container {record.container}"
            )
            return one_line(f"Security controls fail: {where}, cluster {record.cluster}", _MAX_TITLE)
        return one_line(
            f"Security control {self._about[1]} of {self._about[0]} fails, cluster {record.cluster}",
            _MAX_TITLE,
        )


def _is_open_question(verdict: Verdict) -> bool:
    """Whether it could be a failure that nobody has seen. A control for people stays Not Reviewed for ever, unless somebody has
    attested it: then the attestation has expired."""
    return verdict.status == NOT_REVIEWED and (not verdict.manual or bool(verdict.attestation))


def _finding(place_id: str, verdict: Verdict) -> Finding:
    about = verdict.about
    return Finding(
        verdict.fingerprint(place_id),
        one_line(place_id, _MAX_NAME),
        one_line(about.profile, _MAX_NAME),
        one_line(about.id, _MAX_NAME),
        one_line(about.title, _MAX_TITLE),
        about.severity,
        verdict.status,
        one_line(verdict.text, _MAX_TEXT),
        one_line(about.fix, _MAX_TEXT),
    )
