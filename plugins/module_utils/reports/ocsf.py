# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compliance Finding (class 2003) of the Open Cybersecurity Schema Framework, https://schema.ocsf.io/1.5.0/classes/compliance_finding

    Passed          Pass (1), of severity Informational
    Failed          Fail (3), of the control's severity
    Not Reviewed    Warning (2): the check gave no result, because information is missing
    Not Applicable  Other (99), of severity Informational; a finding that a waiver sets aside is Suppressed
    Profile Error   Other (99), of the control's severity

`compliance.status_code` has our own word for each. Whatever the schema has no field for stands under `unmapped`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ..results.status import (
    FAILED,
    NOT_APPLICABLE,
    NOT_REVIEWED,
    PASSED,
    PROFILE_ERROR,
    STATUS_WORDS,
)
from ..results.verdicts import ControlText, TargetVerdicts, Verdict
from .event import (
    CLOSED,
    CREATED,
    UPDATED,
    ControlStatus,
    EventFormat,
    EventParts,
    EventSource,
    event_time,
)
from .event_lines import write_event_lines
from .event_text import exceptions, is_quiet, known_texts, line_text, long_text, name_text, requirements
from .report import Report

SCHEMA_VERSION = "1.5.0"
_CATEGORY = 2
_CLASS = 2003
_ACTIVITIES = {CREATED: (1, "Create"), UPDATED: (2, "Update"), CLOSED: (3, "Close")}
_INFORMATIONAL = (1, "Informational")
_SEVERITIES = {
    "critical": (5, "Critical"),
    "high": (4, "High"),
    "medium": (3, "Medium"),
    "low": (2, "Low"),
    "none": _INFORMATIONAL,
}
_RESULTS = {
    PASSED: (1, "Pass"),
    NOT_REVIEWED: (2, "Warning"),
    FAILED: (3, "Fail"),
    NOT_APPLICABLE: (99, STATUS_WORDS[NOT_APPLICABLE]),
    PROFILE_ERROR: (99, STATUS_WORDS[PROFILE_ERROR]),
}
_NEW, _SUPPRESSED, _RESOLVED = (1, "New"), (3, "Suppressed"), (4, "Resolved")


def _of_target(source: EventSource, target: TargetVerdicts) -> Mapping[str, Any]:
    record = target.record
    product = {
        "name": name_text(source.collection),
        "vendor_name": name_text(source.collection),
        "version": name_text(source.version),
    }
    data = known_texts(
        {
            **record.identity(),
            "cluster_uid": source.cluster_uid,
            "place": record.place_id,
            "approach": record.approach,
            "evidence": record.evidence.grade if record.evidence else "",
        }
    )
    resource = {
        "uid": line_text(record.target_id),
        "name": line_text(record.container or record.workload or record.namespace),
        "namespace": line_text(record.namespace),
        "type": "container",
        "data": data,
    }
    return {
        "metadata": {
            "version": SCHEMA_VERSION,
            "product": product,
            "correlation_uid": name_text(source.run_id),
        },
        "time": int(event_time(source, target).timestamp() * 1000),
        "resources": [resource],
    }


def _of_control(about: ControlText, status: ControlStatus) -> Mapping[str, Any]:
    activity, activity_name = _ACTIVITIES[status.activity]
    named = _SEVERITIES[about.severity]
    severity = _INFORMATIONAL if is_quiet(status.status) else named
    state = _RESOLVED if status.activity == CLOSED else _SUPPRESSED if status.waived else _NEW
    result, result_name = _RESULTS[status.status]
    required = requirements(about.tags)
    check = {
        "uid": name_text(about.id),
        "name": line_text(about.title),
        "desc": long_text(about.check or about.desc),
        "severity_id": named[0],
        "severity": named[1],
        "status_id": result,
        "status": result_name,
    }
    event = {
        "activity_id": activity,
        "activity_name": activity_name,
        "category_uid": _CATEGORY,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Compliance Finding",
        "type_uid": _CLASS * 100 + activity,
        "type_name": f"Compliance Finding: {activity_name}",
        "severity_id": severity[0],
        "severity": severity[1],
        "status_id": state[0],
        "status": state[1],
        "compliance": {
            "control": name_text(about.id),
            "desc": long_text(about.desc),
            "standards": [*required] or [name_text(about.profile)],
            "requirements": [f"{standard} {one}" for standard, named in required.items() for one in named],
            "status_id": result,
            "status": result_name,
            "status_code": status.status,
            "checks": [check],
        },
    }
    if about.fix.strip():
        event["remediation"] = {"desc": long_text(about.fix)}
    return event


def _of_verdict(
    _source: EventSource, target: TargetVerdicts, verdict: Verdict, status: ControlStatus
) -> Mapping[str, Any]:
    about = verdict.about
    title = line_text(about.title) or name_text(about.id)
    event: dict[str, Any] = {
        "finding_info": {
            "uid": verdict.fingerprint(target.record.place_id),
            "title": title,
            "types": ["Compliance"],
        },
        "message": f"{status.words}: {title}",
        "unmapped": {
            "profile": name_text(about.profile),
            "control_status": status.status,
            "waived": status.waived,
            "attested": status.attested,
        },
    }
    if verdict.text:
        event["status_detail"] = long_text(verdict.text)
    if verdict.waiver or verdict.attestation:
        event["unmapped"]["exceptions"] = exceptions(verdict)
    return event


_PARTS = EventParts(_of_target, _of_control, _of_verdict)
OCSF = EventFormat("ocsf", "application/json", _PARTS.encode, _PARTS)
REPORT = Report("ocsf", "results.ocsf.jsonl", partial(write_event_lines, OCSF))
