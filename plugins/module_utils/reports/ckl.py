# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checklists of STIG Viewer 2 (CKL), one for each target and profile. eMASS, STIG Manager, Heimdall and the SAF CLI read them.

DISA publishes no schema: the order of elements is that of files that STIG Viewer 2.17 wrote. An element whose content nobody
knows (a classification, an address, the key of a STIG's target) is there and empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import TextIO

from ..results.producer import COLLECTION, VERSION
from ..results.run import Run
from ..results.status import FAILED, NOT_APPLICABLE, NOT_REVIEWED, PASSED, PROFILE_ERROR
from ..results.verdicts import ControlText
from ..safe_text import kept_values, one_line
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
from .per_control import PerControl
from .report import ReportFolder, ReportPart
from .xml_text import element, xml_text

# A profile error has no word of its own: its comments and details tell it.
_STATUS_WORDS = {
    PASSED: "NotAFinding",
    FAILED: "Open",
    NOT_REVIEWED: "Not_Reviewed",
    NOT_APPLICABLE: "Not_Applicable",
    PROFILE_ERROR: "Not_Reviewed",
}


def _parts(run: Run) -> Iterator[ReportPart]:
    versions = {profile.name: profile.version for profile in run.profiles}
    heads = PerControl(lambda about: _head(about, versions.get(about.profile, "")))
    for checklist in checklists(run):
        yield ReportPart(checklist.about, partial(_write, checklist, heads))


REPORT = ReportFolder("ckl", "ckl", ".ckl", _parts)


def _write(checklist: Checklist, heads: PerControl[str], stream: TextIO) -> None:
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<!--{COLLECTION} {VERSION}-->\n'
        f"<CHECKLIST>\n{_asset(checklist)}<STIGS>\n<iSTIG>\n{_stig_info(checklist)}"
    )
    rules = [
        f"{heads.of(verdict.about)}<STATUS>{_STATUS_WORDS[verdict.status]}</STATUS>\n"
        f"<FINDING_DETAILS>{xml_text(details(verdict))}</FINDING_DETAILS>\n"
        f"<COMMENTS>{xml_text(comments(verdict))}</COMMENTS>\n"
        "<SEVERITY_OVERRIDE></SEVERITY_OVERRIDE>\n<SEVERITY_JUSTIFICATION></SEVERITY_JUSTIFICATION>\n</VULN>\n"
        for verdict in checklist.controls
    ]
    stream.write("".join((head, *rules, "</iSTIG>\n</STIGS>\n</CHECKLIST>\n")))


def _asset(checklist: Checklist) -> str:
    said = {
        "ROLE": "None",
        "ASSET_TYPE": "Computing",
        "MARKING": "",
        "HOST_NAME": checklist.asset.name,
        "HOST_IP": "",
        "HOST_MAC": "",
        "HOST_FQDN": "",
        "TARGET_COMMENT": checklist.comment,
        "TECH_AREA": "",
        "TARGET_KEY": "",
        "WEB_OR_DATABASE": "false",
        "WEB_DB_SITE": "",
        "WEB_DB_INSTANCE": "",
    }
    return "<ASSET>\n{}\n</ASSET>\n".format("\n".join(element(name, text) for name, text in said.items()))


def _stig_info(checklist: Checklist) -> str:
    profile, version = one_line(checklist.profile), one_line(checklist.version)
    said = {
        "version": version,
        "classification": "",
        "customname": "",
        "stigid": checklist.benchmark or profile,
        "description": "",
        "filename": "",
        "releaseinfo": "",
        "title": profile,
        "uuid": made_id("profile", checklist.profile),
        "notice": "",
        "source": COLLECTION,
    }
    lines = [
        f"<SI_DATA>{element('SID_NAME', name)}{element('SID_DATA', text)}</SI_DATA>\n"
        for name, text in said.items()
    ]
    return "<STIG_INFO>\n{}</STIG_INFO>\n".format("".join(lines))


def _head(about: ControlText, version: str) -> str:
    """What is the same of a rule on every target."""
    shown_id = one_line(about.id)
    said = [
        ("Vuln_Num", tag(about, "gid") or shown_id),
        ("Severity", severity(about)),
        ("Group_Title", tag(about, "gtitle") or shown_id),
        ("Rule_ID", tag(about, "rid") or shown_id),
        ("Rule_Ver", tag(about, "stig_id") or shown_id),
        ("Rule_Title", one_line(about.title, 1000)),
        ("Vuln_Discuss", kept_values("\n\n".join(filter(None, (about.desc, about.why))))),
        ("IA_Controls", ""),
        ("Check_Content", kept_values(about.check)),
        ("Fix_Text", kept_values(about.fix)),
        ("False_Positives", ""),
        ("False_Negatives", ""),
        ("Documentable", ""),
        ("Mitigations", ""),
        ("Potential_Impact", ""),
        ("Third_Party_Tools", _for_saf(about)),
        ("Mitigation_Control", ""),
        ("Responsibility", ""),
        ("Security_Override_Guidance", ""),
        ("Check_Content_Ref", ""),
        ("Weight", ""),
        ("Class", ""),
        ("STIGRef", f"{one_line(about.profile)} :: Version {one_line(version)}"),
        ("TargetKey", ""),
        ("STIG_UUID", made_id("profile", about.profile)),
        *(("LEGACY_ID", one) for one in tags(about, "legacy") or [""]),
        *(("CCI_REF", one) for one in ccis(about)),
    ]
    lines = [
        f"<STIG_DATA>{element('VULN_ATTRIBUTE', name)}{element('ATTRIBUTE_DATA', text)}</STIG_DATA>\n"
        for name, text in said
    ]
    return "<VULN>\n" + "".join(lines)


def _for_saf(about: ControlText) -> str:
    """The severity and impact that CKL has no words for, where the SAF CLI and Heimdall keep them: they read them back."""
    if about.impact == 0:
        return ""  # they say Not Applicable by the status, and refuse an impact of 0 beside another one
    return json.dumps({"hdfSpecificData": {"severity": about.severity, "impact": about.impact}})
