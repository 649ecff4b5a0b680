# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run as one line for each problem, for editors and for grep:

    severity: namespace/pod/container: control: message

Failed controls have their severity; a control that ended in an error, and a container that was not scanned or whose results
cannot be read, have `error`, and then the reason stands in place of the control.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from ..results.run import Run
from ..results.status import FAILED, PROFILE_ERROR
from ..results.verdicts import TargetVerdicts, Verdict, run_verdicts
from ..safe_text import one_line

_ERROR = "error"
_MOST = 500


def write_problem_lines(run: Run, stream: TextIO) -> None:
    for target in run_verdicts(run):
        stream.writelines(_of_target(target))
    for gap in run.gaps:
        place = "/".join(filter(None, (gap.namespace, gap.kind, gap.name)))
        stream.write(_line(_ERROR, place, gap.error.reason, gap.error.message))


def _of_target(target: TargetVerdicts) -> Iterator[str]:
    record = target.record
    place = f"{record.namespace}/{record.pod}/{record.container}"
    if record.error:
        yield _line(_ERROR, place, record.error.reason, record.error.message)
    elif target.unread:
        yield _line(_ERROR, place, "bad_results", target.unread)
    for verdict in target.controls:
        if verdict.status in (FAILED, PROFILE_ERROR):
            severity = verdict.about.severity if verdict.status == FAILED else _ERROR
            yield _line(severity, place, verdict.about.id, _said(verdict))


def _said(verdict: Verdict) -> str:
    return ": ".join(filter(None, (verdict.about.title, verdict.text)))


def _line(severity: str, place: str, control: str, text: str) -> str:
    return f"{severity}: {_field(place)}: {_field(control)}: {one_line(text, _MOST)}\n"


def _field(text: str) -> str:
    """A text in which nobody sees the end of the field."""
    return one_line(text).replace(": ", ":")
