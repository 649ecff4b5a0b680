# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of a run: what was selected, scanned and found, small enough to read whole (no test results in it).

    schema            securescan.kubernetes/run-summary
    schema_version    number; 1
    run_id, started, finished (RFC 3339), duration (seconds), cluster, collection {name, version}, collector_version
    selection         mapping, as the operator gave it
    profiles          list of {name, version, sha256}
    target_counts     {selected, scanned, not_scanned}
    controls          {status: {total, critical, high, medium, low, none}, ..., controls, compliance} over all targets
    failed_controls   list of {profile, id, title, severity, targets}: worst severity first, then most targets
    not_reviewed      list of {profile, id, title, severity, cause, targets}: the same for controls that are Not Reviewed,
                      one entry for each cause
    targets           list of: all identity fields, outcome (scanned, not_scanned), result (pass, fail, not_scanned),
                      approach, duration, error (record or null), hdf (path within the run's folder, or empty),
                      facts ({path, sha256} where they were kept, or null),
                      drift ({path, complete, counts {added, changed, removed, touched} or null, cause}, or null where
                      it was not asked for),
                      counts {status: number} or null, compliance or null, worst_failed (severity or empty),
                      profiles (list of {name, counts, compliance}), failed {profile: [control id]}
    judged_from       {run_id, started} of the run whose kept facts were judged, or null where the targets were entered
    gate              the decision (see decision.py), or null where none was taken
    waiver_notes      list of {control_id, kind, text}
    attestation_notes the same

`result` follows the gate's decision on the target; without a gate, a target with a failed control or a profile error
fails.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import ScanError
from ..safe_text import kept_values, one_line
from .decision import Decision
from .notes import ATTESTATION, WAIVER, Note
from .producer import COLLECTION, VERSION
from .status import FAILED, NOT_REVIEWED, PROFILE_ERROR, SEVERITIES
from .summary import ControlSummary, Counts, DocumentSummary, merge_counts, summarize
from .threshold import NOT_SCANNED, SCANNED

SCHEMA = "securescan.kubernetes/run-summary"
SCHEMA_VERSION = 1
PASS = "pass"  # noqa: S105 - a result, not a password
FAIL = "fail"
_MAX_ERROR_TEXT = 1000


class RunSummary:
    """Collects the targets of a run one by one, keeping only what the summary needs. Not safe for several threads.

    :param profiles: {name, version, sha256} of each profile that was chosen
    :param judged_from: {run_id, started} of the run whose kept facts are judged
    """

    def __init__(
        self,
        *,
        run_id: str,
        started: str,
        cluster: str,
        selection: Mapping[str, Any],
        profiles: Sequence[Mapping[str, str]],
        collector_version: str = "",
        judged_from: Mapping[str, str] | None = None,
    ) -> None:
        self._head: dict[str, Any] = {
            "schema": SCHEMA,
            "schema_version": SCHEMA_VERSION,
            "run_id": run_id,
            "started": started,
            "cluster": cluster,
            "collection": {"name": COLLECTION, "version": VERSION},
            "collector_version": collector_version,
            "selection": dict(selection),
            "profiles": [
                {name: profile[name] for name in ("name", "version", "sha256")} for profile in profiles
            ],
            "judged_from": dict(judged_from) if judged_from else None,
        }
        self._targets: list[dict[str, Any]] = []
        self._counts: list[Counts] = []
        self._failed: dict[tuple[str, ...], dict[str, Any]] = {}
        self._not_reviewed: dict[tuple[str, ...], dict[str, Any]] = {}

    def add_scanned(
        self,
        identity: Mapping[str, Any],
        approach: str,
        duration: float,
        document: Mapping[str, Any],
        hdf: str,
        *,
        facts: Mapping[str, str] | None = None,
        drift: Mapping[str, Any] | None = None,
    ) -> None:
        """A target with its HDF document; `hdf` is the document's path within the run's folder.

        :param facts: {path, sha256} of what was kept of it
        :param drift: {path, complete, counts, cause} of what differs from its image
        """
        summary = summarize(document, hdf)
        self._counts.append(summary.counts)
        for profile in summary.profiles:
            for control in profile.controls:
                if control.status == FAILED:
                    _count(self._failed, (profile.name, control.id), profile.name, control)
                elif control.status == NOT_REVIEWED:
                    cause = one_line(control.skipped_because, _MAX_ERROR_TEXT)
                    _count(
                        self._not_reviewed,
                        (profile.name, control.id, cause),
                        profile.name,
                        control,
                        cause=cause,
                    )
        self._targets.append(
            dict(
                kept_values(identity),
                outcome=SCANNED,
                approach=approach,
                duration=duration,
                error=None,
                hdf=hdf,
                facts=facts,
                drift=dict(drift) if drift else None,
                counts=summary.counts.by_status(),
                compliance=summary.counts.compliance,
                worst_failed=summary.counts.worst_failed,
                failed=_failed_ids(summary),
                profiles=[
                    {
                        "name": profile.name,
                        "counts": profile.counts.by_status(),
                        "compliance": profile.counts.compliance,
                    }
                    for profile in summary.profiles
                ],
            )
        )

    def add_not_scanned(
        self, identity: Mapping[str, Any], approach: str, duration: float, error: Mapping[str, str]
    ) -> None:
        """A target that could not be scanned, with the record of its error (`ScanError.record()`)."""
        record = {name: one_line(text, _MAX_ERROR_TEXT) for name, text in error.items()}
        self._targets.append(
            dict(
                kept_values(identity),
                outcome=NOT_SCANNED,
                approach=approach,
                duration=duration,
                error=record,
                hdf="",
                facts=None,
                drift=None,
                counts=None,
                compliance=None,
                worst_failed="",
                failed={},
                profiles=[],
            )
        )

    def expected(self) -> list[dict[str, Any]]:
        """What the gate is to expect: {target_id, outcome, error} of each target."""
        return _expected(self._targets)

    def finish(
        self, finished: str, duration: float, gate: Decision | None, notes: Sequence[Note] = ()
    ) -> dict[str, Any]:
        """The summary as a mapping of plain JSON values; `duration` in seconds. Equal notes appear once."""
        targets = sorted(
            (dict(target, result=_result(target, None)) for target in self._targets),
            key=lambda target: str(target["target_id"]),
        )
        scanned = sum(target["outcome"] == SCANNED for target in targets)
        summary = dict(
            self._head,
            finished=finished,
            duration=duration,
            target_counts={
                "selected": len(targets),
                "scanned": scanned,
                "not_scanned": len(targets) - scanned,
            },
            controls=merge_counts(self._counts).as_dict(),
            failed_controls=_worst_first(self._failed),
            not_reviewed=_worst_first(self._not_reviewed),
            targets=targets,
            gate=None,
            waiver_notes=_notes_about(WAIVER, notes),
            attestation_notes=_notes_about(ATTESTATION, notes),
        )
        return with_gate(summary, gate) if gate else summary


def _notes_about(about: str, notes: Sequence[Note]) -> list[dict[str, str]]:
    return [note.as_dict() for note in dict.fromkeys(notes) if note.about == about]


def _count(
    entries: dict[tuple[str, ...], dict[str, Any]],
    key: tuple[str, ...],
    profile: str,
    control: ControlSummary,
    **more: str,
) -> None:
    """One more target of a control, at the worst severity that the control has anywhere."""
    entry = entries.setdefault(
        key,
        dict(
            profile=profile, id=control.id, title=control.title, severity=control.severity, targets=0, **more
        ),
    )
    entry["targets"] += 1
    entry["severity"] = min(entry["severity"], control.severity, key=SEVERITIES.index)


def _worst_first(entries: Mapping[tuple[str, ...], dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(
        entries.values(),
        key=lambda entry: (
            SEVERITIES.index(entry["severity"]),
            -entry["targets"],
            entry["profile"],
            entry["id"],
        ),
    )


def _failed_ids(summary: DocumentSummary) -> dict[str, list[str]]:
    failed: dict[str, list[str]] = {}
    for profile in summary.profiles:
        ids = profile.ids(FAILED)
        if ids:
            failed.setdefault(profile.name, []).extend(ids)
    return failed


def _result(target: Mapping[str, Any], passed: bool | None) -> str:
    """`passed` is what the gate said of the target, None where it said nothing."""
    if target["outcome"] != SCANNED:
        return NOT_SCANNED
    if passed is None:
        passed = not (target["counts"][FAILED] or target["counts"][PROFILE_ERROR])
    return PASS if passed else FAIL


def _expected(targets: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"target_id": target["target_id"], "outcome": target["outcome"], "error": target["error"]}
        for target in targets
    ]


def read_run_summary(data: bytes, source: str) -> dict[str, Any]:
    """A summary read back.

    :raises ScanError: `bad_results` when it is not a whole summary of this schema version
    """
    try:
        summary = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as reason:
        raise ScanError(
            "bad_results",
            f"{source}: is not JSON, or is cut off: {one_line(str(reason), 200)}",
            tried="read results",
        ) from None
    return check_run_summary(summary, source)


def check_run_summary(summary: Any, source: str) -> dict[str, Any]:
    """`summary` itself when it is a whole one.

    :raises ScanError: `bad_results`
    """
    if (
        not isinstance(summary, dict)
        or summary.get("schema") != SCHEMA
        or summary.get("schema_version") != SCHEMA_VERSION
    ):
        raise ScanError(
            "bad_results",
            f"{source}: is not a run summary of schema version {SCHEMA_VERSION}",
            tried="read results",
        )
    problem = next(_problems(summary), "")
    if problem:
        raise ScanError("bad_results", f"{source}: {problem}", tried="read results")
    return summary


_HEAD: dict[str, type] = {
    "run_id": str,
    "started": str,
    "finished": str,
    "duration": float,
    "cluster": str,
    "selection": dict,
    "profiles": list,
    "target_counts": dict,
    "controls": dict,
    "failed_controls": list,
    "not_reviewed": list,
    "targets": list,
    "waiver_notes": list,
    "attestation_notes": list,
}
_TARGET: dict[str, type] = {
    **dict.fromkeys(
        (
            "target_id",
            "cluster",
            "namespace",
            "workload_kind",
            "workload",
            "pod",
            "container",
            "approach",
            "hdf",
            "worst_failed",
        ),
        str,
    ),
    "duration": float,
    "failed": dict,
    "profiles": list,
}


def _problems(summary: Mapping[str, Any]) -> Iterator[str]:
    """What keeps a summary from being read, said of the first place."""
    for name, kind in _HEAD.items():
        if not _is_of(summary.get(name), kind):
            yield f"{name} is missing or of another type"
            return
    for index, target in enumerate(summary["targets"]):
        for name, kind in _TARGET.items():
            if not isinstance(target, dict) or not _is_of(target.get(name), kind):
                yield f"targets[{index}].{name} is missing or of another type"
                return
        if target.get("outcome") not in (SCANNED, NOT_SCANNED):
            yield f"targets[{index}].outcome must be {SCANNED} or {NOT_SCANNED}"
        elif (target["outcome"] == SCANNED) != bool(target["hdf"]) or (target["outcome"] == SCANNED) == bool(
            target.get("error")
        ):
            yield f"targets[{index}]: what was scanned has a document, and what was not has an error"
    counts = {
        word: sum(target["outcome"] == word for target in summary["targets"])
        for word in (SCANNED, NOT_SCANNED)
    }
    if dict(counts, selected=len(summary["targets"])) != summary["target_counts"]:
        yield "its targets are not those that it counts"


def _is_of(value: Any, kind: type) -> bool:
    return isinstance(value, (int, float) if kind is float else kind) and not isinstance(value, bool)


def expected_targets(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the gate is to expect of a run whose summary was read back."""
    return _expected(summary["targets"])


def with_gate(summary: Mapping[str, Any], gate: Decision) -> dict[str, Any]:
    """The summary of a run with the gate's decision, in place of an earlier one."""
    passed = {target.target_id: target.passed for target in gate.targets}
    targets = [
        dict(target, result=_result(target, passed.get(target["target_id"]))) for target in summary["targets"]
    ]
    return dict(summary, targets=targets, gate=gate.as_dict())
