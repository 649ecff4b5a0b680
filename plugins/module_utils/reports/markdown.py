# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run as Markdown, for people: verdict, targets by workload, what failed, what could not be scanned."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from re import Match
from typing import TextIO
from urllib.parse import quote

from ..results.notes import Note
from ..results.run import ControlCount, Run
from ..results.status import STATUS_WORDS
from ..results.target_record import TargetRecord
from ..safe_text import one_line
from ..text_layout import number_of
from .report import Report
from .wording import (
    RESULT_WORDS,
    about_limits,
    causes,
    container_label,
    decided_line,
    evidence_lines,
    left_out_line,
    reason_lines,
    reasons_line,
    scanned_line,
    skipped_lines,
    target_label,
    verdict,
    workload_label,
)

_MOST_CONTROLS = 25
_MOST_REASONS = 50
_MOST_NAMED = 10
_MAX_CELL = 300

_ENTITIES: dict[str, str] = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SPECIAL = re.compile(
    r"[&<>]|[\\`*_\[\]#|~$]|(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)|^(?=[-+=]|\d+[.)](?:\s|$))", re.IGNORECASE
)

_HOW_TO_READ = (
    "Passed: every test of the control passed. Failed: at least one did not.",
    "Not Reviewed: what the control needs to know could not be had, so nothing is claimed; the results "
    "file gives the "
    "cause.",
    "Not Applicable: the control has no impact on this target, or a waiver that is in force sets it aside.",
    "Profile Error: a test of the control ended with an error, or the control has no tests.",
    "Compliance: passed controls as a percentage of all but those that are not applicable.",
    "NOT JUDGED: nothing was found against the container, but too few of its controls were reviewed to say that it passed, "
    "or no profile fits it.",
    "Each file under hdf/ is an InSpec exec-json document; Heimdall and the SAF CLI read it.",
)


def escape(text: str, limit: int = _MAX_CELL) -> str:
    """`text` on one line so that Markdown and HTML show it as it is: it makes no markup, link, mention or table cell.

    Where renderers make links of plain text (an address, a mention), a character without width keeps them from it.
    """
    return _SPECIAL.sub(_escaped, one_line(text, limit))


def _escaped(match: Match[str]) -> str:
    char = match.group()
    if not char:
        return "\\" if match.start() == 0 and not match.string[0].isdigit() else "&#8203;"
    return _ENTITIES.get(char, "\\" + char)


def write_markdown(run: Run, stream: TextIO) -> None:
    """Writes the report, line by line, with an empty line between its sections."""
    sections = (
        _head(run),
        _gate(run),
        _targets(run),
        _failed_controls(run),
        _not_reviewed(run),
        _not_scanned(run),
        _notes("Waivers", run.waiver_notes),
        _notes("Attestations", run.attestation_notes),
        ["## How to read this", "", *("- " + line for line in _HOW_TO_READ)],
    )
    before = ""
    for section in sections:
        for line in section:
            stream.write(before + line)
            before = "\n"
        before = "\n\n"
    stream.write("\n")


REPORT = Report("markdown", "summary.md", write_markdown)


def _head(run: Run) -> list[str]:
    statuses = ", ".join(f"{run.controls.of(status)} {word}" for status, word in STATUS_WORDS.items())
    profiles = ", ".join(f"{escape(profile.name)} {escape(profile.version)}" for profile in run.profiles)
    left_out = left_out_line(run)
    return [
        f"# Container scan of {escape(run.cluster)}",
        "",
        f"**{verdict(run)}**: {scanned_line(run)}, compliance {run.controls.compliance} % ({statuses}).",
        "",
        "Run {}, started {}, {:.1f} s. Profiles: {}.".format(
            escape(run.run_id), escape(run.started), run.duration, profiles or "none"
        ),
        *(["", escape(left_out)] if left_out else []),
    ]


def _gate(run: Run) -> list[str]:
    gate = run.gate
    if gate is None:
        return ["## Gate", "", "No gate was asked for a decision."]
    compared = (
        f" {number_of(len(gate.new_failures), 'new failure')} since {escape(gate.baseline)}."
        if gate.baseline
        else ""
    )
    added = about_limits(run)
    lines = ["## Gate", "", f"{verdict(run)} by {escape(gate.threshold.source)}.{compared}"]
    decided = decided_line(run)
    lines += ["", escape(decided)] if decided else []
    lines += ["", added] if added else []
    reasons = reason_lines(run)
    return lines + (["", f"{reasons_line(run)}:", "", *_bullets(reasons, _MOST_REASONS)] if reasons else [])


