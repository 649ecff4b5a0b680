# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XCCDF 1.2, judged by `oscap xccdf validate`, by the converter of `saf convert xccdf_results2hdf` and Heimdall, and by the
parser of STIG Manager."""

from __future__ import annotations

import functools
import pathlib
import subprocess
from collections.abc import Iterator
from xml.etree import ElementTree

from ...cluster.debian_packages import ensure, path_of
from ..checklist_words import Rule, words_of_seen, words_of_unseen_targets
from ..saf_converters import converted
from ..stig_manager import MOST_OF_A_RULE_ID, VERSION, imported, results
from .format_reader import FormatReader

_NAMES = {"x": "http://checklists.nist.gov/xccdf/1.2"}
_FACT = "urn:securescan.kubernetes:fact:target_id"
_IN_SAF = {
    "pass": "Passed",
    "fail": "Failed",
    "notchecked": "Not Reviewed",
    "notapplicable": "Not Applicable",
    "error": "Profile Error",
}

_DISA = "xccdf_mil.disa.stig_rule_"
_MARKS = {
    "Waiver in force": "waived in its message",
    "Waiver counts for nothing": "a waiver that does not count in its message",
    "Attestation in force": "attested in its message",
    "Attestation counts for nothing": "an attestation that does not count in its message",
}


def validate(path: pathlib.Path) -> None:
    """:raises AssertionError: oscap refuses the document"""
    ensure(["oscap"])
    done = subprocess.run(
        [path_of("oscap"), "xccdf", "validate", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]


def _rules(folder: pathlib.Path) -> Iterator[Rule]:
    paths = sorted(folder.glob("*.xml"))
    for path in paths:
        validate(path)
    for path, in_saf, in_stig_manager in zip(paths, converted("xccdf", paths), imported("xccdf", paths)):
        root = ElementTree.parse(path).getroot()
        ids = {
            rule.attrib["id"]: rule.findtext("x:version", "", _NAMES)
            for rule in root.iterfind(".//x:Rule", _NAMES)
        }
        result = root.find("x:TestResult", _NAMES)
        assert result is not None
        target_id = next(
            fact.text or ""
            for fact in result.iterfind("x:target-facts/x:fact", _NAMES)
            if fact.get("name") == _FACT
        )
        profile = root.findtext("x:title", "", _NAMES)
        statuses = {rule: status for rule, status, _severity in in_saf["controls"]}
        assert statuses.keys() == ids.keys()
        assert results(in_stig_manager) == [
            (one.attrib["idref"].replace(_DISA, "")[:MOST_OF_A_RULE_ID], _in_stig_manager(one))
            for one in result.iterfind("x:rule-result", _NAMES)
        ]
        is_seen = result.find("x:remark", _NAMES) is None
        for one in result.iterfind("x:rule-result", _NAMES):
            rule = one.attrib["idref"]
            word = one.findtext("x:result", "", _NAMES)
            assert statuses[rule] == _IN_SAF[word], f"{rule} is {word}, and SAF reads {statuses[rule]}"
            yield (target_id, profile, ids[rule]), word + _marks(one), is_seen


def _in_stig_manager(one: ElementTree.Element) -> str:
    """What is neither pass, fail nor notapplicable is not reviewed there."""
    word = one.findtext("x:result", "", _NAMES)
    return word if word != "error" else "notchecked"


def _marks(one: ElementTree.Element) -> str:
    said = one.findtext("x:message", "", _NAMES).split("\n")
    return "".join(
        f", {mark}" for start, mark in _MARKS.items() if any(text.startswith(start) for text in said)
    )


@functools.lru_cache(maxsize=1)
def _judged(folder: pathlib.Path) -> tuple[Rule, ...]:
    """Both halves of the reader are asked about the same report: it is judged once."""
    return tuple(_rules(folder))


READER = FormatReader(
    "xccdf",
    f"oscap 1.3.7, hdf-converters of SAF CLI 1.5.3, the parser of STIG Manager ({VERSION})",
    lambda folder: words_of_seen(_judged(folder)),
    lambda folder: words_of_unseen_targets(_judged(folder)),
)
