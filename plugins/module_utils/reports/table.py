# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run as a table for terminals: one line per target, then totals, then the gate's decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..results.run import Run
from ..results.status import FAILED, NOT_APPLICABLE, NOT_REVIEWED, PASS, PASSED, PROFILE_ERROR
from ..results.target_record import TargetRecord
from ..safe_text import one_line
from ..text_layout import columns, fit, number_of, wrap
from .markdown import MOST_CAUSES, MOST_REASONS, MOST_TARGETS
from .need import by_need
from .wording import (
    RESULT_WORDS,
    about_limits,
    approach_label,
    carried_lines,
    causes,
    evidence_lines,
    left_out_line,
    overdue_of,
    reason_lines,
    reasons_line,
    row_label,
    scanned_line,
    skipped_lines,
    unmatched_lines,
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
# Which rows the table has: the words of the option `table`.
FULL = "full"
FAILED_ONLY = "failed"
NONE = "none"
ROWS: tuple[str, ...] = (FULL, FAILED_ONLY, NONE)
# A run of more targets than this has rows only for those that did not pass, and never more rows than this.
MOST_ROWS = 50
_MOST_REASONS = 10
_MOST_CAUSES = 5
_MOST_TEXT = 600
_TEXT_WIDTH = 100
_NARROWEST = 80
_WIDEST = 160
_WIDEST_WITHOUT_TERMINAL = 320
_SHORTEST_LABEL = 8
_LABEL_GAPS = 4  # two columns between each of the three labels
_GAPS = 12  # two columns between each of the seven groups of columns


def render_table(run: Run, width: int = 0, rows: str = FULL) -> str:
    """The table, the targets that need somebody first, with a line feed at the end. Its size is bounded, whatever the run's.

    :param width: of the terminal (80 to 160 are used); 0 without one: then lines of text have 100 columns, and the table
        has as many as the names need, up to 320
    :param rows: a word of `ROWS`; the totals, causes and the decision follow whatever it is
    """
    text_width = max(_NARROWEST, min(_WIDEST, width)) if width else _TEXT_WIDTH
    lines: list[str] = []
    if rows == NONE:
        lines.append(f"{scanned_line(run)}, compliance {run.controls.compliance} %")
    else:
        lines += _table_lines(run, width and text_width, text_width, rows)
    lines += [*_incomplete_lines(run, text_width), ""]
    return "\n".join([*lines, *_gate_lines(run, text_width)]) + "\n"


def _table_lines(run: Run, width: int, text_width: int, rows: str) -> list[str]:
    """The table, which targets it leaves out, and what its heads mean."""
    shown = _shown(run, rows)
    lines = _Rows(run, shown, width).lines()
    hidden = _hidden_line(run, shown)
    left_out = left_out_line(run)
    for said in (hidden, left_out):
        lines += wrap(said, text_width) if said else []
    return [*lines, "", *wrap(_LEGEND, text_width)]


def _incomplete_lines(run: Run, text_width: int) -> list[str]:
    """What the run lacks: targets that were not scanned, names without targets, better evidence, profiles. An empty line
    begins each part."""
    lines: list[str] = []
    found = causes(run)
    for error, targets in found[:_MOST_CAUSES]:
        number = number_of(len(targets), "target")
        text = f"Not scanned, {number}: {error.cause.rstrip('.')}. {error.advice}"
        lines += ["", *wrap(one_line(text, _MOST_TEXT), text_width)]
    if len(found) > _MOST_CAUSES:
        more = number_of(len(found) - _MOST_CAUSES, "more cause")
        lines += ["", f"Not scanned: {more}, in {_places(len(found), MOST_CAUSES)}"]
    for index, said in enumerate(unmatched_lines(run)):
        lines += [*([] if index else [""]), *wrap(said, text_width, "  " if index else "", "  ")]
    overdue = overdue_of(run)
    if overdue and overdue.line:
        lines += ["", *wrap(overdue.line, text_width)]
    for index, said in enumerate([*carried_lines(run), *evidence_lines(run), *skipped_lines(run)]):
        lines += [*([] if index else [""]), *wrap(said, text_width)]
    return lines


def _shown(run: Run, rows: str) -> list[TargetRecord]:
    """The targets that have rows, those that need somebody first."""
    targets = by_need(run.targets)
    if rows == FAILED_ONLY or len(targets) > MOST_ROWS:
        targets = [target for target in targets if target.result != PASS]
    return targets[:MOST_ROWS]


def _hidden_line(run: Run, shown: Sequence[TargetRecord]) -> str:
    """How many targets have no row, by result, and where all are; empty where none is missing."""
    missing = Counter(target.result for target in run.targets)
    missing.subtract(target.result for target in shown)
    named = ", ".join(f"{missing[result]} {word}" for result, word in RESULT_WORDS.items() if missing[result])
    number = number_of(sum(missing.values()), "target")
    places = _places(len(run.targets), MOST_TARGETS)
    verb = "list" if " and " in places else "lists"
    return f"Not shown: {number} ({named}); {places} {verb} all." if named else ""


def _places(number: int, most: int) -> str:
    """Where all of a list are. :param most: so many of them stand in summary.md"""
    return "summary.md and summary.json" if number <= most else "summary.json"


class _Rows:
    """The lines of the table itself. Labels get what the fixed columns leave, shared by need."""

    def __init__(self, run: Run, targets: Sequence[TargetRecord], width: int) -> None:
        """:param width: most columns; 0 for as many as the names need"""
        self.run = run
        self.targets = targets
        self.number_widths = [
            max(len(head), len(str(run.controls.of(status)))) for status, head in _STATUS_COLUMNS
        ]
        self.approach_width = max([len("APPROACH")] + [len(approach_label(target)) for target in targets])
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
        containers = [columns(row_label(target)) for target in targets] + [len("POD/CONTAINER")]
        self.total = f"TOTAL: {scanned_line(run)}"
        containers.append(len(self.total) - max(workloads) - self.approach_width - _LABEL_GAPS)
        needed = fixed + max(workloads) + max(containers)
        self.width = width or max(_TEXT_WIDTH, min(_WIDEST_WITHOUT_TERMINAL, needed))
        self.workload_width, self.container_width = _share(
            self.width - fixed, max(workloads), max(containers)
        )

    def lines(self) -> list[str]:
        heads = [head for _unused, head in _STATUS_COLUMNS]
        head = self._row(self._labels("WORKLOAD", "POD/CONTAINER", "APPROACH"), "RESULT", heads, "%", "WORST")
        return [
            head,
            *(self._target(target) for target in self.targets),
            "-" * self.width,
            *self._total(),
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
        labels = self._labels(workload_label(target), row_label(target), approach_label(target))
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

    def _total(self) -> list[str]:
        """A row, below a line of its own for a label that is wider than those of targets."""
        controls, failed = self.run.controls, self.run.failed_controls
        room = self.workload_width + self.container_width + self.approach_width + _LABEL_GAPS
        is_whole = columns(self.total) <= room
        row = self._row(
            fit(self.total if is_whole else "", room),
            "",
            [str(controls.of(status)) for status, _unused in _STATUS_COLUMNS],
            f"{controls.compliance}%",
            failed[0].severity if failed else "-",
        )
        return [row] if is_whole else [self.total, row]


def _gate_lines(run: Run, width: int) -> list[str]:
    if run.gate is None:
        return [f"Gate: {verdict(run)}"]
    reasons = reason_lines(run)
    head = f"Gate: {verdict(run)} by {one_line(run.gate.threshold.source, width)}"
    added = about_limits(run)
    lines = [*(wrap(added, width) if added else ()), head + (f", {reasons_line(run)}:" if reasons else "")]
    for reason in reasons[:_MOST_REASONS]:
        lines += wrap(one_line(reason, _MOST_TEXT), width, "- ", "  ")
    if len(reasons) > _MOST_REASONS:
        lines.append(f"... and {len(reasons) - _MOST_REASONS} more, in {_places(len(reasons), MOST_REASONS)}")
    return lines


def _share(room: int, first: int, second: int) -> tuple[int, int]:
    """Widths of two columns that want `first` and `second`: both if they fit, else the one that wants more gives."""
    if first + second > room:
        first = max(_SHORTEST_LABEL, min(first, max(room // 3, room - second)))
        second = room - first
    return first, second
