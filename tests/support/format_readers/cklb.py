# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CKLB, judged as STIG Manager reads it, and by a shape: DISA publishes no schema. The shape is that of files of STIG Viewer 3 as
other tools read and write them, written down here as a JSON schema that knows no other key."""

from __future__ import annotations

import functools
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import jsonschema

from ..checklist_words import Rule, facts_of, with_marks, words_of_seen, words_of_unseen_targets
from ..stig_manager import MOST_OF_A_RULE_ID, VERSION, imported, results
from .format_reader import FormatReader

_TEXT: dict[str, Any] = {"type": "string"}
_UUID: dict[str, Any] = {
    "type": "string",
    "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
}
_TEXTS: dict[str, Any] = {"type": "array", "items": _TEXT}
_DETAILS: dict[str, Any] = {"type": "string", "maxLength": 32767}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_RULE_TEXTS = (
    *("group_id_src", "group_id", "group_title", "rule_version", "rule_title", "fix_text", "weight"),
    *("check_content", "classification", "discussion", "false_positives", "false_negatives", "documentable"),
    *(
        "security_override_guidance",
        "potential_impacts",
        "third_party_tools",
        "ia_controls",
        "responsibility",
    ),
    *("mitigations", "mitigation_control", "reference_identifier"),
)
_RULE = _object(
    **dict.fromkeys(_RULE_TEXTS, _TEXT),
    group_tree={"type": "array", "minItems": 1, "items": _object(id=_TEXT, title=_TEXT, description=_TEXT)},
    severity={"enum": ["high", "medium", "low"]},
    rule_id_src={"type": "string", "minLength": 1},
    rule_id={"type": "string", "minLength": 1},
    check_content_ref=_object(href=_TEXT, name=_TEXT),
    legacy_ids=_TEXTS,
    ccis=_TEXTS,
    uuid=_UUID,
    stig_uuid=_UUID,
    status={"enum": ["not_a_finding", "open", "not_applicable", "not_reviewed"]},
    overrides={"type": "object"},
    comments=_DETAILS,
    finding_details=_DETAILS,
)
_STIG = _object(
    **dict.fromkeys(("stig_name", "display_name", "release_info", "version", "reference_identifier"), _TEXT),
    stig_id={"type": "string", "minLength": 1},
    uuid=_UUID,
    size={"type": "integer"},
    rules={"type": "array", "minItems": 1, "items": _RULE},
)
_TARGET_TEXTS = (
    *("ip_address", "mac_address", "fqdn", "comments", "role", "technology_area", "web_db_site"),
    "web_db_instance",
)
_TARGET = _object(
    **dict.fromkeys(_TARGET_TEXTS, _TEXT),
    target_type={"enum": ["Computing", "Non-Computing"]},
    host_name={"type": "string", "minLength": 1, "maxLength": 255},
    is_web_database={"type": "boolean"},
    classification={"type": ["string", "null"]},
)
SHAPE = _object(
    title={"type": "string", "minLength": 1},
    id=_UUID,
    stigs={"type": "array", "minItems": 1, "items": _STIG},
    active={"type": "boolean"},
    mode={"type": "integer"},
    has_path={"type": "boolean"},
    target_data=_TARGET,
    cklb_version={"const": "1.0"},
)

_IN_STIG_MANAGER = {
    "not_a_finding": "pass",
    "open": "fail",
    "not_applicable": "notapplicable",
    "not_reviewed": "notchecked",
}


def checked(path: pathlib.Path) -> dict[str, Any]:
    """The document. :raises AssertionError: it has another shape"""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    try:
        jsonschema.validate(document, SHAPE)
    except jsonschema.ValidationError as error:
        raise AssertionError(f"{path}: {error.message}") from None
    for stig in document["stigs"]:
        assert stig["size"] == len(stig["rules"])
        assert {rule["stig_uuid"] for rule in stig["rules"]} == {stig["uuid"]}
        assert len({rule["uuid"] for rule in stig["rules"]}) == stig["size"]
    return document


def _rules(folder: pathlib.Path) -> Iterator[Rule]:
    paths = sorted(folder.glob("*.cklb"))
    documents = [checked(path) for path in paths]
    for document, in_stig_manager in zip(documents, imported("cklb", paths)):
        assert in_stig_manager["asset"] == document["target_data"]["host_name"]
        facts = facts_of(document["target_data"]["comments"])
        for stig in document["stigs"]:
            assert results(in_stig_manager) == [
                (rule["rule_id_src"][:MOST_OF_A_RULE_ID], _IN_STIG_MANAGER[rule["status"]])
                for rule in stig["rules"]
            ]
            for rule in stig["rules"]:
                word = with_marks(rule["status"], rule["comments"])
                yield (facts["target_id"], stig["stig_id"], rule["group_id"]), word, "not seen" not in facts


@functools.lru_cache(maxsize=1)
def _judged(folder: pathlib.Path) -> tuple[Rule, ...]:
    """Both halves of the reader are asked about the same report: it is judged once."""
    return tuple(_rules(folder))


READER = FormatReader(
    "cklb",
    f"the parser of STIG Manager ({VERSION}), the shape of STIG Viewer 3 files as a JSON schema of our own",
    lambda folder: words_of_seen(_judged(folder)),
    lambda folder: words_of_unseen_targets(_judged(folder)),
)
