# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run as a table for terminals: one line per target, then totals, then the gate's decision."""

from __future__ import annotations

from collections.abc import Sequence

from ..results.run import Run
from ..results.status import FAILED, NOT_APPLICABLE, NOT_REVIEWED, PASSED, PROFILE_ERROR
from ..results.target_record import TargetRecord
from ..safe_text import one_line
from ..text_layout import columns, fit, number_of, wrap
from .wording import (
    RESULT_WORDS,
    about_limits,
    causes,
    container_label,
    evidence_lines,
    left_out_line,
    reason_lines,
    reasons_line,
    scanned_line,
    skipped_lines,
    verdict,
    workload_label,
)

_STATUS_COLUMNS: tuple[tuple[str, str], ...] = (
    (PASSED, "P"),
    (FAILED, "F"),
    (NOT_REVIEWED, "NR"),
    (NOT_APPLICABLE, "NA"),
    (PROFILE_ERROR, "PE"),
)
_LEGEND = "P passed, F failed, NR not reviewed, NA not applicable, PE profile error, % compliance"
_MOST_REASONS = 10
_NARROWEST = 80
_WIDEST = 160
_SHORTEST_LABEL = 8
_LABEL_GAPS = 4  # two columns between each of the three labels
_GAPS = 12  # two columns between each of the seven groups of columns


def render_table(run: Run, width: int = 100) -> str:
    """The table, at most `width` columns wide (80 to 160), with a line feed at the end."""
    width = max(_NARROWEST, min(_WIDEST, width))
    lines = _Rows(run, width).lines()
    left_out = left_out_line(run)
    lines += wrap(left_out, width) if left_out else []
    lines += ["", *wrap(_LEGEND, width)]
    for error, targets in causes(run):
        number = number_of(len(targets), "target")
        text = f"Not scanned, {number}: {error.cause.rstrip('.')}. {error.advice}"
        lines += ["", *wrap(text, width)]
    for index, said in enumerate([*evidence_lines(run), *skipped_lines(run)]):
        lines += [*([] if index else [""]), *wrap(said, width)]
    return "\n".join([*lines, "", *_gate_lines(run, width)]) + "\n"


class _Rows:
    """The lines of the table itself. Labels get what the fixed columns leave, shared by need."""

    def __init__(self, run: Run, width: int) -> None:
        self.run = run
        self.width = width
        targets = run.targets
        self.number_widths = [
            max(len(head), len(str(run.controls.of(status)))) for status, head in _STATUS_COLUMNS
        ]
        self.approach_width = max([len("APPROACH")] + [len(target.approach) for target in targets])
        words = [RESULT_WORDS[target.result] for target in targets if target.counts is not None]
        self.result_width = max(map(len, ("RESULT", *words)))
        fixed = (
            self.approach_width
            + self.result_width
            + sum(self.number_widths)
            + len(_STATUS_COLUMNS)
            - 1
            + len("100%")
            + len("critical")
            + _GAPS
        )
        workloads = [columns(workload_label(target)) for target in targets] + [len("WORKLOAD")]
        containers = [columns(container_label(target)) for target in targets] + [len("POD/CONTAINER")]
        self.total = f"TOTAL: {scanned_line(run)}"
        containers.append(len(self.total) - max(workloads) - self.approach_width - _LABEL_GAPS)
        self.workload_width, self.container_width = _share(width - fixed, max(workloads), max(containers))

    def lines(self) -> list[str]:
        heads = [head for _unused, head in _STATUS_COLUMNS]
        head = self._row(self._labels("WORKLOAD", "POD/CONTAINER", "APPROACH"), "RESULT", heads, "%", "WORST")
        return [
            head,
            *(self._target(target) for target in self.run.targets),
            "-" * self.width,
            self._total(),
        ]

    def _labels(self, workload: str, container: str, approach: str) -> str:
        return "  ".join(
            (
                fit(workload, self.workload_width),
                fit(container, self.container_width),
                fit(approach, self.approach_width),
            )
        )

    def _row(self, labels: str, result: str, numbers: Sequence[str], compliance: str, worst: str) -> str:
        """`labels` come padded to their width."""
        counts = " ".join(number.rjust(size) for number, size in zip(numbers, self.number_widths))
        return "  ".join((labels, result.ljust(self.result_width), counts, compliance.rjust(4), worst))

    def _target(self, target: TargetRecord) -> str:
        labels = self._labels(workload_label(target), container_label(target), one_line(target.approach))
        word = RESULT_WORDS[target.result]
        if target.counts is None:
            room = self.width - columns(labels) - 2
            why = target.error.reason if target.error else ""
            return f"{labels}  {one_line(f'{word}: {why}', room)}"
        return self._row(
            labels,
            word,
            [str(target.counts[status]) for status, _unused in _STATUS_COLUMNS],
            f"{target.compliance}%",
            target.worst_failed or "-",
        )

    def _total(self) -> str:
        controls, failed = self.run.controls, self.run.failed_controls
        room = self.workload_width + self.container_width + self.approach_width + _LABEL_GAPS
        return self._row(
            fit(self.total, room),
            "",
            [str(controls.of(status)) for status, _unused in _STATUS_COLUMNS],
            f"{controls.compliance}%",
            failed[0].severity if failed else "-",
        )


def _gate_lines(run: Run, width: int) -> list[str]:
    if run.gate is None:
        return [f"Gate: {verdict(run)}"]
    reasons = reason_lines(run)
    head = f"Gate: {verdict(run)} by {one_line(run.gate.threshold.source, width)}"
    added = about_limits(run)
    lines = [*(wrap(added, width) if added else ()), head + (f", {reasons_line(run)}:" if reasons else "")]
    for reason in reasons[:_MOST_REASONS]:
        lines += wrap(reason, width, "- ", "  ")
    if len(reasons) > _MOST_REASONS:
        lines.append(f"... and {len(reasons) - _MOST_REASONS} more")
    return lines


def _share(room: int, first: int, second: int) -> tuple[int, int]:
    """Widths of two columns that want `first` and `second`: both if they fit, else the one that wants more gives."""
    if first + second > room:
        first = max(_SHORTEST_LABEL, min(first, max(room // 3, room - second)))
        second = room - first
    return first, second
