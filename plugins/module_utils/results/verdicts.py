# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every control of every document of a run, one document at a time, with all that a report or another system is told of it.

Whatever writes about single controls reads this, so that all of them say the same. A document that is not the one that the
run wrote is told, and nothing of it is shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..strict_json import load_own_json
from .checked_json import bad_results
from .counted_controls import counted_profiles
from .exception_record import ExceptionRecord, attestation_record, waiver_record
from .hdf import EVIDENCE_TAG, MAX_DOCUMENT_BYTES, manual_controls
from .place import fingerprint
from .run import Run
from .status import (
    FAILED,
    NOT_REVIEWED,
    PASSED,
    PROFILE_ERROR,
    control_severity,
    control_status,
    is_waived,
)
from .target_record import HDF_FOLDER, TargetRecord
from .whole_file import read_own_file

_MOST_TESTS = 3
# What the shape of a file that somebody else has written can end in.
_OTHER_SHAPES = (KeyError, TypeError, AttributeError, ValueError, RecursionError)


@dataclass(frozen=True)
class ControlText:
    """What a profile says of a control, the same on every target: `desc` what it asks, `why` its rationale, `check` how it is
    tested. `severity` is one of SEVERITIES, `impact` between 0 and 1, `tags` the control's tags of HDF."""

    profile: str
    id: str
    title: str
    severity: str
    desc: str
    why: str
    fix: str
    tags: Mapping[str, Any]
    impact: float = 0.0
    check: str = ""


@dataclass(frozen=True)
class Verdict:
    """One control on one target. `status` is one of STATUSES; `waived`: a waiver in force makes it Not Applicable; `attested`: a
    person said whether it is met; `manual`: only a person can say it.

    `text` is what was expected and found where it failed, why it was not reviewed, the error, or who waived or attested it and
    why; empty where it passed or does not apply.

    As the document has them, and None or empty where it has none: `waiver` (HDF's waiver_data, also of one that has expired or
    sets nothing aside), `attestation` (attestation_data), `tests` (results). They are texts of people and containers: bring
    them through safe_text. `exceptions` gives the first two typed and safe on one line: who asked, who approved, until when.
    """

    about: ControlText
    status: str
    waived: bool = False
    attested: bool = False
    text: str = ""
    waiver: Mapping[str, Any] | None = None
    attestation: Mapping[str, Any] | None = None
    tests: Sequence[Mapping[str, Any]] = ()
    manual: bool = False

    @property
    def exceptions(self) -> Sequence[ExceptionRecord]:
        """The waiver and the attestation of the control, also those that count for nothing."""
        waiver = [waiver_record(self.waiver, self.waived)] if self.waiver else []
        return [*waiver, *([attestation_record(self.attestation, self.attested)] if self.attestation else [])]

    @property
    def waiver_note(self) -> str:
        """Why the control's waiver counts for nothing; empty without one, and for one in force."""
        return "" if self.waived or not self.waiver else str(self.waiver.get("message") or "")

    def fingerprint(self, place_id: str) -> str:
        """The same for this control on that place, in every run, report and system."""
        return fingerprint(place_id, self.about.profile, self.about.id)


@dataclass(frozen=True)
class TargetVerdicts:
    """A target and its controls; none where it was not scanned. `unread` says why its document could not be taken."""

    record: TargetRecord
    controls: Sequence[Verdict] = ()
    unread: str = ""


def run_verdicts(
    run: Run, targets: Iterable[TargetRecord] | None = None, reader: VerdictReader | None = None
) -> Iterator[TargetVerdicts]:
    """All targets of a run, or some of them, in their order. One document is held at a time.

    :param reader: that of an earlier call: the controls have then the same texts
    """
    seen = reader or VerdictReader()
    for target in run.targets if targets is None else targets:
        if target.hdf and run.folder:
            yield seen.take(target, partial(_document, run, target))
        else:
            yield TargetVerdicts(target)


