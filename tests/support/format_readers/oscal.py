# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OSCAL assessment results, judged by compliance-trestle."""

from __future__ import annotations

import functools
import json
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

from ..trestle import validate
from .format_reader import FormatReader, Words

_Result = tuple[str, Mapping[str, Any], Mapping[str, str]]


@functools.lru_cache(maxsize=1)
def _judged(path: pathlib.Path) -> tuple[_Result, ...]:
    """Both halves of the reader are asked about the same report: it is judged once."""
    return tuple(_results(path))


def _results(path: pathlib.Path) -> Iterator[_Result]:
    """Of each result: the target's id, the result, {uuid of an observation: what findings say of it}."""
    validate(path, "assessment-results")
    for result in json.loads(path.read_text(encoding="utf-8"))["assessment-results"]["results"]:
        findings = {}
        for finding in result.get("findings", ()):
            status = finding["target"]["status"]
            for related in finding["related-observations"]:
                findings[related["observation-uuid"]] = f"{status['state']} ({status['reason']})"
        items = result.get("local-definitions", {}).get("inventory-items", [])
        for item in items:
            yield _props(item)["target_id"], result, findings


def _props(value: Mapping[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in value.get("props", ())}


def _word(observation: Mapping[str, Any], findings: Mapping[str, str]) -> str:
    said = _props(observation)
    marks = [one for one in ("waived", "attested") if said.get(one) == "true"]
    marks += [
        f"property {one} that does not count"
        for one in ("waiver", "attestation")
        if one in said and "in force" not in said[one].split(":")[0]
    ]
    finding = findings.get(observation["uuid"], "no finding")
    return ", ".join([finding, f"property {said['status']}", *marks])


def _read(path: pathlib.Path) -> Words:
    return {
        (target_id, props["profile"], props["control"]): _word(observation, findings)
        for target_id, result, findings in _judged(path)
        for observation in result["observations"]
        for props in (_props(observation),)
        if "control" in props
    }


def _targets(path: pathlib.Path) -> Mapping[str, str]:
    return {
        target_id: _word(observation, findings)
        for target_id, result, findings in _judged(path)
        for observation in result["observations"]
        if _props(observation)["status"] in ("not_scanned", "unread", "not_judged", "no_target")
    }


READER = FormatReader("oscal", "compliance-trestle 5.2.0 (OSCAL 1.2.1)", _read, _targets)
