# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checklists of STIG Viewer 3 (CKLB), one for each target and profile: the same as CKL, in JSON.

DISA publishes no schema: keys and their order are those of files that STIG Viewer 3 wrote, as STIG Manager reads them. A key
whose content nobody knows is there and empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any, TextIO

from ..results.run import Run
from ..results.status import FAILED, NOT_APPLICABLE, NOT_REVIEWED, PASSED, PROFILE_ERROR
from ..results.verdicts import ControlText
from ..safe_text import one_line
from .checklist import (
    Checklist,
    ccis,
    checklists,
    comments,
    details,
    made_id,
    severity,
    tag,
    tags,
)
from .json_text import json_text, opened
from .per_control import PerControl
from .report import ReportFolder, ReportPart

_STATUS_WORDS = {
    PASSED: "not_a_finding",
    FAILED: "open",
    NOT_REVIEWED: "not_reviewed",
    NOT_APPLICABLE: "not_applicable",
    PROFILE_ERROR: "not_reviewed",
}
_BETWEEN = ",\n"
_text = json.encoder.encode_basestring_ascii


def _parts(run: Run) -> Iterator[ReportPart]:
    heads = PerControl(lambda about: opened(_rule(about)))
    for checklist in checklists(run):
        yield ReportPart(checklist.about, partial(_write, checklist, heads))


REPORT = ReportFolder("cklb", "cklb", ".cklb", _parts)


def _write(checklist: Checklist, heads: PerControl[str], stream: TextIO) -> None:
    """The document is written by hand around its rules, whose first half is the same on every target."""
    profile, version = one_line(checklist.profile), one_line(checklist.version)
    stig = {
        "stig_name": profile,
        "display_name": profile,
        "stig_id": checklist.benchmark or profile,
        "release_info": "",
        "version": version,
        "uuid": made_id("profile", checklist.profile),
        "reference_identifier": "",
        "size": len(checklist.controls),
    }
    head = {"title": f"{checklist.asset.name} {profile}", "id": made_id("checklist", *checklist.about)}
    rules = [
        f'{heads.of(verdict.about)},"status":"{_STATUS_WORDS[verdict.status]}","overrides":{{}},'
        f'"comments":{_text(comments(verdict))},"finding_details":{_text(details(verdict))}}}'
        for verdict in checklist.controls
    ]
    end = {
        "active": True,
        "mode": 2,
        "has_path": False,
        "target_data": _target_data(checklist),
        "cklb_version": "1.0",
    }
    start = f'{opened(head)},"stigs":[{opened(stig)},"rules":[\n'
    stream.write(f"{start}{_BETWEEN.join(rules)}\n]}}],{json_text(end)[1:]}\n")


def _target_data(checklist: Checklist) -> dict[str, Any]:
    return {
        "target_type": "Computing",
        "host_name": checklist.asset.name,
        "ip_address": "",
        "mac_address": "",
        "fqdn": "",
        "comments": checklist.comment,
        "role": "None",
        "is_web_database": False,
        "technology_area": "",
        "web_db_site": "",
        "web_db_instance": "",
        "classification": None,
    }


def _rule(about: ControlText) -> dict[str, Any]:
    shown_id = one_line(about.id)
    group, group_title = tag(about, "gid") or shown_id, tag(about, "gtitle") or shown_id
    source = tag(about, "rid") or shown_id
    return {
        "group_id_src": group,
        "group_tree": [{"id": group, "title": group_title, "description": ""}],
        "group_id": group,
        "severity": severity(about),
        "group_title": group_title,
        "rule_id_src": source,
        "rule_id": source[: -len("_rule")] if source.endswith("_rule") else source,
        "rule_version": tag(about, "stig_id") or shown_id,
        "rule_title": one_line(about.title, 1000),
        "fix_text": about.fix,
        "weight": "",
        "check_content": about.check,
        "check_content_ref": {"href": "", "name": ""},
        "classification": "",
        "discussion": "\n\n".join(filter(None, (about.desc, about.why))),
        "false_positives": "",
        "false_negatives": "",
        "documentable": "",
        "security_override_guidance": "",
        "potential_impacts": "",
        "third_party_tools": "",
        "ia_controls": "",
        "responsibility": "",
        "mitigations": "",
        "mitigation_control": "",
        "legacy_ids": tags(about, "legacy"),
        "ccis": ccis(about),
        "reference_identifier": "",
        "uuid": made_id("rule", about.profile, about.id),
        "stig_uuid": made_id("profile", about.profile),
    }
