# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a store keeps of what was seen of a place: the status of each control, without the time and without the pod.

The worst status of the replicas counts. Equal states are equal bytes, of whatever place they are.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..results.counted_controls import CountedProfile, counted_profiles
from ..results.findings import expected_and_found, fix_of
from ..results.hdf import skipped_profiles
from ..results.status import (
    FAILED,
    NOT_APPLICABLE,
    NOT_REVIEWED,
    PASSED,
    PROFILE_ERROR,
    SEVERITIES,
    STATUSES,
    WORST_FIRST,
    control_severity,
    control_status,
    is_waived,
)
from ..safe_text import one_line
from .documents import damaged, unpack_json

# Somebody has to do something about these.
OPEN_STATUSES = (FAILED, PROFILE_ERROR)
# What is open stays so with these: what could not be reviewed was not seen to be better.
LASTING_STATUSES = (*OPEN_STATUSES, NOT_REVIEWED)
_MAX_TEXT = 500
_MAX_LONG_TEXT = 4000
_MAX_TAGS = 4000

# A control by its profile's name and its own id.
ControlKey = tuple[str, str]


@dataclass(frozen=True)
class ControlText:
    """What a control says in one version of its profile; bounded. `tags` is JSON."""

    title: str
    severity: str
    description: str
    fix: str
    tags: str


@dataclass(frozen=True)
class SeenControl:
    """One control on a place. `containers`: how many of its containers have this status; `said`: the first of them says why."""

    status: str
    severity: str
    waived: bool
    containers: int
    said: str


@dataclass(frozen=True)
class SeenProfile:
    """A profile by which a document was judged, and what its controls say. It is empty where it was skipped."""

    name: str
    version: str
    sha256: str
    title: str
    texts: Mapping[str, ControlText]


@dataclass(frozen=True)
class SeenTarget:
    """What the document of one target says."""

    profiles: Sequence[SeenProfile]
    controls: Mapping[ControlKey, SeenControl]


@dataclass
class PlaceState:
    """`profiles` maps the name of each profile that judged something to its SHA-256. `images` are (image, digest). `is_partial`:
    some of the place's containers were not scanned."""

    controls: dict[ControlKey, SeenControl]
    profiles: dict[str, str]
    images: list[tuple[str, str]]
    evidence: str
    containers: int
    is_partial: bool = False
    sha256: bytes = field(init=False)

    def __post_init__(self) -> None:
        value = [
            sorted([*key, one.status, one.severity, one.waived, one.containers, one.said] for key, one in self.controls.items()),
            sorted(self.profiles.items()),
            self.images,
            self.evidence,
            self.containers,
            self.is_partial,
        ]  # fmt: skip
        self.sha256 = hashlib.sha256(json.dumps(value, separators=(",", ":")).encode("ascii")).digest()

    def counts(self, profile: str = "") -> dict[str, int]:
        """Number of controls by status, of one profile or of all."""
        counts = dict.fromkeys(STATUSES, 0)
        for (name, _control), one in self.controls.items():
            if not profile or name == profile:
                counts[one.status] += 1
        return counts

    @property
    def worst_failed(self) -> str:
        failed = {one.severity for one in self.controls.values() if one.status == FAILED}
        return next((severity for severity in SEVERITIES if severity in failed), "")


class DocumentReader:
    """Reads checked documents. What the controls of a profile say is read of the first document of a version."""

    def __init__(self) -> None:
        self._profiles: dict[tuple[str, str, frozenset[str]], SeenProfile] = {}

    def read(self, document: Mapping[str, Any], source: str) -> SeenTarget:
        """What a document says. :raises ScanError: bad_results, when overlays cannot be resolved"""
        skipped = skipped_profiles(document)
        profiles, controls = [], {}
        for counted in counted_profiles(document, source):
            name = str(counted.profile["name"])
            if name in skipped:
                continue
            profiles.append(self._profile(counted))
            for control in counted.controls:
                controls[name, str(control["id"])] = _seen_control(control)
        return SeenTarget(profiles, controls)

    def _profile(self, counted: CountedProfile) -> SeenProfile:
        profile = counted.profile
        name, sha256 = str(profile["name"]), str(profile.get("sha256") or "")
        key = (name, sha256, frozenset(str(control["id"]) for control in counted.controls))
        if key not in self._profiles:
            version, title = (
                one_line(str(profile.get(each) or ""), _MAX_TEXT) for each in ("version", "title")
            )
            texts = {str(control["id"]): _text(control) for control in counted.controls}
            self._profiles[key] = SeenProfile(name, version, sha256, title, texts)
        return self._profiles[key]


