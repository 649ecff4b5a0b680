# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run as Markdown, for people: the verdict, what failed where and how to mend it, what could not be scanned, which waivers
and attestations are in force, what differs from the image, and all targets. Each list is bounded and says where the rest is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from re import Match
from typing import TextIO
from urllib.parse import quote

from ..results.deadlines import DEADLINES_JSON
from ..results.decision import FailedControl
from ..results.findings import ControlFailures
from ..results.notes import Note
from ..results.run import ControlCount, Run
from ..results.status import STATUS_WORDS
from ..results.target_record import TargetRecord
from ..safe_text import one_line
from ..text_layout import number_of
from ..times import shown_time
from .need import by_need
from .report import Report
from .wording import (
    RESULT_WORDS,
    about_limits,
    approach_label,
    carried_lines,
    causes,
    decided_line,
    evidence_lines,
    exception_people,
    exception_until,
    left_out_line,
    overdue_of,
    reason_lines,
    reasons_line,
    row_label,
    scanned_line,
    skipped_lines,
    target_label,
    targets_line,
    unmatched_lines,
    verdict,
    workload_label,
)

# More of these stand in summary.json alone.
MOST_REASONS = 50
MOST_CAUSES = 20
MOST_TARGETS = 500
_MOST_CONTROLS = 25
_MOST_EXPLAINED = 10
_MOST_PLACES = 5
_MOST_CHANGES = 25
_MOST_NAMED = 10
_MOST_AMENDMENTS = 50
_MOST_DRIFTS = 20
_MAX_CELL = 300
_MAX_TEXT = 1000

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
        _new_failures(run),
        _no_longer_failed(run),
        _overdue(run),
        _failed_controls(run),
        _not_scanned(run),
        _unmatched(run),
        _waivers(run),
        _attestations(run),
        _drifts(run),
        _not_reviewed(run),
        _targets(run),
        _unread(run),
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
        *(["", f"The cluster's own id: {escape(run.cluster_uid)}"] if run.cluster_uid else []),
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
    shown = ["", f"{reasons_line(run)}:", "", *_bullets(reasons, MOST_REASONS, "summary.json, gate.reasons")]
    return lines + (shown if reasons else [])


def _new_failures(run: Run) -> Iterator[str]:
    return _changes(run, "New failures", run.gate.new_failures if run.gate else (), "new_failures")


def _no_longer_failed(run: Run) -> Iterator[str]:
    return _changes(
        run, "No longer failing", run.gate.no_longer_failed if run.gate else (), "no_longer_failed"
    )


def _changes(run: Run, title: str, controls: Sequence[FailedControl], key: str) -> Iterator[str]:
    """What differs from the baseline that the gate has compared with."""
    if run.gate and controls:
        yield from (f"## {title} since {escape(run.gate.baseline)}", "")
        texts = [f"{one.place}: {one.profile}: {one.control}" for one in controls]
        yield from _bullets(texts, _MOST_CHANGES, f"summary.json, gate.{key}")


def _overdue(run: Run) -> Iterator[str]:
    """What was not fixed in time, the worst first, and what was not scanned in time."""
    overdue = overdue_of(run)
    if overdue is None or not overdue.line:
        return
    yield from ("## Overdue", "", f"{overdue.line}.")
    if overdue.findings:
        yield ""
        yield from _table(
            ["Severity", "Control", "Where", "Team", "Open since", "Due"],
            (
                [
                    one.severity,
                    escape(one.control),
                    escape(place.place_id),
                    escape(place.team) or "-",
                    escape(shown_time(one.since)),
                    escape(shown_time(one.due)),
                ]
                for place, one in overdue.findings[:_MOST_CONTROLS]
            ),
        )
        yield from _rest(len(overdue.findings) - _MOST_CONTROLS, DEADLINES_JSON)
    if overdue.places:
        yield from ("", "Not scanned in time:", "")
        lines = [
            f"{place.place_id}: {f'last seen {shown_time(place.seen)}' if place.seen else 'never scanned'}, "
            f"due {shown_time(place.scan_due)}"
            for place in overdue.places
        ]
        yield from _bullets(lines, _MOST_CHANGES, DEADLINES_JSON)


