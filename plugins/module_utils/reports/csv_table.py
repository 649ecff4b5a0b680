# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run as a table for spreadsheets: results.csv, one row for each control of each target (RFC 4180).

What gave no results has a row, too: its status is not_scanned, or unread for a document that is not the run's. No cell is a
formula (see spreadsheet.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from ..results.exception_record import ExceptionRecord
from ..results.run import Run
from ..results.target_record import TargetRecord
from ..results.verdicts import ControlText, TargetVerdicts, Verdict, run_verdicts
from .event import gap_target
from .per_control import PerControl
from .plain_event import outcome_object
from .report import Report
from .spreadsheet import cells

# Spreadsheets take 32,767 characters in a cell.
_MOST = 4000
_END = "\r\n"
_OF_STATUS = ("status", "waived", "attested")
_OF_CONTROL = ("severity", "profile", "control", "title")
_OF_TARGET = (
    "cluster",
    "namespace",
    "workload_kind",
    "workload",
    "pod",
    "container",
    "image",
    "image_digest",
    "node",
    "approach",
    "seen",
    "target_id",
)
OF_EXCEPTION = ("exception", "reason", "owner", "approved_by", "ticket", "expires", "counts_for_nothing")
_OF_TEXT = ("text", *OF_EXCEPTION)
_OF_ADVICE = ("fix", "nist")
_HEADS = (
    *_OF_STATUS,
    *_OF_CONTROL,
    *_OF_TARGET,
    "evidence",
    *_OF_TEXT,
    *_OF_ADVICE,
    "fingerprint",
    "run_id",
    "started",
)


def write_csv(run: Run, stream: TextIO) -> None:
    rows = _Rows(run)
    stream.write(cells(_HEADS) + _END)
    for target in run_verdicts(run):
        stream.write(rows.of_target(target))
    for gap in run.gaps:
        stream.write(rows.of_target(gap_target(run, gap)))


class _Rows:
    """The rows of a run; what many of them share is made once."""

    def __init__(self, run: Run) -> None:
        self._end = f",{cells((run.run_id, run.started), _MOST)}{_END}"
        self._before = PerControl(_about)
        self._after = PerControl(_advice)
        self._plain: dict[str, tuple[str, str]] = {}

    def of_target(self, target: TargetVerdicts) -> str:
        about = _target(target.record)
        if not target.controls:
            return self._without_controls(target, about)
        place_id, end = target.record.place_id, self._end
        rows = []
        for verdict in target.controls:
            status, text = self._said(verdict)
            before, after = self._before.of(verdict.about), self._after.of(verdict.about)
            rows.append(f"{status},{before},{about},{text},{after},{verdict.fingerprint(place_id)}{end}")
        return "".join(rows)

    def _without_controls(self, target: TargetVerdicts, about: str) -> str:
        said = outcome_object(target)
        status = cells((said["status"], "no", "no"))
        text = cells((said["text"], *[""] * (len(_OF_TEXT) - 1)), _MOST)
        return f"{status},{_empty(_OF_CONTROL)},{about},{text},{_empty(_OF_ADVICE)},{self._end}"

    def _said(self, verdict: Verdict) -> tuple[str, str]:
        """The cells of the status, and those of the text."""
        if verdict.text or verdict.waiver or verdict.attestation:
            return _status(verdict), _text(verdict)
        said = self._plain.get(verdict.status)
        if said is None:
            said = self._plain[verdict.status] = (_status(verdict), _text(verdict))
        return said


def _target(record: TargetRecord) -> str:
    grade = record.evidence.grade if record.evidence else ""
    return cells([*(getattr(record, name) for name in _OF_TARGET), grade], _MOST)


def _about(about: ControlText) -> str:
    return cells((about.severity, about.profile, about.id, about.title), _MOST)


def _advice(about: ControlText) -> str:
    nist = about.tags.get("nist") or ()
    return cells((about.fix, " ".join(map(str, nist)) if isinstance(nist, (list, tuple)) else ""), _MOST)


def _status(verdict: Verdict) -> str:
    return cells((verdict.status, _yes_no(verdict.waived), _yes_no(verdict.attested)))


def _text(verdict: Verdict) -> str:
    return cells((verdict.text, *exception_texts(verdict)), _MOST)


def exception_texts(verdict: Verdict) -> list[str]:
    """What stands under OF_EXCEPTION."""
    exceptions = verdict.exceptions
    named = ("kind", "reason", "owner", "approved_by", "ticket", "expires", "why_not")
    return [_of_all(exceptions, name) for name in named]


def _of_all(exceptions: Sequence[ExceptionRecord], name: str) -> str:
    """What the waiver and the attestation of a control say, where there are both."""
    return "; ".join(filter(None, (getattr(one, name) for one in exceptions)))


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"


def _empty(heads: Sequence[str]) -> str:
    return "," * (len(heads) - 1)


REPORT = Report("csv", "results.csv", write_csv)
