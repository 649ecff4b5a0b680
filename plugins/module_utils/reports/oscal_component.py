# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An OSCAL component definition of what a run's profiles check: a component of the type `validation` for each profile.

Its rules stand as compliance-trestle has them: properties with the same remarks belong to one rule. The NIST controls that the
rules name are implemented requirements: what a rule checks is a part of such a control, never the whole of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TextIO

from ..results.run import Run
from ..results.verdicts import ControlText, run_verdicts
from ..safe_text import one_line
from .checklist import made_id
from .oscal_parts import MOST_TEXT, NAMESPACE, in_order, markup, metadata, nist_controls, properties
from .report import Report

_CATALOG = (
    "https://raw.githubusercontent.com/usnistgov/oscal-content/main/nist.gov/SP800-53/rev5/json/"
    "NIST_SP-800-53_rev5_catalog.json"
)


def write_component(run: Run, stream: TextIO) -> None:
    """All of it is held at once: it is as large as the profiles are, whatever the number of targets."""
    rules: dict[str, dict[str, ControlText]] = {profile.name: {} for profile in run.profiles}
    for target in run_verdicts(run):
        for verdict in target.controls:
            rules.setdefault(verdict.about.profile, {}).setdefault(verdict.about.id, verdict.about)
    versions = {profile.name: (profile.version, profile.sha256) for profile in run.profiles}
    components = [
        _component(name, *versions.get(name, ("", "")), list(controls.values()))
        for name, controls in rules.items()
    ]
    document: dict[str, Any] = {
        "uuid": made_id(
            "component-definition", *(f"{name} {versions.get(name)}" for name in rules), run.run_id
        ),
        "metadata": metadata(run, "What the profiles of a scan check"),
    }
    if components:
        document["components"] = components
    json.dump({"component-definition": document}, stream, indent=1)
    stream.write("\n")


REPORT = Report("oscal_component", "oscal-component-definition.json", write_component)


def _component(name: str, version: str, sha256: str, controls: list[ControlText]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "uuid": made_id("component", name),
        "type": "validation",
        "title": markup(name),
        "description": f"The profile {markup(name)} for scans of containers.",
        "props": properties({"version": version, "sha256": sha256, "profile": name})
        + [one for number, about in enumerate(controls) for one in _rule(about, number)],
    }
    by_control: dict[str, list[ControlText]] = {}
    for about in controls:
        for control_id in dict.fromkeys(nist_controls(about)):
            by_control.setdefault(control_id, []).append(about)
    if by_control:
        made["control-implementations"] = [
            {
                "uuid": made_id("implementation", name),
                "source": _CATALOG,
                "description": "The controls of NIST SP 800-53 revision 5 of which the rules check a part.",
                "implemented-requirements": [
                    {
                        "uuid": made_id("requirement", name, control_id),
                        "control-id": control_id,
                        "description": "Checked in part by: "
                        + "; ".join(markup(one.title or one.id) for one in about),
                        "props": [one for each in about for one in properties({"Rule_Id": each.id})],
                    }
                    for control_id, about in sorted(by_control.items(), key=lambda item: in_order(item[0]))
                ],
            }
        ]
    return made


def _rule(about: ControlText, number: int) -> Iterator[dict[str, str]]:
    texts = {
        "Rule_Id": about.id,
        "Rule_Description": about.title or about.id,
        "Check_Id": about.id,
        "Check_Description": about.check or about.desc or about.title or about.id,
        "Severity": about.severity,
    }
    for name, text in texts.items():
        value = one_line(text, MOST_TEXT)
        if value:
            yield {"name": name, "ns": NAMESPACE, "value": value, "remarks": f"rule_{number:04}"}