def _targets(run: Run) -> Iterator[str]:
    """A row for each target, those that need somebody first."""
    yield "## Targets"
    if not run.targets:
        yield from ("", "No target was selected.")
        return
    yield ""
    said = [*carried_lines(run), *evidence_lines(run), *skipped_lines(run)]
    if said:
        yield from (*(f"- {escape(line)}" for line in said), "")
    yield from _table(
        [
            "Workload",
            "Pod/container",
            "Approach",
            "Evidence",
            "Result",
            *STATUS_WORDS.values(),
            "Compliance",
            "Worst failed",
            "Results",
        ],
        (
            _target_cells(target, target.target_id in run.findings.without_document)
            for target in by_need(run.targets)[:MOST_TARGETS]
        ),
    )
    yield from _rest(len(run.targets) - MOST_TARGETS, "summary.json, targets")


def _target_cells(target: TargetRecord, is_unread: bool) -> list[str]:
    """:param is_unread: its document is not the one that the run wrote: nothing shows what the summary says of it"""
    evidence = target.evidence.grade if target.evidence else "-"
    cells = [
        escape(f"{workload_label(target)} ({one_line(target.workload_kind)})"),
        escape(row_label(target)),
        escape(approach_label(target)),
        evidence,
        "UNREAD" if is_unread else RESULT_WORDS[target.result],
    ]
    if is_unread:
        return [*cells, *([""] * len(STATUS_WORDS)), "", "", "not the file that the run wrote"]
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
    yield from _controls(
        "Failed controls",
        ["Severity", "Control", "Title", "Profile", "Targets"],
        run.failed_controls,
        lambda control: control.profile,
        "summary.json, failed_controls",
    )
    explained = [
        (control, found)
        for control in run.failed_controls
        for found in [run.findings.failures.get((control.profile, control.id))]
        if found is not None
    ]
    for control, found in explained[:_MOST_EXPLAINED]:
        yield from _explained(control, found)
    yield from _rest(len(explained) - _MOST_EXPLAINED, "the files in hdf/", "explained")


def _explained(control: ControlCount, found: ControlFailures) -> Iterator[str]:
    """One failed control: what was expected and found on which targets, and what to do."""
    yield from (
        "",
        f"**{escape(control.id)}** ({control.severity}, {escape(control.profile)}): {escape(control.title)}",
        "",
    )
    places: dict[str, list[TargetRecord]] = {}
    for failure in found.failures:
        places.setdefault(failure.text, []).append(failure.target)
    lines = [
        ": ".join(part for part in (targets_line(targets), text) if part) for text, targets in places.items()
    ]
    yield from _bullets(lines, _MOST_PLACES, "the files in hdf/")
    if found.fix:
        yield from ("", f"What to do: {escape(found.fix, _MAX_TEXT)}")


def _not_reviewed(run: Run) -> Iterator[str]:
    return _controls(
        "Not reviewed, and why",
        ["Severity", "Control", "Title", "Cause", "Targets"],
        run.not_reviewed,
        lambda control: control.cause or "",
        "summary.json, not_reviewed",
    )


def _controls(
    title: str,
    columns: list[str],
    controls: Sequence[ControlCount],
    fourth: Callable[[ControlCount], str],
    place: str,
) -> Iterator[str]:
    """The first of the controls as a table; `fourth` gives what stands in its fourth column, `place` is where all are."""
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
    yield from _rest(len(controls) - _MOST_CONTROLS, place)


def _not_scanned(run: Run) -> Iterator[str]:
    found = causes(run)
    if found:
        yield "## Not scanned"
    for error, targets in found[:MOST_CAUSES]:
        yield ""
        yield f"**{escape(error.reason)}** ({escape(error.code)}): {escape(error.cause)}"
        yield ""
        yield f"What will work: {escape(error.advice)}"
        yield ""
        yield from _bullets(
            [_with_message(target) for target in targets], _MOST_NAMED, "summary.json, targets"
        )
    yield from _rest(len(found) - MOST_CAUSES, "summary.json, targets", "causes")


def _unmatched(run: Run) -> list[str]:
    lines = unmatched_lines(run)
    return (
        [
            "## Named, and gave no target",
            "",
            escape(lines[0]),
            "",
            *_bullets(lines[1:], len(lines), "summary.json, unmatched"),
        ]
        if lines
        else []
    )


def _with_message(target: TargetRecord) -> str:
    return f"{target_label(target)}: {target.error.message if target.error else ''}"