def _seen_control(control: Mapping[str, Any]) -> SeenControl:
    status = control_status(control)
    waived = status == NOT_APPLICABLE and is_waived(control)
    return SeenControl(status, control_severity(control), waived, 1, _said(control, status))


def _said(control: Mapping[str, Any], status: str) -> str:
    if status == PASSED or (status == NOT_APPLICABLE and not is_waived(control)):
        return ""
    if status == FAILED:
        return expected_and_found(control)
    if status == NOT_APPLICABLE:
        return one_line(str(control["waiver_data"].get("justification", "")), _MAX_TEXT)
    said = (result.get("skip_message") or result.get("message") for result in control["results"])
    return next((one_line(str(text), _MAX_TEXT) for text in said if text), "")


def _text(control: Mapping[str, Any]) -> ControlText:
    tags = json.dumps(control["tags"], sort_keys=True)
    return ControlText(
        one_line(str(control.get("title") or ""), _MAX_TEXT),
        control_severity(control),
        one_line(str(control.get("desc") or ""), _MAX_LONG_TEXT),
        fix_of(control),
        tags if len(tags) <= _MAX_TAGS else "{}",
    )


def merged(
    targets: Sequence[tuple[SeenTarget, int]],
    images: Iterable[tuple[str, str]],
    evidence: str,
    is_partial: bool = False,
) -> PlaceState:
    """The state of a place of which these targets were scanned, in the order of their ids.

    :param targets: each with the number of containers that it stands for
    :param is_partial: whether there are others, which were not scanned
    """
    controls: dict[ControlKey, SeenControl] = {}
    profiles: dict[str, str] = {}
    for target, containers in targets:
        profiles.update((profile.name, profile.sha256) for profile in target.profiles)
        for key, seen in target.controls.items():
            one = SeenControl(seen.status, seen.severity, seen.waived, containers, seen.said)
            controls[key] = _worse(controls[key], one) if key in controls else one
    containers = sum(number for _target, number in targets)
    return PlaceState(controls, profiles, sorted(set(images)), evidence, containers, is_partial)


def _rank(one: SeenControl) -> tuple[int, int, bool]:
    return WORST_FIRST.index(one.status), SEVERITIES.index(one.severity), one.waived


def _worse(one: SeenControl, other: SeenControl) -> SeenControl:
    if _rank(one) == _rank(other):
        return SeenControl(one.status, one.severity, one.waived, one.containers + other.containers, one.said)
    return min(one, other, key=_rank)


@dataclass(frozen=True)
class StoredState:
    """A state with the store's own numbers of controls. `judged`: names of the profiles that judged something. `is_partial`: some
    of the place's containers were not scanned."""

    passed: frozenset[int]
    others: Mapping[int, SeenControl]
    judged: frozenset[str]
    is_partial: bool


def stored_state(state: PlaceState, ids: Mapping[ControlKey, int]) -> StoredState:
    """:param ids: the store's number of each control"""
    passed = frozenset(ids[key] for key, one in state.controls.items() if one.status == PASSED)
    others = {ids[key]: one for key, one in state.controls.items() if one.status != PASSED}
    return StoredState(passed, others, frozenset(state.profiles), state.is_partial)


def encode_state(state: StoredState) -> bytes:
    others = [
        [number, one.status, one.severity, one.waived, one.containers, one.said]
        for number, one in sorted(state.others.items())
    ]
    value = [sorted(state.passed), others, sorted(state.judged), state.is_partial]
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode("ascii"), 9)


def decode_state(body: bytes) -> StoredState:
    """:raises ScanError: not_a_store, for a damaged one"""
    value = unpack_json(body, "a state")
    try:
        passed, others, judged, is_partial = value
        controls = {number: SeenControl(*rest) for number, *rest in others}
        return StoredState(frozenset(passed), controls, frozenset(judged), is_partial)
    except (TypeError, ValueError):
        raise damaged("a state") from None
