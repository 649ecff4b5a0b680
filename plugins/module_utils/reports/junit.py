# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate's decision as JUnit XML, for CI systems: one test suite per target.

A test case per profile and limit of the threshold, and one per failed control: a failure when the control is of the
kind that an unmet limit counts, else skipped with a note (the threshold tolerates it). A target that was not scanned
is one test case with an error. Rules over the run as a whole (coverage) stand in a suite of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from ..results.limits import COVERAGE_KEY, Limit
from ..results.producer import COLLECTION
from ..results.status import FAILED
from ..results.threshold import NOT_SCANNED
from ..safe_text import one_line, printable
from .wording import target_label

_RUN_SUITE = "run"


def render_junit(summary: Mapping[str, Any]) -> str:
    """The document as text, with its XML declaration."""
    root = ElementTree.Element(
        "testsuites",
        {
            "name": "{} {}".format(COLLECTION, one_line(summary["run_id"])),
            "time": _seconds(summary["duration"]),
        },
    )
    suites = [_run_suite(summary)] + [_target_suite(summary, target) for target in summary["targets"]]
    for suite in suites:
        if len(suite):
            root.append(suite)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n{}\n'.format(
        ElementTree.tostring(root, encoding="unicode")
    )


def _run_suite(summary: Mapping[str, Any]) -> ElementTree.Element:
    """Reasons and limits that are about no single target of the summary."""
    suite = _suite(_RUN_SUITE, summary, summary["duration"])
    gate = summary["gate"]
    if gate is not None:
        known = {target["target_id"] for target in summary["targets"]}
        reasons = [reason for reason in gate["reasons"] if reason["target_id"] not in known]
        coverage = {key for key in gate["threshold"]["limits"] if key == COVERAGE_KEY}
        for key in sorted(coverage | {reason["key"] for reason in reasons}):
            case = _case(suite, _RUN_SUITE, _limit_name(gate, key))
            _fail(case, key, [_with_target(reason) for reason in reasons if reason["key"] == key])
    return _counted(suite)


def _with_target(reason: Mapping[str, Any]) -> str:
    return (
        "{}: {}".format(reason["target_id"], reason["text"]) if reason["target_id"] else str(reason["text"])
    )


def _target_suite(summary: Mapping[str, Any], target: Mapping[str, Any]) -> ElementTree.Element:
    suite = _suite(target["target_id"], summary, target["duration"])
    properties = ElementTree.SubElement(suite, "properties")
    for name in ("approach", "image", "image_digest", "node", "hdf"):
        ElementTree.SubElement(properties, "property", name=name, value=one_line(str(target.get(name) or "")))
    label = target_label(target)
    reasons = [
        reason
        for reason in (summary["gate"] or {"reasons": []})["reasons"]
        if reason["target_id"] == target["target_id"]
    ]
    _general_cases(suite, label, [reason for reason in reasons if not reason["profile"]])
    if target["outcome"] == NOT_SCANNED:
        error = target["error"]
        case = _case(suite, label, "scanned")
        element = ElementTree.SubElement(
            case, "error", type=one_line(error["reason"]), message=one_line(error["message"])
        )
        element.text = printable("{}\n{}".format(error["cause"], error["advice"]))
    severities = {(control["profile"], control["id"]): control for control in summary["failed_controls"]}
    for profile in target["profiles"]:
        name = profile["name"]
        own = [reason for reason in reasons if reason["profile"] == name]
        classname = f"{label}.{one_line(name)}"
        if summary["gate"] is not None:
            _limit_cases(suite, classname, name, summary["gate"], own)
        for control_id in target["failed"].get(name, []):
            _control_case(suite, classname, severities[name, control_id], summary["gate"], own)
    return _counted(suite)


def _general_cases(suite: ElementTree.Element, label: str, reasons: list[Mapping[str, Any]]) -> None:
    """Reasons about the target that no limit of a profile gave: a missing document, two of them, ..."""
    for reason in reasons:
        _fail(
            _case(suite, label, one_line("gate: {}".format(reason["key"]))), reason["key"], [reason["text"]]
        )


def _limit_cases(
    suite: ElementTree.Element,
    classname: str,
    profile: str,
    gate: Mapping[str, Any],
    reasons: list[Mapping[str, Any]],
) -> None:
    for key in gate["threshold"]["limits"]:
        if key != COVERAGE_KEY and Limit(key, None).must_pass_profile in ("", profile):
            case = _case(suite, classname, _limit_name(gate, key))
            _fail(case, key, [reason["text"] for reason in reasons if reason["key"] == key])


def _limit_name(gate: Mapping[str, Any], key: str) -> str:
    limits: dict[str, Any] = gate["threshold"]["limits"]
    return one_line(f"gate: {key} = {limits[key]}" if key in limits else f"gate: {key}", 200)


def _control_case(
    suite: ElementTree.Element,
    classname: str,
    control: Mapping[str, Any],
    gate: Any,
    reasons: list[Mapping[str, Any]],
) -> None:
    case = _case(
        suite,
        classname,
        one_line("control: {} ({}) {}".format(control["id"], control["severity"], control["title"]), 300),
    )
    counted = {"compliance", FAILED + ".total", "{}.{}".format(FAILED, control["severity"])}
    if gate is None or any(
        reason["key"].rpartition(".")[0] in counted
        or reason["key"] in counted
        or _names(reason, control["id"])
        for reason in reasons
    ):
        _fail(case, "control", ["the control failed; the results file holds what was expected and found"])
    else:
        ElementTree.SubElement(case, "skipped", message="failed, but the threshold tolerates it")


def _names(reason: Mapping[str, Any], control_id: str) -> bool:
    """Whether a reason is about this very control: it is a new failure, or had to pass."""
    return (
        isinstance(reason["found"], (list, dict))
        and Limit(reason["key"], None).is_of_run
        and control_id in reason["found"]
    )


def _suite(name: str, summary: Mapping[str, Any], seconds: float) -> ElementTree.Element:
    return ElementTree.Element(
        "testsuite",
        {
            "name": one_line(name),
            "timestamp": one_line(summary["started"]),
            "hostname": one_line(summary["cluster"]),
            "time": _seconds(seconds),
        },
    )


def _case(suite: ElementTree.Element, classname: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", {"classname": classname, "name": name, "time": "0"})


def _fail(case: ElementTree.Element, kind: str, texts: list[str]) -> None:
    """One failure with all texts; none leaves the case passed."""
    if texts:
        failure = ElementTree.SubElement(
            case, "failure", type=one_line(kind), message=one_line(texts[0], 500)
        )
        failure.text = printable("\n".join(texts))


def _counted(suite: ElementTree.Element) -> ElementTree.Element:
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in cases)))
    return suite


def _seconds(value: float) -> str:
    return f"{value:.3f}"