def _waivers(run: Run) -> Iterator[str]:
    in_force = sorted(
        run.findings.waivers.items(), key=lambda item: (item[0].record.expires or "~", item[0].control_id)
    )
    rows = [
        [
            escape(waiver.control_id) + ("" if waiver.record.decides else " (judged all the same)"),
            escape(targets_line(targets)),
            escape(waiver.record.reason),
            escape(exception_people(waiver.record)) or "-",
            escape(exception_until(waiver.record, run)),
        ]
        for waiver, targets in in_force
    ]
    heads = ["Control", "Where", "Why", "Who", "Until"]
    return _amendments("Waivers", heads, rows, "waiver_data", run.waiver_notes)


def _attestations(run: Run) -> Iterator[str]:
    in_force = sorted(
        run.findings.attestations.items(),
        key=lambda item: (item[0].record.expires or "~", item[0].control_id),
    )
    rows = [
        [
            escape(attestation.control_id),
            escape(attestation.status),
            escape(targets_line(targets)),
            escape(attestation.record.reason),
            escape(exception_people(attestation.record)),
            escape(exception_until(attestation.record, run)),
        ]
        for attestation, targets in in_force
    ]
    heads = ["Control", "Status", "Where", "How it was checked", "Who", "Holds"]
    return _amendments("Attestations", heads, rows, "attestation_data", run.attestation_notes)


def _amendments(
    title: str, heads: list[str], rows: list[list[str]], key: str, notes: Sequence[Note]
) -> Iterator[str]:
    """Those in force as a table, then the notes about those that are not."""
    if rows or notes:
        yield from (f"## {title}", "")
    if rows:
        yield from ("In force, those that end first at the top:", "")
        yield from _table(heads, rows[:_MOST_AMENDMENTS])
        yield from _rest(len(rows) - _MOST_AMENDMENTS, f"the files in hdf/, {key}")
    if rows and notes:
        yield from ("", "Not used as written:", "")
    texts = [note.text for note in notes]
    yield from _bullets(texts, len(texts), "")


def _drifts(run: Run) -> Iterator[str]:
    """Which files differ from the image, of targets whose files were compared."""
    compared = [target for target in run.targets if target.drift]
    if not compared:
        return
    yield from ("## Differences from the image", "")
    named = {drift.target.target_id: drift.paths for drift in run.findings.drifts}
    lines = [line for target in compared for line in [_drift_line(target, named)] if line]
    if lines:
        yield from _bullets(lines, _MOST_DRIFTS, "the files in drift/")
        yield from ("", "Each file in drift/ has all differences of one container.")
    else:
        yield f"None in {number_of(len(compared), 'container')}."


def _drift_line(target: TargetRecord, named: Mapping[str, Sequence[str]]) -> str:
    """The numbers and the first paths; why it is not complete; empty where nothing is to be said."""
    drift = target.drift
    if drift is None:
        return ""
    counts = drift.counts or {}
    numbers = [f"{counts[kind]} {kind}" for kind in ("added", "changed", "removed") if counts.get(kind)]
    parts = [", ".join(numbers)] if numbers else []
    paths = named.get(target.target_id, ())
    if paths:
        more = sum(counts.get(kind, 0) for kind in ("added", "changed", "removed")) - len(paths)
        parts.append(
            ", ".join(paths) + (f" and {more} more in {drift.path}" if more > 0 else f", in {drift.path}")
        )
    if not drift.complete:
        parts.append(f"not complete: {drift.cause}")
    return f"{target_label(target)}: {'; '.join(parts)}" if parts else ""


def _unread(run: Run) -> Iterator[str]:
    texts = run.findings.unread
    if texts:
        yield from ("## Files of the run that this report leaves out", "")
        yield from _bullets(texts, _MOST_NAMED, "the folder of the run")


def _bullets(texts: Sequence[str], most: int, place: str) -> list[str]:
    """:param place: where those beyond `most` are"""
    lines = ["- " + escape(text, _MAX_TEXT) for text in texts[:most]]
    return lines + ([f"- ... and {len(texts) - most} more: see {place}"] if len(texts) > most else [])


def _rest(number: int, place: str, what: str = "") -> Iterator[str]:
    """That a list goes on elsewhere, if it does."""
    if number > 0:
        yield from ("", f"... and {number} more{' ' + what if what else ''}: see {place}")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| {} |".format(" | ".join(heads))
    yield "|{}".format(" --- |" * len(heads))
    for row in rows:
        yield "| {} |".format(" | ".join(row))
