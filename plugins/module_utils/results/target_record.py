# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run knows of one target: who it is, what became of it, and where its files are. One entry of `targets`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from .checked_json import JsonObject, JsonRecord, TextRecord
from .evidence import Evidence
from .place import Place
from .status import FAIL, NOT_JUDGED, NOT_SCANNED, PASS, SCANNED, STATUSES

# The folders of a run's files, within the run's.
HDF_FOLDER = "hdf"
DRIFT_FOLDER = "drift"
_MOST_REPLICAS = 1_000_000
# Why a target was taken over from an earlier run: that one was interrupted, or its result is young enough.
RESUMED = "resumed"
FRESH = "fresh"


@dataclass(frozen=True)
class ErrorRecord(TextRecord):
    """Why a target was not scanned: the fields of `ScanError.record()`."""

    code: str
    reason: str
    message: str
    tried: str
    cause: str
    advice: str


@dataclass(frozen=True)
class KeptFacts(TextRecord):
    """The file of a target's kept facts: its path within the run's folder, and what it must hash to."""

    path: str
    sha256: str


@dataclass(frozen=True)
class DriftReference(JsonRecord):
    """The file of a target's drift, what it must hash to, and what it says in short.

    `counts` is {added, changed, removed, touched}, None where nothing was compared; `cause` says why it is not complete.
    """

    path: str
    sha256: str
    complete: bool
    counts: Mapping[str, int] | None
    cause: str

    @classmethod
    def from_json(cls, given: JsonObject) -> DriftReference:
        counts = None if given.values.get("counts") is None else given.whole_numbers("counts")
        return cls(
            given.text("path"), given.text("sha256"), given.truth("complete"), counts, given.text("cause")
        )


@dataclass(frozen=True)
class Carried(JsonRecord):
    """That a target was not scanned by the run which holds it, but taken over: from which run, why (resumed or fresh), and
    how old it was then, in seconds."""

    run_id: str
    why: str
    age_seconds: int

    @classmethod
    def from_json(cls, given: JsonObject) -> Carried:
        return cls(
            given.text("run_id"), given.one_of("why", (RESUMED, FRESH)), given.whole_number("age_seconds")
        )


@dataclass(frozen=True)
class ProfileCounts(JsonRecord):
    """One profile on one target. `counts` maps each status to a number of controls, `compliance` is a percentage."""

    name: str
    counts: Mapping[str, int]
    compliance: int

    @classmethod
    def from_json(cls, given: JsonObject) -> ProfileCounts:
        return cls(given.text("name"), read_status_counts(given), given.whole_number("compliance"))


def read_status_counts(given: JsonObject) -> dict[str, int]:
    """{status: number of controls} under the key `counts`."""
    inner = given.object("counts")
    return {status: inner.whole_number(status) for status in STATUSES}


