# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON schema of a request, for senders and editors. It is made of the table that requests are read by."""

from __future__ import annotations

from typing import Any

from .request import ACTIONS, FIELDS, MOST_ITEMS, SCAN, RequestField

SCHEMA_ID = "https://securescan.kubernetes/schemas/request.schema.json"


def request_schema() -> dict[str, Any]:
    """What the schema cannot say: that a pattern of a name can be met, and that a whole request has at most 64 KiB."""
    properties = {field.name: _of(field) for field in FIELDS}
    properties["action"] = {
        "description": properties["action"]["description"],
        "enum": list(ACTIONS),
        "default": SCAN,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "A request for a scan",
        "type": "object",
        "additionalProperties": False,
        "required": ["cluster"],
        "properties": properties,
        "if": {"properties": {"action": {"const": SCAN}}},
        "then": {"required": ["namespaces"], "properties": {"namespaces": {"minItems": 1}}},
    }


def _of(field: RequestField) -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string", "maxLength": field.most}
    if not field.is_shown_only:
        text["pattern"] = f"^({field.form})$"
    if not field.is_list:
        return {"description": field.purpose, **text}
    return {"description": field.purpose, "type": "array", "maxItems": MOST_ITEMS, "items": text}
