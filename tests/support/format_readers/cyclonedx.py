# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CycloneDX: the strict validator of cyclonedx-python-lib, by the schema of 1.6, which allows no other properties. References are
followed."""

from __future__ import annotations

import json
import pathlib
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.event import NOT_SEEN
from ansible_collections.securescan.kubernetes.tests.support.format_readers.format_reader import (
    FormatReader,
    Words,
)


def _bom(path: pathlib.Path) -> dict[str, Any]:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = path.read_text(encoding="utf-8")
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert problem is None, str(problem)
    bom: dict[str, Any] = json.loads(text)
    return bom


def _words(path: pathlib.Path) -> Words:
    bom = _bom(path)
    declared = bom["declarations"]
    targets = {one["bom-ref"]: one["name"] for one in declared["targets"]["components"]}
    requirements = {
        required["bom-ref"]: (standard["name"], required["identifier"])
        for standard in bom["definitions"]["standards"]
        for required in standard["requirements"]
    }
    claims = {one["bom-ref"]: one for one in declared["claims"]}
    assert len(claims) == len(declared["claims"])
    words = {}
    for attestation in declared["attestations"]:
        for mapped in attestation["map"]:
            (reference,) = [*mapped.get("claims", ()), *mapped.get("counterClaims", ())]
            claim = claims[reference]
            conformance = mapped["conformance"]
            word = str(claim["predicate"]).rpartition(" is ")[2]
            assert conformance["rationale"].startswith(word)
            assert claim["predicate"].startswith(mapped["requirement"])
            score = conformance.get("score")
            shown = f"no score: {word}" if score is None else f"score {score:g}"
            marks = ", attested" if "attested" in word and score is not None else ""
            profile, control = requirements[mapped["requirement"]]
            words[targets[claim["target"]], profile, control] = shown + marks
    return words


def _read(path: pathlib.Path) -> Words:
    return {key: word for key, word in _words(path).items() if key[2] != NOT_SEEN.id}


def _targets(path: pathlib.Path) -> dict[str, str]:
    return {key[0]: word for key, word in _words(path).items() if key[2] == NOT_SEEN.id}


READER = FormatReader("cyclonedx", "cyclonedx-python-lib, strict, 1.6", _read, _targets)
