# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents and thresholds made at random (from a seed), to be judged by SAF and by the gate.

Each carries the names of the SAF defects that it meets; without any, both must agree to the letter.
"""

from __future__ import annotations

import random
from typing import Any

# A document meets these. Each is a way in which SAF's result differs from the rules that SAF itself documents.
CAPITAL_SEVERITY = "a severity tag that is not in lower case is in no bucket"
NONE_SEVERITY = "controls of severity none are in no bucket but that of Not Applicable"
# A threshold meets these.
COMPLIANCE_MAX_ZERO = "compliance.max: 0 is ignored"
NO_IMPACT_TOTAL = "no_impact.total.min and .max are never checked"
FLAT_OVERWRITE = "in a flat file, of two keys under one severity only the last counts"
EMPTY_CONTROLS = "an empty list of controls fails although there are none"
DOCUMENT_DEFECTS = (CAPITAL_SEVERITY, NONE_SEVERITY)
THRESHOLD_DEFECTS = (COMPLIANCE_MAX_ZERO, NO_IMPACT_TOTAL, FLAT_OVERWRITE, EMPTY_CONTROLS)

_IMPACTS = (0, 0.0, 0.1, 0.3, 0.39, 0.4, 0.5, 0.69, 0.7, 0.7, 0.89, 0.9, 1, 1.0)
_NAMES = ("passed", "failed", "skipped", "no_impact", "error")
_SEVERITIES = ("critical", "high", "medium", "low")


def make_document(seed: int, defect: str = "") -> dict[str, Any]:
    """A document of one profile with a name of its own; of two linked profiles where the seed is a multiple of 7."""
    dice = random.Random(f"document {seed}")
    controls = [_control(dice, index) for index in range(dice.randint(1, 14))]
    if defect:
        for control in dice.sample(controls, dice.randint(1, len(controls))):
            _give_defect(control, dice, defect)
    profile = _profile(f"generated-{seed}", controls)
    profiles = [profile]
    if seed % 7 == 0:
        base = _profile(f"base-{seed}", [*controls, _control(dice, 90)])
        base["parent_profile"] = profile["name"]
        profile["controls"] = [dict(control, results=[]) for control in controls]
        profiles.append(base)
    return {
        "platform": {"name": "debian", "release": "12.5", "target_id": f"target-{seed}"},
        "profiles": profiles,
        "statistics": {"duration": 0.1},
        "version": "5.22.3",
    }


def _profile(name: str, controls: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "sha256": "0" * 64,
        "supports": [],
        "attributes": [],
        "groups": [],
        "controls": controls,
        "title": name,
        "version": "1.0.0",
        "status": "loaded",
    }


def _control(dice: random.Random, index: int) -> dict[str, Any]:
    tags: dict[str, Any] = {"nist": ["AC-3", "Rev_4"]} if dice.random() < 0.5 else {}
    for name in ("severity", "severityoverride"):
        if dice.random() < 0.2:
            tags[name] = dice.choice([*_SEVERITIES, "unheard-of", None])
    control: dict[str, Any] = {
        "id": f"control-{index:02d}",
        "title": f"Control {index}",
        "desc": None,
        "impact": dice.choice(_IMPACTS),
        "refs": [],
        "tags": tags,
        "code": "",
        "source_location": {"ref": "a.rb", "line": index},
        "results": [_result(dice) for _number in range(dice.choice((0, 1, 1, 1, 2, 3)))],
    }
    if control["impact"] == 0 and dice.random() < 0.5:
        control["impact"] = 0.5
    if dice.random() < 0.3:
        control["waiver_data"] = dice.choice(
            (
                None,
                {},
                {"skipped_due_to_waiver": False},
                {"skipped_due_to_waiver": True, "run": False},
                {"skipped_due_to_waiver": ""},
                {"skipped_due_to_waiver": "false"},
                {"skipped_due_to_waiver": None},
            )
        )
    if dice.random() < 0.1:
        control["attestation_data"] = {
            "control_id": control["id"],
            "explanation": "seen",
            "frequency": "annually",
            "status": dice.choice(("passed", "failed")),
            "updated": "2026-01-01",
            "updated_by": "someone",
        }
    if dice.random() > 0.05 and _severity_is_none(control):
        control["tags"] = {"severity": "low"}  # severity none without impact 0 is a defect's matter
    elif _severity_is_none(control) and control["impact"] != 0:
        control["impact"] = 0
    return control


def _severity_is_none(control: dict[str, Any]) -> bool:
    return control["impact"] < 0.1 and not any(
        control["tags"].get(name) in _SEVERITIES for name in ("severity", "severityoverride")
    )


def _result(dice: random.Random) -> dict[str, Any]:
    result: dict[str, Any] = {"code_desc": "it", "start_time": "2026-11-23T10:00:00+00:00", "run_time": 0.01}
    status = dice.choice(("passed", "passed", "passed", "failed", "failed", "skipped", "error", None, ""))
    if status != "":
        result["status"] = status
    if dice.random() < 0.1:
        result["backtrace"] = dice.choice(([], ["a.rb:1"], None))
        result["exception"] = "RuntimeError"
    return result


def _give_defect(control: dict[str, Any], dice: random.Random, defect: str) -> None:
    status = dice.choice(("passed", "failed"))
    control.update(
        impact=0.5,
        waiver_data={},
        results=[{"status": status, "code_desc": "it", "start_time": "2026-11-23T10:00:00+00:00"}],
    )
    if defect == CAPITAL_SEVERITY:
        control["tags"] = {"severity": dice.choice(("Critical", "HIGH", "Low"))}
    else:
        control.update(dice.choice(({"tags": {"severity": "none"}}, {"tags": {}, "impact": 0.05})))


def make_threshold(
    seed: int,
    counts: dict[str, dict[str, int]],
    compliance: int,
    ids: dict[tuple[str, str], list[str]],
    defect: str | None = None,
) -> dict[str, Any]:
    """A threshold near what a document has, so that passing and failing are about equally likely.

    `counts`: SAF's status name -> severity or "total" -> number; `ids`: (status name, severity) -> control ids.
    """
    dice = random.Random(f"threshold {seed}")
    flat = _plain_limits(dice, counts, compliance)
    if defect == COMPLIANCE_MAX_ZERO:
        return {"compliance": {"max": 0}}
    if defect == NO_IMPACT_TOTAL:
        return {"no_impact": {"total": {"min": counts["no_impact"]["total"] + 1}}}
    if defect == FLAT_OVERWRITE:
        return {"failed.medium.max": counts["failed"]["medium"] - 1, "failed.medium.min": 0}
    if defect == EMPTY_CONTROLS:
        name, severity = next(
            place
            for place in ((name, severity) for name in _NAMES for severity in _SEVERITIES)
            if not ids.get(place)
        )
        return {name: {severity: {"controls": []}}}
    if dice.random() < 0.3 and len({key.rpartition(".")[0] for key in flat}) == len(flat):
        return flat
    nested = _nested(flat)
    if dice.random() < 0.3 and ids:
        place = dice.choice(sorted(ids))
        wanted = list(ids[place])
        dice.shuffle(wanted)
        if dice.random() < 0.3:
            wanted = dice.choice((wanted[1:], [*wanted, "no-such-control"])) or wanted
        nested.setdefault(place[0], {}).setdefault(place[1], {})["controls"] = wanted
    if dice.random() < 0.1:
        name = dice.choice(_NAMES)
        nested.setdefault(name, {})["total"] = counts[name]["total"] + dice.choice((0, 0, 1))
    return nested


def _plain_limits(dice: random.Random, counts: dict[str, dict[str, int]], compliance: int) -> dict[str, int]:
    flat: dict[str, int] = {}
    for _number in range(dice.randint(1, 4)):
        if dice.random() < 0.25:
            bound = dice.choice(("min", "max"))
            flat["compliance." + bound] = max(1, min(100, compliance + dice.choice((-5, 0, 5))))
            continue
        name = dice.choice(_NAMES)
        severity = dice.choice((*_SEVERITIES, "total") if name != "no_impact" else (*_SEVERITIES, "none"))
        bound = dice.choice(("min", "max"))
        lenient = -1 if bound == "min" else 1
        flat[f"{name}.{severity}.{bound}"] = max(
            0, counts[name][severity] + dice.choice((0, lenient, lenient, -lenient))
        )
    return flat


def _nested(flat: dict[str, int]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in flat.items():
        place = nested
        *path, last = key.split(".")
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return nested
