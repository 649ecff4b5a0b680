# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run as JSON lines: results.jsonl, for programs that read one line at a time.

The first line is of the kind `run`: how many targets there are, and what the gate decided. Each other is an object of
plain_event.py: one for each control of each target, and one for what gave no results. Each line says all of its control, its
target and its run, so that lines can be sorted, filtered and mixed with those of other runs.
"""

from __future__ import annotations

from typing import TextIO

from ..results.run import Run
from ..results.verdicts import TargetVerdicts, run_verdicts
from .event import gap_target
from .json_text import fields, json_text, opened
from .per_control import PerControl
from .plain_event import control_object, head_object, plain_event, target_object, verdict_object
from .report import Report
from .wording import verdict as gate_word


def write_jsonl(run: Run, stream: TextIO) -> None:
    lines = _Lines(run)
    stream.write(_run_line(run))
    for target in run_verdicts(run):
        stream.write(lines.of_target(target))
    for gap in run.gaps:
        stream.write(lines.of_target(gap_target(run, gap)))


def _run_line(run: Run) -> str:
    return _line(
        json_text(
            {
                **head_object("run", "", run),
                "finished": run.finished,
                "collection": run.collection.to_json(),
                "profiles": [profile.to_json() for profile in run.profiles],
                "targets": run.target_counts.to_json(),
                "controls": run.controls.to_json(),
                "gate": gate_word(run),
            }
        )
    )


class _Lines:
    """Makes the same lines as `plain_event`, but what many of them share is encoded once."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._head = opened(head_object("control", "", run))
        self._controls = PerControl(lambda about: fields(control_object(about)))
        self._plain: dict[str, str] = {}

    def of_target(self, target: TargetVerdicts) -> str:
        """The lines of one target."""
        if not target.controls:
            return _line(json_text(plain_event(self._run, target, None)))
        place_id = target.record.place_id
        start = f'{self._head},"target":{json_text(target_object(target.record))},"fingerprint":"'
        lines = []
        for verdict in target.controls:
            said = verdict.text or verdict.waiver or verdict.attestation
            about = self._controls.of(verdict.about)
            result = fields(verdict_object(verdict)) if said else self._plain.get(verdict.status)
            if result is None:
                result = self._plain[verdict.status] = fields(verdict_object(verdict))
            lines.append(f'{start}{verdict.fingerprint(place_id)}",{about},{result}}}\n')
        return "".join(lines)


def _line(text: str) -> str:
    return text + "\n"


REPORT = Report("jsonl", "results.jsonl", write_jsonl)
