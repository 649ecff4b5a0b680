# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CycloneDX 1.6 declarations, https://cyclonedx.org/capabilities/attestations/

Profiles are standards, controls are requirements, containers are targets. Each target has an attestation that says of each
requirement how far it is met.

    Passed          conformance.score 1, with a claim
    Failed          conformance.score 0, with a counter-claim
    Not Reviewed, Not Applicable, Profile Error: no score, because there is nothing to be said about conformance

`conformance.rationale` has our own word for each, with waived and attested beside it, and the text. A control without a score
is no pass for a reader who counts scores.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from ..results.run import Run
from ..results.status import FAILED, PASSED
from ..results.target_record import TargetRecord
from ..results.verdicts import ControlText, TargetVerdicts, Verdict, run_verdicts
from ..times import api_time
from .event import CREATED, ControlStatus, EventSource, gap_target, not_seen, run_time
from .event_text import line_text, long_text, name_text
from .report import Report

SPEC_VERSION = "1.6"
_NAMESPACE = uuid.UUID("6a1d7c52-2f0a-5c55-9d0e-5f6a3f6f2a10")
_SCORES = {PASSED: 1, FAILED: 0}
_MAX_RATIONALE = 1000
_encoded = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class _References:
    """What stands for a profile, a control and a target within the document: short, and free of hostile text."""

    def __init__(self) -> None:
        self.controls: dict[tuple[str, str], tuple[str, ControlText]] = {}

    def control(self, about: ControlText) -> str:
        key = about.profile, about.id
        found = self.controls.get(key)
        if found is None:
            found = self.controls[key] = f"requirement-{len(self.controls) + 1}", about
        return found[0]


def _write(run: Run, stream: TextIO) -> None:
    """Attestations and claims stand in lists of their own, so the documents are read twice, one at a time."""
    source, references = EventSource.of(run), _References()
    head = {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "serialNumber": uuid.uuid5(_NAMESPACE, f"{source.cluster_uid}/{source.cluster}/{source.run_id}").urn,
        "version": 1,
        "metadata": _metadata(source),
    }
    stream.write(_encoded(head)[:-1] + ',"declarations":{"assessors":[')
    stream.write(_encoded({"bom-ref": "assessor", "thirdParty": False}) + '],"attestations":[')
    between = "\n"
    for number, target in enumerate(_targets(run), 1):
        stream.write(between + _encoded(_attestation(number, target, references)))
        between = ",\n"
    stream.write('\n],"claims":[')
    between = "\n"
    for number, target in enumerate(_targets(run), 1):
        for claim in _claims(number, target, references):
            stream.write(between + _encoded(claim))
            between = ",\n"
    stream.write('\n],"targets":{"components":[')
    between = "\n"
    for number, record in enumerate(_records(run), 1):
        stream.write(between + _encoded(_component(number, record)))
        between = ",\n"
    standards = _encoded({"standards": list(_standards(references))})
    stream.write(f'\n]}}}},"definitions":{standards}}}\n')


def _targets(run: Run) -> Iterator[TargetVerdicts]:
    yield from run_verdicts(run)
    for gap in run.gaps:
        yield gap_target(run, gap)


def _records(run: Run) -> Iterator[TargetRecord]:
    yield from run.targets
    for gap in run.gaps:
        yield gap_target(run, gap).record


def _metadata(source: EventSource) -> dict[str, Any]:
    tool = {
        "type": "application",
        "name": name_text(source.collection),
        "version": name_text(source.version),
    }
    return {
        "timestamp": api_time(run_time(source)),
        "tools": {"components": [tool]},
        "properties": _properties(
            {"run_id": source.run_id, "cluster": source.cluster, "cluster_uid": source.cluster_uid}
        ),
    }


def _verdicts(target: TargetVerdicts) -> tuple[Verdict, ...]:
    return tuple(target.controls) or (not_seen(target),)


def _attestation(number: int, target: TargetVerdicts, references: _References) -> dict[str, Any]:
    return {
        "summary": line_text(f"{target.record.target_id}"),
        "assessor": "assessor",
        "map": [
            _mapped(number, place, verdict, references) for place, verdict in enumerate(_verdicts(target), 1)
        ],
    }


def _mapped(number: int, place: int, verdict: Verdict, references: _References) -> dict[str, Any]:
    status = ControlStatus.of(verdict, CREATED)
    conformance: dict[str, Any] = {"rationale": status.words}
    said = ". ".join(filter(None, (verdict.text, verdict.waiver_note)))
    if said:
        conformance["rationale"] = long_text(f"{status.words}: {said}", _MAX_RATIONALE)
    score = _SCORES.get(verdict.status)
    if score is not None:
        conformance["score"] = score
    side = "claims" if verdict.status == PASSED else "counterClaims"
    return {
        "requirement": references.control(verdict.about),
        side: [f"claim-{number}-{place}"],
        "conformance": conformance,
    }


def _claims(number: int, target: TargetVerdicts, references: _References) -> Iterator[dict[str, Any]]:
    """What ties a requirement to a target: an attestation has no reference to one."""
    for place, verdict in enumerate(_verdicts(target), 1):
        words = ControlStatus.of(verdict, CREATED).words
        yield {
            "bom-ref": f"claim-{number}-{place}",
            "target": f"target-{number}",
            "predicate": f"{references.control(verdict.about)} is {words}",
        }


def _component(number: int, record: TargetRecord) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "container",
        "bom-ref": f"target-{number}",
        "name": line_text(record.target_id) or "-",
    }
    algorithm, _colon, digest = record.image_digest.partition(":")
    if algorithm == "sha256" and len(digest) == 64 and all(one in "0123456789abcdef" for one in digest):
        component["hashes"] = [{"alg": "SHA-256", "content": digest}]
    component["properties"] = _properties(
        {**record.identity(), "place": record.place_id, "result": record.result}
    )
    return component


def _properties(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {"name": f"securescan:{name}", "value": line_text(value)} for name, value in values.items() if value
    ]


def _standards(references: _References) -> Iterator[dict[str, Any]]:
    by_profile: dict[str, list[tuple[str, ControlText]]] = {}
    for (profile, _control), found in references.controls.items():
        by_profile.setdefault(profile, []).append(found)
    for number, (profile, controls) in enumerate(by_profile.items(), 1):
        yield {
            "bom-ref": f"standard-{number}",
            "name": name_text(profile),
            "requirements": [
                {
                    "bom-ref": reference,
                    "identifier": name_text(about.id),
                    "title": line_text(about.title),
                    "text": long_text(about.desc),
                }
                for reference, about in controls
            ],
        }


REPORT = Report("cyclonedx", "results.cdx.json", _write)
