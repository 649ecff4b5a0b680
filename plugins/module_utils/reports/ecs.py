# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of the Elastic Common Schema, https://www.elastic.co/docs/reference/ecs

    Passed          event.outcome success
    Failed          event.outcome failure
    Not Reviewed, Not Applicable, Profile Error: event.outcome unknown

The schema has no field for the rest: `securescan.status` has our own word for each, with the waiver and the attestation.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ..results.status import FAILED, PASSED, SEVERITIES
from ..results.verdicts import ControlText, TargetVerdicts, Verdict
from ..times import api_time
from .event import ControlStatus, EventFormat, EventParts, EventSource, event_time
from .event_lines import write_event_lines
from .event_text import (
    exceptions,
    image_parts,
    known_texts,
    line_text,
    long_text,
    name_text,
    requirements,
)
from .report import Report

ECS_VERSION = "9.0.0"
DATASET = "securescan.compliance"
_OUTCOMES = {PASSED: "success", FAILED: "failure"}
# ECS leaves the numbers to the source; a higher one is more severe.
_SEVERITY_NUMBERS = {severity: 4 - number for number, severity in enumerate(SEVERITIES)}


def _of_target(source: EventSource, target: TargetVerdicts) -> Mapping[str, Any]:
    record = target.record
    name, tag = image_parts(record)
    image: dict[str, Any] = dict(known_texts({"name": name}))
    if tag:
        image["tag"] = [line_text(tag)]
    if record.image_digest:
        image["hash"] = {"all": [line_text(record.image_digest)]}
    container: dict[str, Any] = dict(known_texts({"id": record.container_id, "name": record.container}))
    if image:
        container["image"] = image
    cluster = known_texts({"name": record.cluster or source.cluster, "id": source.cluster_uid})
    orchestrator: dict[str, Any] = {"type": "kubernetes", "cluster": cluster}
    orchestrator.update(known_texts({"namespace": record.namespace}))
    resource: dict[str, Any] = dict(known_texts({"name": record.pod, "id": record.pod_uid}))
    if resource:
        orchestrator["resource"] = {
            **resource,
            "type": "pod",
            "parent": {"type": name_text(record.workload_kind)},
        }
    event: dict[str, Any] = {
        "@timestamp": api_time(event_time(source, target)),
        "ecs": {"version": ECS_VERSION},
        "orchestrator": orchestrator,
        "container": container,
        "observer": {
            "vendor": name_text(source.collection),
            "product": name_text(source.collection),
            "type": "scanner",
            "version": name_text(source.version),
        },
        "labels": known_texts(
            {
                "run_id": source.run_id,
                "target_id": record.target_id,
                "place": record.place_id,
                "workload_kind": record.workload_kind,
                "workload": record.workload,
                "approach": record.approach,
                "evidence": record.evidence.grade if record.evidence else "",
            }
        ),
    }
    if record.node:
        event["host"] = {"name": line_text(record.node)}
    return event


def _of_control(about: ControlText, _status: ControlStatus) -> Mapping[str, Any]:
    rule = known_texts({"id": about.id, "name": about.title, "ruleset": about.profile})
    if about.desc.strip():
        rule["description"] = long_text(about.desc)
    named = [f"{standard} {one}" for standard, found in requirements(about.tags).items() for one in found]
    return {"rule": rule, "tags": ["compliance", *named]}


def _of_verdict(
    _source: EventSource, target: TargetVerdicts, verdict: Verdict, status: ControlStatus
) -> Mapping[str, Any]:
    about = verdict.about
    event = {
        "kind": "state",
        "category": ["configuration"],
        "type": ["info"],
        "module": "securescan",
        "dataset": DATASET,
        "action": f"finding-{status.activity}",
        "code": name_text(about.id),
        "outcome": _OUTCOMES.get(status.status, "unknown"),
        "severity": _SEVERITY_NUMBERS[about.severity],
    }
    if verdict.text:
        event["reason"] = long_text(verdict.text)
    own: dict[str, Any] = {
        "fingerprint": verdict.fingerprint(target.record.place_id),
        "status": status.status,
        "severity": about.severity,
        "waived": status.waived,
        "attested": status.attested,
    }
    if verdict.waiver or verdict.attestation:
        own["exceptions"] = exceptions(verdict)
    title = line_text(about.title) or name_text(about.id)
    return {"event": event, "message": f"{status.words}: {title}", "securescan": own}


_PARTS = EventParts(_of_target, _of_control, _of_verdict)
ECS = EventFormat("ecs", "application/json", _PARTS.encode, _PARTS)
REPORT = Report("ecs", "results.ecs.jsonl", partial(write_event_lines, ECS))
