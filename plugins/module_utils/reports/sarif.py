# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run as SARIF 2.1.0, for code scanning and systems that collect findings.

    status           kind            level
    failed           fail            error for critical and high, warning for medium, note for low and none
    passed           pass            none
    not_applicable   notApplicable   none; with a suppression where a waiver sets the control aside
    not_reviewed     review          none
    profile_error    open            none, and a toolExecutionNotification of level error

A target that was not scanned, or whose document is not the run's, is a notification of level error. With any such notification
executionSuccessful is false. A result's partialFingerprints hold the fingerprint of the control on its place, so that a system
knows it again when its pod is another one.

Two formats: `sarif` has everything. Some systems take every result for a problem, whatever its kind is (GitHub code scanning);
`sarif_problems` is for them, and has the results that are problems: failed, and profile_error.

GitHub takes 25,000 results in a run of SARIF, and 20 runs in a file: so a file has a run for each 25,000 results, with an id of
its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, TextIO
from urllib.parse import quote

from ..results.producer import COLLECTION, HOMEPAGE
from ..results.run import Run
from ..results.status import FAILED, NOT_APPLICABLE, NOT_REVIEWED, PASSED, PROFILE_ERROR, STATUS_WORDS
from ..results.target_record import TargetRecord
from ..results.verdicts import ControlText, TargetVerdicts, Verdict, run_verdicts
from ..safe_text import one_line
from .event import gap_target
from .json_text import fields, json_text, opened
from .per_control import PerControl
from .plain_event import outcome_object
from .report import Report

_MOST_RESULTS = 25_000
_MOST_NAME = 300
_MOST_TEXT = 2000
_MOST_TAGS = 20
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_KINDS = {
    FAILED: "fail",
    PASSED: "pass",
    NOT_APPLICABLE: "notApplicable",
    NOT_REVIEWED: "review",
    PROFILE_ERROR: "open",
}
_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "none": "note"}
# By which GitHub sorts: the middle of the range that it gives each word.
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0", "none": "0.0"}
_PROBLEMS = (FAILED, PROFILE_ERROR)


def _write(statuses: tuple[str, ...], run: Run, stream: TextIO) -> None:
    """:param statuses: of the results that are written"""
    stream.write(f'{opened({"$schema": _SCHEMA, "version": "2.1.0"})},"runs":[')
    part = _Part(run, 1, stream)
    part.begin()
    for target in run_verdicts(run):
        due = [verdict for verdict in target.controls if verdict.status in statuses]
        if part.results and part.results + len(due) > _MOST_RESULTS:
            part.end()
            part = _Part(run, part.number + 1, stream)
            stream.write(",\n")
            part.begin()
        part.add(target, due)
    for gap in run.gaps:
        part.add(gap_target(run, gap), [])
    part.end()
    stream.write("]}\n")


