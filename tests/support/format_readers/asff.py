# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ASFF: botocore validates the findings as the parameters of BatchImportFindings, by the service's own model. The lengths that
stand only in the model's texts are checked here."""

from __future__ import annotations

import json
import pathlib
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.event import NOT_SEEN
from ansible_collections.securescan.kubernetes.tests.support.format_readers.format_reader import (
    FormatReader,
    Words,
)

_MOST_OF_A_REQUEST = 100
_MAX_FINDING = 240_000
_LENGTHS = {"Title": 256, "Description": 1024, "Id": 512, "GeneratorId": 512}
_MOST_FIELDS, _MAX_KEY, _MAX_VALUE = 50, 128, 2048


def check_findings(findings: list[dict[str, Any]]) -> None:
    """As the service would: in requests of at most 100."""
    import botocore.session
    from botocore.validate import ParamValidator

    model = botocore.session.get_session().get_service_model("securityhub")
    shape = model.operation_model("BatchImportFindings").input_shape
    for first in range(0, len(findings), _MOST_OF_A_REQUEST):
        some = findings[first : first + _MOST_OF_A_REQUEST]
        report = ParamValidator().validate({"Findings": some}, shape)
        assert not report.has_errors(), report.generate_report()
    assert len({one["Id"] for one in findings}) == len(findings), "an Id stands twice"
    for finding in findings:
        assert len(json.dumps(finding)) <= _MAX_FINDING
        assert all(0 < len(finding[name]) <= most for name, most in _LENGTHS.items())
        _check_enumerations(model, finding)
        for fields in (finding["ProductFields"], finding["Resources"][0]["Details"]["Other"]):
            assert len(fields) <= _MOST_FIELDS
            assert all(len(key) <= _MAX_KEY and 0 < len(value) <= _MAX_VALUE for key, value in fields.items())


def _check_enumerations(model, finding: dict[str, Any]) -> None:
    """botocore leaves these to the service."""
    for shape, value in (
        ("ComplianceStatus", finding["Compliance"]["Status"]),
        ("SeverityLabel", finding["Severity"]["Label"]),
        ("WorkflowStatus", finding["Workflow"]["Status"]),
        ("RecordState", finding["RecordState"]),
    ):
        assert value in model.shape_for(shape).enum, (shape, value)


def _findings(path: pathlib.Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["Findings"]
    check_findings(found)
    return found


def _word(finding: dict[str, Any]) -> str:
    compliance = finding["Compliance"]
    words = [f"{compliance['Status']} ({compliance['StatusReasons'][0]['ReasonCode']})"]
    if finding["Workflow"]["Status"] == "SUPPRESSED":
        words.append("SUPPRESSED")
    if finding["ProductFields"]["securescan/Attested"] == "true":
        words.append("attested")
    return ", ".join(words)


def _key(finding: dict[str, Any]) -> tuple[str, str, str]:
    profile = finding["ProductFields"]["securescan/Profile"]
    target_id = finding["Resources"][0]["Details"]["Other"]["TargetId"]
    return target_id, profile, finding["GeneratorId"].removeprefix(f"{profile}/")


def _read(path: pathlib.Path) -> Words:
    found = {_key(finding): _word(finding) for finding in _findings(path)}
    return {key: word for key, word in found.items() if key[2] != NOT_SEEN.id}


def _targets(path: pathlib.Path) -> dict[str, str]:
    found = {_key(finding): _word(finding) for finding in _findings(path)}
    return {key[0]: word for key, word in found.items() if key[2] == NOT_SEEN.id}


READER = FormatReader("asff", "the model of Security Hub in botocore", _read, _targets)
