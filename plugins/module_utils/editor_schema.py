# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the JSON schemas (draft 7) by which editors complete and check the files of people.

The schema of a file stands beside its loader, and is made of the loader's tables. It never refuses what the loader accepts. The
loader is stricter: it compares dates, for example.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

Schema = dict[str, Any]

# A text that says something: blanks alone are refused.
SAID: Schema = {"type": "string", "pattern": r"\S"}


def described(schema: Mapping[str, Any], description: str) -> Schema:
    return {**schema, "description": description}


def closed_object(properties: Mapping[str, Schema], required: Iterable[str] = (), least: int = 0) -> Schema:
    """An object with no other keys than these, of which it has `least` or more."""
    schema: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    if names := list(required):
        schema["required"] = names
    if least:
        schema["minProperties"] = least
    return schema


def list_of(items: Schema, least: int = 1, most: int | None = None) -> Schema:
    schema: Schema = {"type": "array", "items": items, "minItems": least}
    return schema if most is None else {**schema, "maxItems": most}


def whole_text(pattern: str, blanks: bool = False) -> Schema:
    """A text that the pattern fits as a whole. :param pattern: Python's; editors know no named groups, so they lose their names.
    :param blanks: whether blanks around it are no part of it"""
    plain = re.sub(r"\(\?P<\w+>", "(?:", pattern)
    around = r"\s*" if blanks else ""
    return {"type": "string", "pattern": f"^{around}(?:{plain}){around}$"}


def render_schema(title: str, schema: Mapping[str, Any]) -> str:
    """The text of a schema's file."""
    document = {"$schema": "http://json-schema.org/draft-07/schema#", "title": title, **schema}
    return json.dumps(document, indent=1, sort_keys=True) + "\n"
