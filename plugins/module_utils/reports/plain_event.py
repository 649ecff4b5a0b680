# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One control on one target as a plain object, complete in itself: a line of results.jsonl, and what is sent where nothing else
is asked for.

    schema, schema_version   securescan.kubernetes/control-event; 1
    kind                     control; target for a target without controls: it was not scanned, its document is not the run's, or
                             every profile was skipped; also for a name of the selection that gave no target
    activity                 created, updated or closed; "" in a report, which knows no earlier state
    fingerprint              the same for this control on this place, in every run, report and system
    run                      {id, started, cluster, cluster_uid}
    target                   {target_id, place, cluster, namespace, workload_kind, workload, pod, container, ... as far as they
                             are known, approach, seen, evidence}
    status                   passed, failed, not_reviewed, not_applicable or profile_error; of a target not_scanned, unread or
                             not_judged
    text                     what was expected and found, why it was not reviewed, the error, or who waived or attested it and why

Of a control alone:

    profile                  name of the profile
    control                  {id, title, severity, impact, fix, tags}
    waived, attested         whether a waiver in force sets the control aside, and whether a person said that it is met or not
    exceptions               list of what exception_record.py says of its waiver and its attestation, also those that count for
                             nothing

Of a target alone:

    error                    {code, reason, message, tried, cause, advice}, or null
"""

from __future__ import annotations

from typing import Any, Protocol

from ..results.status import NOT_SCANNED
from ..results.target_record import TargetRecord
from ..results.verdicts import ControlText, TargetVerdicts, Verdict
from ..safe_text import kept_values
from .event import not_seen

SCHEMA = "securescan.kubernetes/control-event"
SCHEMA_VERSION = 1
# What a target is whose document is not the one that the run wrote.
UNREAD = "unread"


class OfRun(Protocol):
    """What is said of the run: a Run has it, and an EventSource."""

    @property
    def run_id(self) -> str: ...
    @property
    def started(self) -> str: ...
    @property
    def cluster(self) -> str: ...
    @property
    def cluster_uid(self) -> str | None: ...


def plain_event(
    run: OfRun, target: TargetVerdicts, verdict: Verdict | None, activity: str = ""
) -> dict[str, Any]:
    """:param verdict: None for the target itself"""
    place_id = target.record.place_id
    event: dict[str, Any] = {
        **head_object("control" if verdict else "target", activity, run),
        "target": target_object(target.record),
        "fingerprint": (verdict or not_seen(target)).fingerprint(place_id),
    }
    if verdict is None:
        event.update(outcome_object(target))
    else:
        event.update(control_object(verdict.about), **verdict_object(verdict))
    return event


def head_object(kind: str, activity: str, run: OfRun) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "kind": kind,
        "activity": activity,
        "run": {
            "id": kept_values(run.run_id),
            "started": kept_values(run.started),
            "cluster": kept_values(run.cluster),
            "cluster_uid": kept_values(run.cluster_uid or ""),
        },
    }


def target_object(record: TargetRecord) -> dict[str, Any]:
    known: dict[str, Any] = {
        **record.identity(),
        "place": record.place_id,
        "approach": record.approach,
        "seen": record.seen,
        "evidence": record.evidence.grade if record.evidence else "",
        "skipped_profiles": record.skipped_profiles,
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
        "exceptions": [one.to_json() for one in verdict.exceptions],
    }


def outcome_object(target: TargetVerdicts) -> dict[str, Any]:
    """What is said of a target without controls."""
    record = target.record
    if record.error:
        status, text = NOT_SCANNED, record.error.message
    elif target.unread:
        status, text = UNREAD, target.unread
    else:
        skipped = "; ".join(f"{name} was skipped: {why}" for name, why in record.skipped_profiles.items())
        status, text = record.result, skipped or "no control was judged"
    return {
        "status": status,
        "text": kept_values(text),
        "error": kept_values(record.error.to_json()) if record.error else None,
    }
