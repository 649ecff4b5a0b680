# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XCCDF 1.2, judged by `oscap xccdf validate` and read by the converter that Heimdall and `saf convert xccdf_results2hdf` use."""

from __future__ import annotations

import pathlib
import subprocess
from collections.abc import Iterator
from xml.etree import ElementTree

from ...cluster.debian_packages import ensure, path_of
from ..checklist_words import words_of_seen, words_of_unseen_targets
from ..saf_converters import converted
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

_MARKS = {
    "Waiver in force": "waived in a message",
    "Waiver counts for nothing": "a waiver that does not count in a message",
    "Attestation in force": "attested in a message",
    "Attestation counts for nothing": "an attestation that does not count in a message",
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


def _rules(folder: pathlib.Path) -> Iterator[tuple[tuple[str, str, str], str, bool]]:
    paths = sorted(folder.glob("*.xml"))
    for path in paths:
        validate(path)
    for path, in_saf in zip(paths, converted("xccdf", paths)):
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
        is_seen = result.find("x:remark", _NAMES) is None
        for one in result.iterfind("x:rule-result", _NAMES):
            rule = one.attrib["idref"]
            word = one.findtext("x:result", "", _NAMES)
            assert statuses[rule] == _IN_SAF[word], f"{rule} is {word}, and SAF reads {statuses[rule]}"
            yield (target_id, profile, ids[rule]), word + _marks(one), is_seen


def _marks(one: ElementTree.Element) -> str:
    said = [message.text or "" for message in one.iterfind("x:message", _NAMES)]
    return "".join(
        f", {mark}" for start, mark in _MARKS.items() if any(text.startswith(start) for text in said)
    )


READER = FormatReader(
    "xccdf",
    "oscap 1.3.7 and hdf-converters of SAF CLI 1.5.3",
    lambda folder: words_of_seen(_rules(folder)),
    lambda folder: words_of_unseen_targets(_rules(folder)),
)
