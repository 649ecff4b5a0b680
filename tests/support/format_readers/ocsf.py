# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OCSF: each line is a ComplianceFinding of py-ocsf-models, which knows the schema's required fields, enumerations and types."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator

from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.event import NOT_SEEN
from ansible_collections.securescan.kubernetes.tests.support.format_readers.format_reader import (
    FormatReader,
    Words,
)


def _findings(path: pathlib.Path) -> Iterator[tuple[object, dict]]:
    from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
    from pydantic import ValidationError

    for line in path.read_text(encoding="utf-8").splitlines():
        values = json.loads(line)
        try:
            finding = ComplianceFinding.model_validate(values)
        except ValidationError as error:
            raise AssertionError(str(error)) from None
        assert values["type_uid"] == values["class_uid"] * 100 + values["activity_id"]
        yield finding, values


def _word(finding, values: dict) -> str:
    result = finding.compliance.status_id.name
    word = f"{result}: {values['compliance']['status']}" if result == "Other" else result
    marks = [finding.status] if finding.status == "Suppressed" else []
    return ", ".join([word, *marks, *(["attested"] if finding.unmapped["attested"] else [])])


def _read(path: pathlib.Path) -> Words:
    return {
        (finding.resources[0].uid, finding.unmapped["profile"], finding.compliance.control): _word(
            finding, values
        )
        for finding, values in _findings(path)
        if finding.compliance.control != NOT_SEEN.id
    }


def _targets(path: pathlib.Path) -> dict[str, str]:
    return {
        finding.resources[0].uid: _word(finding, values)
        for finding, values in _findings(path)
        if finding.compliance.control == NOT_SEEN.id
    }


READER = FormatReader("ocsf", "py-ocsf-models", _read, _targets)
