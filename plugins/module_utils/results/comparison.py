# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What failed in one run and not in another. Pods come and go, so targets are matched by workload and container.

What failed on one replica of a workload failed on the workload. A workload that a run did not scan has failed in nothing
there: all that fails on it in the other run is new.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .decision import FailedControl
from .hdf import document_target, document_target_id
from .run import Run
from .status import FAILED, NOT_REVIEWED, PROFILE_ERROR
from .summary import DocumentSummary, summarize

# cluster, namespace, workload kind, workload, container; the target id alone where a document of others names no more
Place = tuple[str, ...]
# profile, control id
Control = tuple[str, str]
# In place of a control's id: each control of a profile that was skipped.
_EACH = ""
_FIELDS = ("cluster", "namespace", "workload_kind", "workload", "container")


@dataclass(frozen=True)
class Failures:
    """What failed in a run, by place; every place that was scanned is there. `name` tells the run to a person.

    `unknown` is by place what nobody can say has passed: it was not reviewed, ended in an error, or a person decided it.
    `unknown_somewhere` is the same where the place is not known.
    """

    name: str
    by_place: Mapping[Place, frozenset[Control]]
    unknown: Mapping[Place, frozenset[Control]] = field(default_factory=dict)
    unknown_somewhere: frozenset[Control] = frozenset()

    def has(self, place: Place, control: Control) -> bool:
        return control in self.by_place.get(place, frozenset())

    def behind(self, newer: Failures) -> Failures:
        """What is known by both: of a place that the newer one scanned, what that one knows."""
        by_place, unknown = {**self.by_place, **newer.by_place}, {**self.unknown, **newer.unknown}
        return Failures(newer.name, by_place, unknown, newer.unknown_somewhere)

    def not_in(self, other: Failures) -> list[FailedControl]:
        """What failed here and not there, sorted."""
        return [
            _entry(place, control) for place, control in sorted(self._all()) if not other.has(place, control)
        ]

    def also_in(self, other: Failures) -> list[FailedControl]:
        """What failed in both, sorted."""
        return [_entry(place, control) for place, control in sorted(self._all()) if other.has(place, control)]

    def mended_since(self, then: Failures) -> list[FailedControl]:
        """What failed then and was judged here without failing, sorted. A place that was not scanned here is left out."""
        return [
            _entry(place, control)
            for place, control in sorted(then._all())
            if place in self.by_place
            and not self.has(place, control)
            and not self._is_unknown(place, control)
        ]

    def _is_unknown(self, place: Place, control: Control) -> bool:
        unknown = self.unknown.get(place, frozenset())
        return control in self.unknown_somewhere or not unknown.isdisjoint({control, (control[0], _EACH)})

    def _all(self) -> Iterator[tuple[Place, Control]]:
        return ((place, control) for place, controls in self.by_place.items() for control in controls)


def _entry(place: Place, control: Control) -> FailedControl:
    return FailedControl("/".join(place), *control)


def document_place(document: Mapping[str, Any], source: str) -> Place:
    """The place of a checked document's target."""
    identity = document_target(document)
    if all(isinstance(identity.get(name), str) for name in _FIELDS):
        return tuple(identity[name] for name in _FIELDS)
    return (document_target_id(document, source),)


def failed_controls(summary: DocumentSummary) -> set[Control]:
    return {(profile.name, control_id) for profile in summary.profiles for control_id in profile.ids(FAILED)}


def unknown_controls(summary: DocumentSummary) -> set[Control]:
    """Those that were not reviewed, ended in an error or are of a skipped profile, or that a person decided."""
    return {(profile, _EACH) for profile in summary.skipped} | {
        (profile.name, control.id)
        for profile in summary.profiles
        for control in profile.controls
        if control.amended or control.status in (NOT_REVIEWED, PROFILE_ERROR)
    }


def failures_of_run(run: Run) -> Failures:
    return collect_failures(
        f"run {run.run_id}",
        (
            (
                tuple(getattr(target, name) for name in _FIELDS),
                {(profile, control_id) for profile, ids in target.failed.items() for control_id in ids},
            )
            for target in run.targets
            if target.hdf
        ),
        (
            (
                tuple(getattr(target, name) for name in _FIELDS),
                {(profile, _EACH) for profile in target.skipped_profiles},
            )
            for target in run.targets
        ),
        unknown_somewhere=frozenset((control.profile, control.id) for control in run.not_reviewed),
    )


def failures_of_documents(documents: Iterable[tuple[str, Mapping[str, Any]]]) -> Failures:
    """Of (source, checked document). :raises ScanError: `bad_results`, as `summarize`"""
    found, unknown = [], []
    for source, document in documents:
        place, summary = document_place(document, source), summarize(document, source)
        found.append((place, failed_controls(summary)))
        unknown.append((place, unknown_controls(summary)))
    return collect_failures("the documents", found, unknown)


def collect_failures(
    name: str,
    found: Iterable[tuple[Place, set[Control]]],
    unknown: Iterable[tuple[Place, set[Control]]] = (),
    unknown_somewhere: frozenset[Control] = frozenset(),
) -> Failures:
    return Failures(name, _by_place(found), _by_place(unknown), unknown_somewhere)


def _by_place(found: Iterable[tuple[Place, set[Control]]]) -> dict[Place, frozenset[Control]]:
    by_place: dict[Place, frozenset[Control]] = {}
    for place, controls in found:
        by_place[place] = by_place.get(place, frozenset()) | controls
    return by_place
