# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts of controls by status and severity, and compliance, of a document or of many."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ..safe_text import one_line
from .checked_json import JsonObject, JsonRecord
from .counted_controls import counted_profiles
from .hdf import manual_controls, pod_profiles, skipped_profiles
from .percent import percentage
from .status import (
    FAIL,
    FAILED,
    MUST_BE_REVIEWED,
    NOT_APPLICABLE,
    NOT_JUDGED,
    NOT_REVIEWED,
    PASS,
    PASSED,
    PROFILE_ERROR,
    SEVERITIES,
    STATUSES,
    control_severity,
    control_status,
    is_waived,
)

_MAX_WHY = 300


def _zeros() -> dict[str, dict[str, int]]:
    return {status: dict.fromkeys(SEVERITIES, 0) for status in STATUSES}


@dataclass
class Counts(JsonRecord):
    """Number of controls by status and severity. `table[status][severity]`."""

    table: dict[str, dict[str, int]] = field(default_factory=_zeros)

    def add(self, status: str, severity: str) -> None:
        self.table[status][severity] += 1

    def of(self, status: str) -> int:
        """All controls of a status, of whatever severity."""
        return sum(self.table[status].values())

    def by_status(self) -> dict[str, int]:
        return {status: self.of(status) for status in STATUSES}

    @property
    def controls(self) -> int:
        return sum(self.by_status().values())

    @property
    def exact_compliance(self) -> Fraction:
        """Percentage of passed among all that apply; 0 when nothing applies. To compare with."""
        return percentage(self.of(PASSED), self.controls - self.of(NOT_APPLICABLE))

    @property
    def compliance(self) -> int:
        """`exact_compliance` rounded half up, as SAF shows it. To show."""
        return math.floor(self.exact_compliance + Fraction(1, 2))

    @property
    def worst_failed(self) -> str:
        """The worst severity among failed controls, empty when none failed."""
        return next((severity for severity in SEVERITIES if self.table[FAILED][severity]), "")

    @classmethod
    def from_json(cls, given: JsonObject) -> Counts:
        counts = cls()
        for status in STATUSES:
            row = given.object(status)
            counts.table[status] = {severity: row.whole_number(severity) for severity in SEVERITIES}
        if counts.to_json() != given.values:
            raise given.bad(f"the numbers of {given.place} do not add up")
        return counts

    def to_json(self) -> dict[str, Any]:
        """{status: {total, critical, high, medium, low, none}, ..., controls, compliance}"""
        table: dict[str, Any] = {
            status: dict(total=self.of(status), **self.table[status]) for status in STATUSES
        }
        return dict(table, controls=self.controls, compliance=self.compliance)


def merge_counts(counts: Iterable[Counts]) -> Counts:
    """The sum. Compliance of a sum weighs each control alike (SAF averages percentages of files instead)."""
    merged = Counts()
    for one in counts:
        for status, severities in one.table.items():
            for severity, number in severities.items():
                merged.table[status][severity] += number
    return merged


@dataclass(frozen=True)
class ControlSummary:
    """`skipped_because` is the first reason that a test of the control gives for being skipped, empty without one.

    `manual`: only a person can check it. `amended`: a waiver in force or an attestation decided it.
    """

    id: str
    title: str
    status: str
    severity: str
    skipped_because: str = ""
    manual: bool = False
    amended: bool = False

    @property
    def is_unread(self) -> bool:
        """Whether a program could have reviewed it, and did not."""
        return self.status == NOT_REVIEWED and not self.manual

    @property
    def is_judged(self) -> bool:
        """Whether a program reviewed it, and came to an end."""
        return self.status in (PASSED, FAILED, NOT_APPLICABLE) and not self.amended


