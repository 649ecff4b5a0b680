# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run summary as Markdown, for people: verdict, targets by workload, what failed, what could not be scanned."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from re import Match
from typing import Any
from urllib.parse import quote

from ..results.status import STATUS_WORDS
from ..results.threshold import NOT_SCANNED
from ..safe_text import one_line
from .wording import (
    RESULT_WORDS,
    causes,
    container_label,
    reason_lines,
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


def render_markdown(summary: Mapping[str, Any]) -> str:
    """The report as text, with a line feed at the end."""
    sections = [
        _head(summary),
        _gate(summary),
        _targets(summary),
        _failed_controls(summary),
        _not_reviewed(summary),
        _not_scanned(summary),
        _notes("Waivers", summary["waiver_notes"]),
        _notes("Attestations", summary["attestation_notes"]),
        ["## How to read this", "", *("- " + line for line in _HOW_TO_READ)],
    ]
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def _head(summary: Mapping[str, Any]) -> list[str]:
    counts = summary["target_counts"]
    controls = summary["controls"]
    statuses = ", ".join(
        "{} {}".format(controls[status]["total"], word) for status, word in STATUS_WORDS.items()
    )
    profiles = ", ".join(
        "{} {}".format(escape(profile["name"]), escape(profile["version"])) for profile in summary["profiles"]
    )
    return [
        "# Container scan of {}".format(escape(summary["cluster"])),
        "",
        "**{}**: {} of {} targets scanned, compliance {} % ({}).".format(
            verdict(summary), counts["scanned"], counts["selected"], controls["compliance"], statuses
        ),
        "",
        "Run {}, started {}, {:.1f} s. Profiles: {}.".format(
            escape(summary["run_id"]), escape(summary["started"]), summary["duration"], profiles or "none"
        ),
    ]


def _gate(summary: Mapping[str, Any]) -> list[str]:
    gate = summary["gate"]
    if gate is None:
        return ["## Gate", "", "No gate was asked for a decision."]
    compared = (
        " {} new failures since {}.".format(len(gate["new_failures"]), escape(gate["baseline"]))
        if gate["baseline"]
        else ""
    )
    lines = [
        "## Gate",
        "",
        "{} by {}.{}".format(verdict(summary), escape(gate["threshold"]["source"]), compared),
    ]
    reasons = reason_lines(summary)
    return lines + (["", *_bullets(reasons, _MOST_REASONS)] if reasons else [])


def _targets(summary: Mapping[str, Any]) -> list[str]:
    """One table per workload, its rows the targets."""
    workloads: dict[str, list[Mapping[str, Any]]] = {}
    for target in summary["targets"]:
        label = "{} ({})".format(workload_label(target), one_line(target["workload_kind"]))
        workloads.setdefault(label, []).append(target)
    lines = ["## Targets"] if workloads else ["## Targets", "", "No target was selected."]
    for label, targets in workloads.items():
        lines += ["", f"### {escape(label)}", ""]
        lines += _table(
            [
                "Pod/container",
                "Approach",
                "Result",
                *STATUS_WORDS.values(),
                "Compliance",
                "Worst failed",
                "Results",
            ],
            (_target_cells(target) for target in targets),
        )
    return lines


def _target_cells(target: Mapping[str, Any]) -> list[str]:
    cells = [escape(container_label(target)), escape(target["approach"]), RESULT_WORDS[target["result"]]]
    if target["result"] == NOT_SCANNED:
        return [*cells, *([""] * len(STATUS_WORDS)), "", "", escape(target["error"]["reason"])]
    return [
        *cells,
        *(str(target["counts"][status]) for status in STATUS_WORDS),
        "{} %".format(target["compliance"]),
        target["worst_failed"] or "-",
        "[HDF]({})".format(quote(target["hdf"], safe="/~")),
    ]


def _failed_controls(summary: Mapping[str, Any]) -> list[str]:
    return _controls(
        "Failed controls",
        ["Severity", "Control", "Title", "Profile", "Targets"],
        (
            [
                control["severity"],
                escape(control["id"]),
                escape(control["title"]),
                escape(control["profile"]),
                str(control["targets"]),
            ]
            for control in summary["failed_controls"]
        ),
    )


def _not_reviewed(summary: Mapping[str, Any]) -> list[str]:
    return _controls(
        "Not reviewed, and why",
        ["Severity", "Control", "Title", "Cause", "Targets"],
        (
            [
                control["severity"],
                escape(control["id"]),
                escape(control["title"]),
                escape(control["cause"], _MAX_CELL),
                str(control["targets"]),
            ]
            for control in summary["not_reviewed"]
        ),
    )


def _controls(title: str, columns: list[str], rows: Iterable[list[str]]) -> list[str]:
    all_rows = list(rows)
    if not all_rows:
        return []
    more = len(all_rows) - _MOST_CONTROLS
    return [
        f"## {title}",
        "",
        *_table(columns, all_rows[:_MOST_CONTROLS]),
        *(["", f"... and {more} more"] if more > 0 else []),
    ]


def _not_scanned(summary: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for error, targets in causes(summary):
        named = ["{}: {}".format(target_label(target), target["error"]["message"]) for target in targets]
        lines += [
            "",
            "**{}** ({}): {}".format(escape(error["reason"]), escape(error["code"]), escape(error["cause"])),
            "",
            "What will work: {}".format(escape(error["advice"])),
            "",
            *_bullets(named, _MOST_NAMED),
        ]
    return ["## Not scanned", *lines] if lines else []


def _notes(title: str, notes: Sequence[Mapping[str, str]]) -> list[str]:
    texts = [note["text"] for note in notes]
    return [f"## {title}", "", *_bullets(texts, len(texts))] if texts else []


def _bullets(texts: Sequence[str], most: int) -> list[str]:
    lines = ["- " + escape(text, 1000) for text in texts[:most]]
    return lines + (["- ... and %d more" % (len(texts) - most)] if len(texts) > most else [])


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = ["| {} |".format(" | ".join(heads)), "|%s" % (" --- |" * len(heads))]
    return lines + ["| {} |".format(" | ".join(row)) for row in rows]