class VerdictReader:
    """Reads documents. What their profiles say is kept once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], ControlText] = {}

    def take(self, target: TargetRecord, read: Callable[[], Mapping[str, Any]]) -> TargetVerdicts:
        """A target with the controls of the document that `read` gives; where it cannot, with the reason."""
        try:
            return TargetVerdicts(target, tuple(_controls(read(), target, self._known)))
        except ScanError as error:
            return TargetVerdicts(target, unread=error.message)
        except _OTHER_SHAPES:
            return TargetVerdicts(target, unread=f"the results of {target.target_id} have another shape")


def _document(run: Run, target: TargetRecord) -> Mapping[str, Any]:
    """The digest vouches for its shape, so that it need not be checked a second time."""
    if not target.hdf_sha256:
        return run.document_of(target)[1]
    place = Path(run.folder) / HDF_FOLDER / Path(target.hdf).name
    try:
        data = read_own_file(place, MAX_DOCUMENT_BYTES)
    except OSError as reason:
        raise bad_results(str(place), f"cannot be read: {reason.strerror or reason}") from None
    if hashlib.sha256(data).hexdigest() != target.hdf_sha256:
        raise bad_results(str(place), "is not the file that the run wrote (its SHA-256 differs)")
    document: Mapping[str, Any] = load_own_json(data)
    return document


def _controls(
    document: Mapping[str, Any], target: TargetRecord, known: dict[tuple[str, str, str], ControlText]
) -> Iterator[Verdict]:
    manual = manual_controls(document, target.hdf)
    for counted in counted_profiles(document, target.hdf):
        profile = str(counted.profile["name"])
        of_people = frozenset(manual.get(profile, ()))
        for control in counted.controls:
            status, severity = control_status(control), control_severity(control)
            key = (profile, str(control["id"]), severity)
            about = known.get(key)
            if about is None:
                about = known[key] = _about(control, key)
            waived = is_waived(control)
            attested = bool(control.get("attestation_data")) and status in (PASSED, FAILED)
            yield Verdict(
                about,
                status,
                waived,
                attested,
                _text(control, status, waived, attested),
                control.get("waiver_data") or None,
                control.get("attestation_data") or None,
                control["results"],
                control["id"] in of_people,
            )


def _about(control: Mapping[str, Any], key: tuple[str, str, str]) -> ControlText:
    said = {one["label"]: str(one["data"]) for one in control.get("descriptions") or ()}
    title, desc = str(control.get("title") or ""), str(control.get("desc") or "")
    why, fix = said.get("rationale", ""), said.get("fix", "")
    # the grade is of the target, not of the control
    tags = {name: value for name, value in (control.get("tags") or {}).items() if name != EVIDENCE_TAG}
    return ControlText(
        *key[:2], title, key[2], desc, why, fix, tags, control["impact"], said.get("check", "")
    )


def _text(control: Mapping[str, Any], status: str, waived: bool, attested: bool) -> str:
    if waived:
        return _waiver_text(control["waiver_data"])
    said = ""
    if status in (FAILED, PROFILE_ERROR, NOT_REVIEWED):
        said = _messages(control, status)
    if attested:
        data = control["attestation_data"]
        who, when = data.get("updated_by", ""), data.get("updated", "")
        approved = _approval_text(data)
        said = f"Attested by {who} on {when}{approved}: {data.get('explanation', '')}" + (
            f" ({said})" if said else ""
        )
    return said


def _waiver_text(data: Mapping[str, Any]) -> str:
    owner, until = data.get("owner"), data.get("expiration_date")
    who = f" by {owner}" if owner else ""
    end = f" until {until}" if until else " without end"
    return f"Waived{who}{end}{_approval_text(data)}: {data.get('justification', '')}"


def _approval_text(data: Mapping[str, Any]) -> str:
    """Such as: , requested by ann on 2026-11-02, approved by security on 2026-11-04, ticket RISK-17. Empty where the entry does
    not say."""
    said = [
        f"{verb} by {data[f'{verb}_by']} on {data.get(verb, '')}"
        for verb in ("requested", "approved")
        if data.get(f"{verb}_by")
    ]
    ticket = data.get("ticket")
    return "".join(f", {one}" for one in [*said, *([f"ticket {ticket}"] if ticket else [])])


def _messages(control: Mapping[str, Any], status: str) -> str:
    """What the tests say that made the status, the first of them."""
    said = list(dict.fromkeys(filter(None, (_said(result, status) for result in control["results"]))))
    more = len(said) - _MOST_TESTS
    return "; ".join(said[:_MOST_TESTS]) + (f" (and {more} more)" if more > 0 else "")


def _said(result: Mapping[str, Any], status: str) -> str:
    """What one test says for the control's status; empty for a test that has another one."""
    if status == NOT_REVIEWED:
        return str(result.get("skip_message") or "")
    is_cause = result.get("backtrace") if status == PROFILE_ERROR else result["status"] == FAILED
    return str(result.get("message") or result.get("code_desc") or "") if is_cause else ""
