# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS Security Finding Format, as Security Hub's BatchImportFindings takes it.

    Passed          PASSED, of severity INFORMATIONAL
    Failed          FAILED, of the control's severity
    Not Reviewed    WARNING: information is missing
    Profile Error   WARNING, as well: Security Hub archives what is NOT_AVAILABLE by itself
    Not Applicable  NOT_AVAILABLE, of severity INFORMATIONAL; what a waiver sets aside also has the workflow status SUPPRESSED

`Compliance.StatusReasons` has our own word for each. A finding's `Id` is its fingerprint: the same control on the same place is
one finding that is updated. Account, region and product are not known to a run: what sends findings puts them in; a report has
the values of `NOWHERE`. The lengths are the limits of the service.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TextIO

from ..results.run import Run
from ..results.status import (
    FAILED,
    NOT_APPLICABLE,
    NOT_REVIEWED,
    PASSED,
    PROFILE_ERROR,
)
from ..results.verdicts import ControlText, TargetVerdicts, Verdict
from ..safe_text import one_line
from ..times import api_time
from .event import (
    CLOSED,
    ControlStatus,
    EventFormat,
    EventParts,
    EventSource,
    EventTexts,
    event_time,
    finding_events,
)
from .event_text import exceptions, first_of, is_quiet, known_texts, long_text, name_text, requirements
from .report import Report

_TYPES = ["Software and Configuration Checks/Industry and Regulatory Standards"]
_LABELS = {
    "critical": "CRITICAL",
    "high": "HIGH",
    "medium": "MEDIUM",
    "low": "LOW",
    "none": "INFORMATIONAL",
}
_RESULTS = {
    PASSED: "PASSED",
    FAILED: "FAILED",
    NOT_REVIEWED: "WARNING",
    PROFILE_ERROR: "WARNING",
    NOT_APPLICABLE: "NOT_AVAILABLE",
}
_MAX_ID = 512
_MAX_TITLE = 256
_MAX_DESCRIPTION = 1024
_MAX_RECOMMENDATION = 512
_MAX_FIELD = 2048
_MOST_REQUIREMENTS = 32


@dataclass(frozen=True)
class Account:
    """Where findings are imported."""

    number: str
    region: str
    product_arn: str

    @property
    def fields(self) -> dict[str, str]:
        return {"ProductArn": self.product_arn, "AwsAccountId": self.number, "Region": self.region}


NOWHERE = Account(
    "000000000000", "aws-global", "arn:aws:securityhub:aws-global:000000000000:product/000000000000/default"
)


def _of_target(source: EventSource, target: TargetVerdicts) -> Mapping[str, Any]:
    record = target.record
    moment = api_time(event_time(source, target))
    details: dict[str, Any] = {}
    container = known_texts(
        {"Name": record.container, "ImageId": record.image_digest, "ImageName": record.image}
    )
    if container:
        details["Container"] = container
    details["Other"] = known_texts(
        {
            "Cluster": record.cluster,
            "ClusterUid": source.cluster_uid,
            "Namespace": record.namespace,
            "WorkloadKind": record.workload_kind,
            "Workload": record.workload,
            "Pod": record.pod,
            "PodUid": record.pod_uid,
            "Node": record.node,
            "TargetId": record.target_id,
            "Approach": record.approach,
            "Evidence": record.evidence.grade if record.evidence else "",
            "RunId": source.run_id,
        }
    )
    resource = {"Type": "Container", "Id": one_line(record.place_id, _MAX_ID), "Details": details}
    return {
        "SchemaVersion": "2018-10-08",
        **NOWHERE.fields,
        "CompanyName": name_text(source.collection),
        "ProductName": name_text(source.collection),
        "CreatedAt": moment,
        "UpdatedAt": moment,
        "LastObservedAt": moment,
        "Resources": [resource],
    }


def _of_control(about: ControlText, status: ControlStatus) -> Mapping[str, Any]:
    label = "INFORMATIONAL" if is_quiet(status.status) else _LABELS[about.severity]
    severity = {"Label": label, "Original": about.severity}
    finding: dict[str, Any] = {
        "GeneratorId": one_line(f"{about.profile}/{about.id}", _MAX_ID),
        "Title": one_line(f"{about.id}: {about.title}", _MAX_TITLE),
        "Types": _TYPES,
        "Severity": severity,
        "FindingProviderFields": {"Severity": severity, "Types": _TYPES},
        "RecordState": "ARCHIVED" if status.activity == CLOSED else "ACTIVE",
        "Workflow": {
            "Status": "SUPPRESSED" if status.waived else "RESOLVED" if status.status == PASSED else "NEW"
        },
    }
    if about.fix.strip():
        finding["Remediation"] = {"Recommendation": {"Text": long_text(about.fix, _MAX_RECOMMENDATION)}}
    return finding


def _of_verdict(
    _source: EventSource, target: TargetVerdicts, verdict: Verdict, status: ControlStatus
) -> Mapping[str, Any]:
    about = verdict.about
    fields = {
        "securescan/Profile": one_line(about.profile, _MAX_FIELD),
        "securescan/Status": status.status,
        "securescan/Attested": str(status.attested).lower(),
        "securescan/Waived": str(status.waived).lower(),
    }
    for one in exceptions(verdict):
        fields[f"securescan/{one['kind'].title()}"] = one_line(json.dumps(one, sort_keys=True), _MAX_FIELD)
    reason = {"ReasonCode": status.status.upper()}
    if verdict.text.strip():
        reason["Description"] = long_text(verdict.text, _MAX_FIELD)
    compliance: dict[str, Any] = {"Status": _RESULTS[status.status], "StatusReasons": [reason]}
    named = [f"{standard} {one}" for standard, found in requirements(about.tags).items() for one in found]
    if named:
        compliance["RelatedRequirements"] = named[:_MOST_REQUIREMENTS]
    said = first_of((verdict.text, about.desc, about.title, about.id))
    return {
        "Id": verdict.fingerprint(target.record.place_id),
        "Description": long_text(f"{status.words}: {said}", _MAX_DESCRIPTION),
        "Compliance": compliance,
        "ProductFields": fields,
    }


_PARTS = EventParts(_of_target, _of_control, _of_verdict)
ASFF = EventFormat("asff", "application/json", _PARTS.encode, _PARTS)


def _write(run: Run, stream: TextIO) -> None:
    """One finding a line, each with an `Id` of its own: of the replicas of a place the worst."""
    texts = EventTexts(ASFF, EventSource.of(run))
    stream.write('{"Findings":[')
    between = "\n"
    for event in finding_events(run):
        stream.write(between + texts.text(event))
        between = ",\n"
    stream.write("\n]}\n")


REPORT = Report("asff", "results.asff.json", _write)