@dataclass(frozen=True)
class ProfileSummary:
    name: str
    version: str
    sha256: str
    controls: list[ControlSummary]
    counts: Counts

    def ids(self, status: str, severity: str = "") -> list[str]:
        """Ids of controls with a status, and of one severity where it is given."""
        return [
            control.id
            for control in self.controls
            if control.status == status and severity in ("", control.severity)
        ]

    def unread(self, severity: str = "") -> list[str]:
        """Ids of controls that a program could have reviewed and did not, of one severity where it is given."""
        return [
            control.id
            for control in self.controls
            if control.is_unread and severity in ("", control.severity)
        ]

    def reviewed(self, severity: str = "") -> Fraction:
        """Percentage of controls that were reviewed among those that a program could review.

        Passed and failed ones were reviewed, whoever decided it. Controls that do not apply, that ended in an error, or
        that wait for a person count on neither side. 100 when none is left.
        """
        statuses = (PASSED, FAILED)
        reviewed = sum(len(self.ids(status, severity)) for status in statuses)
        return percentage(reviewed, reviewed + len(self.unread(severity)), of_nothing=100)

    @property
    def judged_nothing(self) -> bool:
        """Whether there was something to review, and a program reviewed no control at all."""
        return bool(self.unread()) and not any(control.is_judged for control in self.controls)


@dataclass(frozen=True)
class DocumentSummary:
    """`skipped` says of each profile that was skipped why; such a one says by itself that it is not for this target.

    `of_pod` names the profiles that ask nothing of the container's content.
    """

    profiles: list[ProfileSummary]
    counts: Counts
    skipped: Mapping[str, str] = field(default_factory=dict)
    of_pod: tuple[str, ...] = ()

    @property
    def fits_none(self) -> bool:
        """Whether profiles were skipped, and none is left that asks for the container's content."""
        return bool(self.skipped) and all(profile.name in self.of_pod for profile in self.profiles)

    @property
    def judged_nothing(self) -> bool:
        """Whether one of its profiles judged nothing, or none fits."""
        return not self.profiles or self.fits_none or any(profile.judged_nothing for profile in self.profiles)

    @property
    def result(self) -> str:
        """FAIL with a failed control; NOT_JUDGED with a profile error, a profile that judged nothing, or an unread
        control of a severity that must be reviewed; else PASS. What it is where no gate decides."""
        if self.counts.of(FAILED):
            return FAIL
        unread = any(profile.unread(severity) for profile in self.profiles for severity in MUST_BE_REVIEWED)
        return NOT_JUDGED if unread or self.counts.of(PROFILE_ERROR) or self.judged_nothing else PASS

    def as_dict(self) -> dict[str, Any]:
        """Counts of all, and of each profile by name, version and sha256."""
        return dict(
            self.counts.to_json(),
            profiles=[
                dict(
                    profile.counts.to_json(),
                    name=profile.name,
                    version=profile.version,
                    sha256=profile.sha256,
                )
                for profile in self.profiles
            ],
        )


def summarize(document: Mapping[str, Any], source: str = "document") -> DocumentSummary:
    """Status, severity and counts of every profile of a checked document.

    :raises ScanError: `bad_results` when its overlays cannot be resolved
    """
    profiles = []
    manual = manual_controls(document, source)
    for counted in counted_profiles(document, source):
        manual_here = frozenset(manual.get(counted.profile["name"], ()))
        controls = [
            ControlSummary(
                control["id"],
                control.get("title") or "",
                control_status(control),
                control_severity(control),
                _skip_message(control),
                control["id"] in manual_here,
                is_waived(control) or bool(control.get("attestation_data")),
            )
            for control in counted.controls
        ]
        counts = Counts()
        for control in controls:
            counts.add(control.status, control.severity)
        profile = counted.profile
        profiles.append(
            ProfileSummary(profile["name"], profile.get("version") or "", profile["sha256"], controls, counts)
        )
    return DocumentSummary(
        profiles,
        merge_counts(profile.counts for profile in profiles),
        {name: one_line(why, _MAX_WHY) for name, why in skipped_profiles(document).items()},
        pod_profiles(document, source),
    )


def _skip_message(control: Mapping[str, Any]) -> str:
    messages = (result.get("skip_message") for result in control["results"])
    return next((message for message in messages if message), "")
