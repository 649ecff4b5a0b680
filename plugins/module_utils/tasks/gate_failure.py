# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error that a task ends with when its gate did not open: could not scan, could not judge, or found something.

Its reason is the decision's kind. What there is of the other kinds is told after it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..errors import KINDS, ScanError
from ..reports.wording import causes, reason_lines
from ..results.decision import BAD_RESULTS, GATE_FAILED, Decision, Reason
from ..results.run import Run
from ..results.status import NOT_JUDGED, NOT_SCANNED, PROFILE_ERROR
from ..results.target_record import ErrorRecord
from ..results.unmatched import Unmatched
from ..safe_text import one_line
from ..text_layout import number_of, were

_TRIED = "judging the run"
_MAX_MESSAGE = 300
_MOST_OTHER_CAUSES = 3


def gate_failure(decision: Decision, run: Run) -> ScanError | None:
    """None where the decision is that the run passed.

    :param run: with the decision
    """
    if decision.passed:
        return None
    if decision.kind == NOT_SCANNED:
        return _not_scanned(run, _besides(decision, run))
    lines = reason_lines(run, decision.kind)
    number = decision.reason_counts[decision.kind]
    message = f"1 reason: {lines[0]}" if number == 1 else f"{number} reasons, the first: {lines[0]}"
    return ScanError(decision.kind, _sentences([message, *_besides(decision, run)]), tried=_TRIED)


def error_failure(run: Run, of_check: Sequence[Reason]) -> ScanError | None:
    """The error where only what could not be scanned or judged fails a task; None where all could be.

    :param of_check: why the run is not the one that was to be judged; then its numbers say nothing
    """
    if of_check:
        return ScanError(BAD_RESULTS, of_check[0].text, tried=_TRIED)
    unclear = _unclear(run)
    if run.target_counts.not_scanned:
        return _not_scanned(run, unclear)
    if unclear:
        cause = "A container was not judged, or a control of it ended in an error."
        return ScanError(NOT_JUDGED, _sentences(unclear), tried=_TRIED, cause=cause)
    return None


def _not_scanned(run: Run, besides: Sequence[str]) -> ScanError:
    """With the most frequent cause as its own, because that is what somebody has to mend."""
    counts = run.target_counts
    selected = number_of(counts.selected, _noun(run))
    message = f"{counts.scanned} of {selected} {'was' if counts.selected == 1 else 'were'} scanned"
    why, number, others = _most_frequent_cause(run)
    if why is None:
        nothing = [] if counts.selected else ["no container was selected"]
        return ScanError(NOT_SCANNED, _sentences([message, *nothing, *besides]), tried=_TRIED)
    said = f"the cause of {number}: {why.code} {why.reason}: {one_line(why.message, _MAX_MESSAGE)}"
    told = [f"of the others: {others}"] if others else []
    return ScanError(
        NOT_SCANNED,
        _sentences([f"{message}; {said}", *told, *besides]),
        tried=_TRIED,
        cause=why.cause,
        advice=why.advice,
    )


def _most_frequent_cause(run: Run) -> tuple[ErrorRecord | None, int, str]:
    """(one of its errors, number of its targets, the other causes in words)."""
    numbers: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], ErrorRecord] = {}
    found = [(error, len(targets)) for error, targets in causes(run)]
    for error, number in [*found, *((_of_gap(gap), 1) for gap in run.gaps)]:
        numbers[error.code, error.reason] += number
        first.setdefault((error.code, error.reason), error)
    if not numbers:
        return None, 0, ""
    (key, number), *rest = numbers.most_common()
    named = [f"{code} {reason} ({more})" for (code, reason), more in rest[:_MOST_OTHER_CAUSES]]
    if len(rest) > _MOST_OTHER_CAUSES:
        named.append(number_of(len(rest) - _MOST_OTHER_CAUSES, "more cause"))
    return first[key], number, ", ".join(named)


def _of_gap(gap: Unmatched) -> ErrorRecord:
    """Why a name gave no target, as the error of a target."""
    error = gap.error
    kind = KINDS.get(error.reason, KINDS["no_targets"])
    return ErrorRecord(error.code, error.reason, error.message, "", kind.meaning, kind.advice)


def _noun(run: Run) -> str:
    """What is counted: a name that gave nothing is no container."""
    return "target" if run.gaps else "container"


def _besides(decision: Decision, run: Run) -> list[str]:
    """What speaks against the run beside the kind that is the error's reason."""
    numbers, not_scanned = decision.reason_counts, run.target_counts.not_scanned
    told = []
    if decision.kind == BAD_RESULTS and numbers[GATE_FAILED]:
        told.append(f"{number_of(numbers[GATE_FAILED], 'reason')} for what was found")
    # coverage is too low, too, where a document cannot be used: that is told already
    if decision.kind != NOT_SCANNED and numbers[NOT_SCANNED] and not_scanned:
        told.append(f"{were(not_scanned, _noun(run))} not scanned")
    if decision.kind != NOT_JUDGED and numbers[NOT_JUDGED]:
        told.append(f"{number_of(numbers[NOT_JUDGED], 'reason')} for what could not be judged")
    return told


def _unclear(run: Run) -> list[str]:
    not_judged, errors = run.target_counts.not_judged, run.controls.of(PROFILE_ERROR)
    return [
        *([f"{were(not_judged, 'container')} not judged"] if not_judged else []),
        *([f"{number_of(errors, 'control')} ended in a profile error"] if errors else []),
    ]


def _sentences(parts: Sequence[str]) -> str:
    return ". ".join(part[:1].upper() + part[1:] if number else part for number, part in enumerate(parts))
