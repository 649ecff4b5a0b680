# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controls of documents as plain rows, for whoever wants to sort them in ways of his own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .counted_controls import counted_profiles
from .hdf import document_target_id
from .model import SEGMENT_PASSED
from .status import SEVERITIES, control_severity, control_status


def control_rows(documents: Iterable[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """One row for each control that counts, in the documents' order.

    {target_id, profile, id, title, status, severity, impact, tags, messages}: `status` and `severity` by the rules of
    status.py, `messages` what the tests that did not pass say.

    :param documents: (source, checked document)
    :raises ScanError: `bad_results` when overlays cannot be resolved
    """
    return [
        {
            "target_id": document_target_id(document, source),
            "profile": counted.profile["name"],
            "id": control["id"],
            "title": control.get("title") or "",
            "status": control_status(control),
            "severity": control_severity(control),
            "impact": control["impact"],
            "tags": control["tags"],
            "messages": _messages(control),
        }
        for source, document in documents
        for counted in counted_profiles(document, source)
        for control in counted.controls
    ]


def worst_first(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(
        rows, key=lambda row: (SEVERITIES.index(row["severity"]), row["profile"], row["id"], row["target_id"])
    )


def _messages(control: Mapping[str, Any]) -> list[str]:
    texts = (
        segment.get("message") or segment.get("skip_message")
        for segment in control["results"]
        if segment.get("status") != SEGMENT_PASSED
    )
    return [text for text in texts if text]
