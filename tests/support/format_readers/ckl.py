# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CKL, judged by the converter of `saf convert ckl2hdf` and Heimdall, by the parser of STIG Manager, and by the order of elements
of STIG Viewer 2.17."""

from __future__ import annotations

import functools
import html
import pathlib
from collections.abc import Iterator
from xml.etree import ElementTree

from ..checklist_words import Rule, facts_of, with_marks, words_of_seen, words_of_unseen_targets
from ..saf_converters import converted
from ..stig_manager import MOST_OF_A_RULE_ID, VERSION, imported, results
from .format_reader import FormatReader

_ASSET = (
    *("ROLE", "ASSET_TYPE", "MARKING", "HOST_NAME", "HOST_IP", "HOST_MAC", "HOST_FQDN", "TARGET_COMMENT"),
    *("TECH_AREA", "TARGET_KEY", "WEB_OR_DATABASE", "WEB_DB_SITE", "WEB_DB_INSTANCE"),
)
_STIG_INFO = (
    *("version", "classification", "customname", "stigid", "description", "filename", "releaseinfo", "title"),
    *("uuid", "notice", "source"),
)
_ATTRIBUTES = (
    *(
        "Vuln_Num",
        "Severity",
        "Group_Title",
        "Rule_ID",
        "Rule_Ver",
        "Rule_Title",
        "Vuln_Discuss",
        "IA_Controls",
    ),
    *("Check_Content", "Fix_Text", "False_Positives", "False_Negatives", "Documentable", "Mitigations"),
    *("Potential_Impact", "Third_Party_Tools", "Mitigation_Control", "Responsibility"),
    *(
        "Security_Override_Guidance",
        "Check_Content_Ref",
        "Weight",
        "Class",
        "STIGRef",
        "TargetKey",
        "STIG_UUID",
    ),
    *("LEGACY_ID", "CCI_REF"),
)
_ANSWERS = ("STATUS", "FINDING_DETAILS", "COMMENTS", "SEVERITY_OVERRIDE", "SEVERITY_JUSTIFICATION")
# What SAF makes of each status. What it takes for an error is Not_Reviewed in the checklist.
_IN_SAF = {
    "NotAFinding": ("Passed",),
    "Open": ("Failed",),
    "Not_Applicable": ("Not Applicable",),
    "Not_Reviewed": ("Not Reviewed", "Profile Error"),
}

_IN_STIG_MANAGER = {
    "NotAFinding": "pass",
    "Open": "fail",
    "Not_Applicable": "notapplicable",
    "Not_Reviewed": "notchecked",
}


def _rules(folder: pathlib.Path) -> Iterator[Rule]:
    """Of each rule: (target id, profile, control), the word, whether the target was seen by the profile."""
    paths = sorted(folder.glob("*.ckl"))
    for path, in_saf, in_stig_manager in zip(paths, converted("ckl", paths), imported("ckl", paths)):
        root = ElementTree.parse(path).getroot()
        _check_order(root)
        facts = facts_of(root.findtext("ASSET/TARGET_COMMENT") or "")
        statuses = {control: status for control, status, _severity in in_saf["controls"]}
        assert in_saf["again"] == in_saf["controls"], "a CKL that SAF makes of it says something else"
        # it takes what is escaped in a text for escaped once more
        assert html.unescape(in_stig_manager["asset"]) == html.unescape(
            root.findtext("ASSET/HOST_NAME") or ""
        )
        assert results(in_stig_manager) == [
            (_attribute(vuln, "Rule_ID")[:MOST_OF_A_RULE_ID], _IN_STIG_MANAGER[vuln.findtext("STATUS") or ""])
            for vuln in root.iterfind("STIGS/iSTIG/VULN")
        ]
        for vuln in root.iterfind("STIGS/iSTIG/VULN"):
            control = _attribute(vuln, "Vuln_Num")
            status = vuln.findtext("STATUS") or ""
            said = statuses[control]
            assert said in _IN_SAF[status], f"{control} is {status}, and SAF reads {said}"
            word = with_marks(status, vuln.findtext("COMMENTS") or "")
            if said not in _IN_SAF[status][0]:
                word += f" (SAF reads {said})"
            yield (facts["target_id"], in_saf["profile"], control), word, "not seen" not in facts


def _attribute(vuln: ElementTree.Element, name: str) -> str:
    return next(
        one.findtext("ATTRIBUTE_DATA") or ""
        for one in vuln.iterfind("STIG_DATA")
        if one.findtext("VULN_ATTRIBUTE") == name
    )


def _check_order(root: ElementTree.Element) -> None:
    assert [one.tag for one in root] == ["ASSET", "STIGS"]
    assert tuple(one.tag for one in root[0]) == _ASSET
    for stig in root.iterfind("STIGS/iSTIG"):
        assert tuple(one.findtext("SID_NAME") for one in stig.iterfind("STIG_INFO/SI_DATA")) == _STIG_INFO
        for vuln in stig.iterfind("VULN"):
            named = [one.findtext("VULN_ATTRIBUTE") for one in vuln.iterfind("STIG_DATA")]
            assert tuple(dict.fromkeys(named)) in (_ATTRIBUTES, _ATTRIBUTES[:-1])
            assert tuple(one.tag for one in vuln if one.tag != "STIG_DATA") == _ANSWERS


@functools.lru_cache(maxsize=1)
def _judged(folder: pathlib.Path) -> tuple[Rule, ...]:
    """Both halves of the reader are asked about the same report: it is judged once."""
    return tuple(_rules(folder))


READER = FormatReader(
    "ckl",
    f"hdf-converters of SAF CLI 1.5.3 (ckl2hdf and back), the parser of STIG Manager ({VERSION})",
    lambda folder: words_of_seen(_judged(folder)),
    lambda folder: words_of_unseen_targets(_judged(folder)),
)