@dataclass(frozen=True)
class TargetRecord(JsonRecord):
    """One target of a run: the fields of `Target.identity()`, then what became of it.

    `outcome` is scanned or not_scanned; `result` is pass, fail, not_judged or not_scanned. `duration` is in seconds.
    `error` is None for what was scanned. `hdf` is a path within the run's folder and `hdf_sha256` what that file must
    hash to; both are empty without a document. `evidence` is None where the document names none. `counts` (by status)
    and `compliance` are None for what was not scanned; `worst_failed` is a severity or empty. `failed` maps a
    profile's name to ids of controls, `skipped_profiles` one that was skipped to the reason. `seen` is when its facts were
    collected (RFC 3339), empty for what was not scanned. `spec_sha256` is of its pod's spec without what differs between
    replicas, empty where it is not known. `replicas` is the number of containers that it stands for, itself included.
    `carried` is None for what the run itself did.
    """

    cluster: str
    namespace: str
    workload_kind: str
    workload: str
    pod: str
    pod_uid: str
    container: str
    container_kind: str
    container_id: str
    image: str
    image_id: str
    image_digest: str
    node: str
    state: str
    state_reason: str
    target_id: str
    outcome: str
    approach: str
    duration: float
    error: ErrorRecord | None
    hdf: str
    hdf_sha256: str
    facts: KeptFacts | None
    drift: DriftReference | None
    evidence: Evidence | None
    counts: Mapping[str, int] | None
    compliance: int | None
    worst_failed: str
    failed: Mapping[str, tuple[str, ...]]
    profiles: tuple[ProfileCounts, ...]
    skipped_profiles: Mapping[str, str]
    result: str
    seen: str
    spec_sha256: str
    replicas: int
    carried: Carried | None

    @classmethod
    def from_json(cls, given: JsonObject) -> TargetRecord:
        identity, outcome = _read_identity(given), _read_outcome(given)
        scanned = outcome == SCANNED
        facts, drift = given.object_or_none("facts"), given.object_or_none("drift")
        evidence = given.object_or_none("evidence")
        failed, skipped = given.object("failed"), given.object("skipped_profiles")
        carried = given.object_or_none("carried")
        return cls(
            **identity,
            outcome=outcome,
            approach=given.text("approach"),
            duration=given.number("duration"),
            error=None if scanned else ErrorRecord.from_json(given.object("error")),
            hdf=given.text("hdf"),
            hdf_sha256=given.text("hdf_sha256"),
            facts=KeptFacts.from_json(facts) if facts else None,
            drift=DriftReference.from_json(drift) if drift else None,
            evidence=Evidence.from_json(evidence) if evidence else None,
            counts=read_status_counts(given) if scanned else None,
            compliance=given.whole_number("compliance") if scanned else None,
            worst_failed=given.text("worst_failed"),
            failed={name: failed.texts(name) for name in failed.values},
            profiles=tuple(ProfileCounts.from_json(profile) for profile in given.objects("profiles")),
            skipped_profiles={name: skipped.text(name) for name in skipped.values},
            result=_read_result(given, scanned),
            seen=given.text("seen"),
            spec_sha256=given.text("spec_sha256"),
            replicas=_read_replicas(given),
            carried=Carried.from_json(carried) if carried else None,
        )

    @classmethod
    def unscanned(
        cls,
        identity: Mapping[str, Any],
        error: ErrorRecord,
        *,
        approach: str = "",
        duration: float = 0.0,
        spec_sha256: str = "",
        replicas: int = 1,
    ) -> TargetRecord:
        """The record of a target that was not scanned. :param identity: every field of IDENTITY"""
        return cls(
            **identity,
            outcome=NOT_SCANNED,
            approach=approach,
            duration=duration,
            error=error,
            hdf="",
            hdf_sha256="",
            facts=None,
            drift=None,
            evidence=None,
            counts=None,
            compliance=None,
            worst_failed="",
            failed={},
            profiles=(),
            skipped_profiles={},
            result=NOT_SCANNED,
            seen="",
            spec_sha256=spec_sha256,
            replicas=replicas,
            carried=None,
        )

    @property
    def is_scanned(self) -> bool:
        return self.outcome == SCANNED

    @property
    def place_id(self) -> str:
        """Where it stands, whatever pod it is in: see place.py."""
        return Place.of(self).id

    def identity(self) -> dict[str, Any]:
        """The target's identity as `Target.identity()` gave it."""
        return {name: getattr(self, name) for name in IDENTITY}


def _read_identity(given: JsonObject) -> dict[str, str]:
    identity = {name: given.text(name) for name in _ALWAYS_KNOWN}
    identity.update((name, given.text_or_empty(name)) for name in IDENTITY if name not in identity)
    return identity


def _read_outcome(given: JsonObject) -> str:
    outcome = given.one_of("outcome", (SCANNED, NOT_SCANNED))
    scanned = outcome == SCANNED
    if scanned != bool(given.text("hdf")) or scanned == bool(given.values.get("error")):
        raise given.bad(f"{given.place}: what was scanned has a document, and what was not has an error")
    return outcome


def _read_result(given: JsonObject, scanned: bool) -> str:
    result = given.text("result")
    if result not in ((PASS, FAIL, NOT_JUDGED) if scanned else (NOT_SCANNED,)):
        raise given.bad(f"{given.where('result')} does not fit the outcome")
    return result


def _read_replicas(given: JsonObject) -> int:
    replicas = given.whole_number("replicas")
    if not 1 <= replicas <= _MOST_REPLICAS:
        raise given.bad(f"{given.where('replicas')} must be at least 1 and at most {_MOST_REPLICAS}")
    return replicas


_FIELDS = tuple(field.name for field in fields(TargetRecord))
# The fields of a target's identity, in their order.
IDENTITY = _FIELDS[: _FIELDS.index("outcome")]
_ALWAYS_KNOWN = ("target_id", "cluster", "namespace", "workload_kind", "workload", "pod", "container")