class _Part:
    """A run of SARIF. Its results are written as they come; its rules and what went wrong follow them."""

    def __init__(self, run: Run, number: int, stream: TextIO) -> None:
        self._run, self._stream = run, stream
        self.number = number
        self.results = 0
        self._rules: list[str] = []
        self._heads = PerControl(self._add_rule)
        self._notes: list[str] = []

    def begin(self) -> None:
        run = self._run
        # GitHub keeps apart what differs before the last slash, and replaces what is the same there.
        about = f"{COLLECTION}/{quote(run.cluster, safe='', errors='replace')}/{self.number}/{run.run_id}"
        properties = {"cluster": run.cluster, "cluster_uid": run.cluster_uid or "", "run_id": run.run_id}
        head = {
            "automationDetails": {"id": one_line(about, _MOST_NAME)},
            "columnKind": "unicodeCodePoints",
            "properties": properties,
        }
        self._stream.write(f'{opened(head)},"results":[\n')

    def add(self, target: TargetVerdicts, due: list[Verdict]) -> None:
        location = _location(target.record)
        if not target.controls:
            outcome = outcome_object(target)
            error = outcome["error"] or {}
            text = ": ".join(
                filter(None, (target.record.target_id, outcome["text"], error.get("advice", "")))
            )
            self._note(outcome["status"], text, location)
            return
        made = []
        place_id = target.record.place_id
        for verdict in due:
            head, level = self._heads.of(verdict.about)
            kind = _KINDS[verdict.status]
            if verdict.status == PROFILE_ERROR:
                self._note("profile_error", f"{verdict.about.id}: {verdict.text}", location)
            made.append(
                f'{{{head},"kind":"{kind}","level":"{level if kind == "fail" else "none"}",{_said(verdict)},'
                f'{location},"partialFingerprints":{{"placeAndControl/v1":"{verdict.fingerprint(place_id)}"}}}}'
            )
        if made:
            self._stream.write((",\n" if self.results else "") + ",\n".join(made))
            self.results += len(made)

    def end(self) -> None:
        run = self._run
        invocation = {
            "executionSuccessful": not self._notes,
            "startTimeUtc": run.started,
            "endTimeUtc": run.finished,
        }
        notes = f'{opened(invocation)},"toolExecutionNotifications":[{",".join(self._notes)}]}}'
        driver = {
            "name": run.collection.name or COLLECTION,
            "version": run.collection.version,
            "informationUri": HOMEPAGE,
        }
        self._stream.write(
            f'\n],"invocations":[{notes}],"tool":{{"driver":{opened(driver)},"rules":[\n'
            + ",\n".join(self._rules)
            + "\n]}}}"
        )

    def _add_rule(self, about: ControlText) -> tuple[str, str]:
        """What the results of a control begin with, and their level."""
        rule_id = one_line(f"{about.profile}/{about.id}", _MOST_NAME)
        self._rules.append(json_text(_rule(about, rule_id)))
        return fields({"ruleId": rule_id, "ruleIndex": len(self._rules) - 1}), _LEVELS[about.severity]

    def _note(self, name: str, text: str, location: str) -> None:
        note = {
            "descriptor": {"id": name},
            "level": "error",
            "message": {"text": _text(text)},
        }
        self._notes.append(f"{opened(note)},{location}}}")


def _rule(about: ControlText, rule_id: str) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": rule_id,
        "shortDescription": {"text": _text(about.title) or rule_id},
        "defaultConfiguration": {"level": _LEVELS[about.severity]},
        "properties": {
            "security-severity": _SCORES[about.severity],
            "severity": about.severity,
            "profile": about.profile,
            "tags": ["security", *_tags(about.tags)][:_MOST_TAGS],
        },
    }
    if about.desc:
        rule["fullDescription"] = {"text": _text(about.desc)}
    said = [text for text in (about.why, about.fix) if text]
    if said:
        rule["help"] = {"text": _text("\n\n".join(said))}
    return rule


def _tags(tags: Mapping[str, Any]) -> list[str]:
    nist = tags.get("nist")
    return [one_line(f"nist/{one}", _MOST_NAME) for one in nist] if isinstance(nist, (list, tuple)) else []


def _said(verdict: Verdict) -> str:
    """The message, and what a person has said of the control."""
    said: dict[str, Any] = {"message": {"text": _text(verdict.text) or f"{STATUS_WORDS[verdict.status]}."}}
    exceptions = verdict.exceptions
    if exceptions:
        said["properties"] = {
            "attested": verdict.attested,
            "exceptions": [one.to_json() for one in exceptions],
        }
    if verdict.waived:
        said["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": _text(verdict.text)}
        ]
    return fields(said)


def _text(text: str) -> str:
    """On one line. A link of SARIF is what it was, without leading anywhere."""
    return one_line(text, _MOST_TEXT).replace("](", "] (")


def _location(record: TargetRecord) -> str:
    """By place: a file's name that stays, as systems want one; and the target itself."""
    parts = (record.cluster, record.namespace, record.workload_kind, record.workload, record.container)
    uri = "/".join(quote(part, safe="", errors="replace") or "-" for part in parts)
    target = {
        "name": record.container,
        "fullyQualifiedName": one_line(record.target_id, _MOST_TEXT),
        "kind": "resource",
    }
    place = {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}}
    return fields({"locations": [{"physicalLocation": place, "logicalLocations": [target]}]})


REPORT = Report("sarif", "results.sarif", partial(_write, tuple(_KINDS)))
REPORT_OF_PROBLEMS = Report("sarif_problems", "problems.sarif", partial(_write, _PROBLEMS))
