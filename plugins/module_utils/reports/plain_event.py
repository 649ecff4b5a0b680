# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One control on one target as a plain object, complete in itself: a line of results.jsonl, and what is sent where nothing else
is asked for.

    schema, schema_version   securescan.kubernetes/control-event; 1
    kind                     control
    activity                 created, updated or closed; "" in a report, which knows no earlier state
    fingerprint              the same for this control on this place, in every run, report and system
    run                      {id, started, cluster, cluster_uid}
    target                   {target_id, place, cluster, namespace, workload_kind, workload, pod, container, ... as far as they
                             are known, approach, seen, evidence}
    profile                  name of the profile
    control                  {id, title, severity, impact, fix, tags}
    status                   passed, failed, not_reviewed, not_applicable or profile_error
    waived, attested         whether a waiver in force sets the control aside, and whether a person said that it is met or not
    text                     what was expected and found, why it was not reviewed, the error, or who waived or attested it and why
    waiver, attestation      as the results have them, or null
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ..results.target_record import TargetRecord
from ..results.verdicts import ControlText, TargetVerdicts, Verdict
from ..safe_text import kept_values
from .event import EventFormat, EventSource, not_seen

SCHEMA = "securescan.kubernetes/control-event"
SCHEMA_VERSION = 1


class OfRun(Protocol):
    """What is said of the run: a Run has it."""

    @property
    def run_id(self) -> str: ...
    @property
    def started(self) -> str: ...
    @property
    def cluster(self) -> str: ...
    @property
    def cluster_uid(self) -> str | None: ...


def plain_event(run: OfRun, target: TargetVerdicts, verdict: Verdict, activity: str = "") -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "kind": "control",
        "activity": activity,
        "fingerprint": verdict.fingerprint(target.record.place_id),
        "run": run_object(run),
        "target": target_object(target.record),
        **control_object(verdict.about),
        **verdict_object(verdict),
    }


def run_object(run: OfRun) -> dict[str, Any]:
    return {
        "id": kept_values(run.run_id),
        "started": kept_values(run.started),
        "cluster": kept_values(run.cluster),
        "cluster_uid": kept_values(run.cluster_uid),
    }


def target_object(record: TargetRecord) -> dict[str, Any]:
    known: Mapping[str, Any] = {
        **record.identity(),
        "place": record.place_id,
        "approach": record.approach,
        "seen": record.seen,
        "evidence": record.evidence.grade if record.evidence else "",
    }
    return {name: kept_values(value) for name, value in known.items() if value}


def control_object(about: ControlText) -> dict[str, Any]:
    return {
        "profile": kept_values(about.profile),
        "control": {
            "id": kept_values(about.id),
            "title": kept_values(about.title),
            "severity": about.severity,
            "impact": about.impact,
            "fix": kept_values(about.fix),
            "tags": kept_values(about.tags),
        },
    }


def verdict_object(verdict: Verdict) -> dict[str, Any]:
    return {
        "status": verdict.status,
        "waived": verdict.waived,
        "attested": verdict.attested,
        "text": kept_values(verdict.text),
        "waiver": kept_values(verdict.waiver),
        "attestation": kept_values(verdict.attestation),
    }


def _encode(
    source: EventSource, target: TargetVerdicts, verdict: Verdict | None, activity: str
) -> dict[str, Any]:
    return plain_event(source, target, verdict or not_seen(target), activity)


PLAIN = EventFormat("json", "application/json", _encode)