def _targets(run: Run) -> Iterator[str]:
    """One table per workload, its rows the targets."""
    workloads: dict[str, list[TargetRecord]] = {}
    for target in run.targets:
        label = f"{workload_label(target)} ({one_line(target.workload_kind)})"
        workloads.setdefault(label, []).append(target)
    yield "## Targets"
    if not workloads:
        yield from ("", "No target was selected.")
    said = [*evidence_lines(run), *skipped_lines(run)]
    if said:
        yield from ("", *(f"- {escape(line)}" for line in said))
    for label, targets in workloads.items():
        yield from ("", f"### {escape(label)}", "")
        yield from _table(
            [
                "Pod/container",
                "Approach",
                "Evidence",
                "Result",
                *STATUS_WORDS.values(),
                "Compliance",
                "Worst failed",
                "Results",
            ],
            (_target_cells(target) for target in targets),
        )


def _target_cells(target: TargetRecord) -> list[str]:
    evidence = target.evidence.grade if target.evidence else "-"
    cells = [escape(container_label(target)), escape(target.approach), evidence, RESULT_WORDS[target.result]]
    if target.counts is None:
        return [
            *cells,
            *([""] * len(STATUS_WORDS)),
            "",
            "",
            escape(target.error.reason if target.error else ""),
        ]
    return [
        *cells,
        *(str(target.counts[status]) for status in STATUS_WORDS),
        f"{target.compliance} %",
        target.worst_failed or "-",
        "[HDF]({})".format(quote(target.hdf, safe="/~")),
    ]


def _failed_controls(run: Run) -> Iterator[str]:
    return _controls(
        "Failed controls",
        ["Severity", "Control", "Title", "Profile", "Targets"],
        run.failed_controls,
        lambda control: control.profile,
    )


def _not_reviewed(run: Run) -> Iterator[str]:
    return _controls(
        "Not reviewed, and why",
        ["Severity", "Control", "Title", "Cause", "Targets"],
        run.not_reviewed,
        lambda control: control.cause or "",
    )


def _controls(
    title: str, columns: list[str], controls: Sequence[ControlCount], fourth: Callable[[ControlCount], str]
) -> Iterator[str]:
    """The first of the controls as a table; `fourth` gives what stands in its fourth column."""
    if not controls:
        return
    yield from (f"## {title}", "")
    yield from _table(
        columns,
        (
            [
                control.severity,
                escape(control.id),
                escape(control.title),
                escape(fourth(control)),
                str(control.targets),
            ]
            for control in controls[:_MOST_CONTROLS]
        ),
    )
    if len(controls) > _MOST_CONTROLS:
        yield from ("", f"... and {len(controls) - _MOST_CONTROLS} more")


def _not_scanned(run: Run) -> Iterator[str]:
    for number, (error, targets) in enumerate(causes(run)):
        if not number:
            yield "## Not scanned"
        yield ""
        yield f"**{escape(error.reason)}** ({escape(error.code)}): {escape(error.cause)}"
        yield ""
        yield f"What will work: {escape(error.advice)}"
        yield ""
        yield from _bullets([_with_message(target) for target in targets], _MOST_NAMED)


def _with_message(target: TargetRecord) -> str:
    return f"{target_label(target)}: {target.error.message if target.error else ''}"


def _notes(title: str, notes: Sequence[Note]) -> list[str]:
    texts = [note.text for note in notes]
    return [f"## {title}", "", *_bullets(texts, len(texts))] if texts else []


def _bullets(texts: Sequence[str], most: int) -> list[str]:
    lines = ["- " + escape(text, 1000) for text in texts[:most]]
    return lines + ([f"- ... and {len(texts) - most} more"] if len(texts) > most else [])


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| {} |".format(" | ".join(heads))
    yield "|{}".format(" --- |" * len(heads))
    for row in rows:
        yield "| {} |".format(" | ".join(row))
