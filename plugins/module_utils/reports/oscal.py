# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OSCAL assessment results: one document for a run, with one `result` for each target.

A result is complete in itself (the target as inventory item, what was reviewed, observations, findings), so that the document
is written target by target. Each control is an observation, which has its status as a property. It is a finding, too, where
OSCAL has a word for it: satisfied where it passed; not-satisfied where it failed, was not reviewed or ended with an error, which
`reason` tells apart. OSCAL has none for a control that does not apply or is waived: that one is an observation and no finding.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from ..results.run import Run
from ..results.status import FAILED, NOT_REVIEWED, PASSED, PROFILE_ERROR
from ..results.target_record import TargetRecord
from ..results.verdicts import ControlText, TargetVerdicts, Verdict, run_verdicts
from ..safe_text import one_line
from .checklist import exception_texts, made_id
from .json_text import json_text, opened
from .moments import NO_TIME, moment_of
from .oscal_parts import (
    MOST_TEXT,
    NAMESPACE,
    NOTHING_REVIEWED,
    markup,
    metadata,
    properties,
    reviewed_controls,
    token,
)
from .per_control import PerControl
from .report import Report

_STATES = {
    PASSED: '{"state":"satisfied","reason":"pass"}',
    FAILED: '{"state":"not-satisfied","reason":"fail"}',
    NOT_REVIEWED: '{"state":"not-satisfied","reason":"other"}',
    PROFILE_ERROR: '{"state":"not-satisfied","reason":"other"}',
}
_text = json.encoder.encode_basestring_ascii

_TITLES = {
    "not_scanned": "The target was not scanned",
    "unread": "The results of the target are not those of the run",
    "not_judged": "No profile judged the target",
    "no_target": "A name that gave no target",
}


def write_oscal(run: Run, stream: TextIO) -> None:
    plan = made_id("plan", run.run_id)
    document = {
        "uuid": made_id("assessment-results", run.run_id, run.cluster_uid or run.cluster, run.started),
        "metadata": metadata(run, f"Scan of the cluster {run.cluster}"),
        "import-ap": {"href": f"#{plan}"},
    }
    stream.write(f'{{"assessment-results":{opened(document)},"results":[')
    results = _Results(run)
    between = "\n"
    for one in results.each():
        stream.write(between + one)
        between = ",\n"
    end = {"resources": [_plan(run, plan)]}
    stream.write(f'\n],"back-matter":{json_text(end)}}}}}\n')


REPORT = Report("oscal", "oscal.json", write_oscal)


def _plan(run: Run, plan: str) -> dict[str, Any]:
    """A run has no assessment plan of its own: its summary says what was to be scanned, and by which profiles."""
    link: dict[str, Any] = {"href": "summary.json"}
    if run.sha256:
        link["hashes"] = [{"algorithm": "SHA-256", "value": run.sha256}]
    return {
        "uuid": plan,
        "title": "The run's summary",
        "description": "It says what was to be scanned and by which profiles. There is no assessment plan in OSCAL.",
        "rlinks": [link],
    }


class _Results:
    """The results, made one at a time; what is the same on every target is made once."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._default = moment_of(run.started) or NO_TIME
        self._controls = PerControl(_Control)
        self._reviewed: tuple[Sequence[ControlText], str] = ((), "")

    def each(self) -> Iterator[str]:
        is_empty = True
        for target in run_verdicts(self._run):
            is_empty = False
            yield self._of_target(target)
        for gap in self._run.gaps:
            is_empty = False
            facts = {"target_id": gap.target_id}
            yield self._not_seen(gap.target_id, facts, self._default, "no_target", gap.error.message)
        if is_empty:
            yield self._nothing()

    def _of_target(self, target: TargetVerdicts) -> str:
        record = target.record
        seen = moment_of(record.seen) or self._default
        if not target.controls:
            return self._not_seen(record.target_id, _facts(record), seen, *_why_not(target))
        made = _Ids(self._run.run_id, record.target_id)
        item = made_id("target", record.target_id)
        observed = f'"collected":"{seen}","subjects":[{{"subject-uuid":"{item}","type":"inventory-item"}}]'
        observations, findings = [], []
        for verdict in target.controls:
            control = self._controls.of(verdict.about)
            observation, finding = made.of(control.key)
            observations.append(_observation(control, verdict, observation, observed))
            state = _STATES.get(verdict.status)
            if state:
                findings.append(
                    f'{control.finding}{state}}},"uuid":"{finding}","related-observations":'
                    f'[{{"observation-uuid":"{observation}"}}]}}'
                )
        if record.skipped_profiles:
            observations.append(self._skipped(record, made, observed))
        found = f',"findings":[\n{_joined(findings)}]' if findings else ""
        head = self._head(record.target_id, "Controls on one container", _facts(record), seen, item)
        return (
            f'{head},{self._reviewed_of(target.controls)},"observations":[\n{_joined(observations)}]{found}}}'
        )

    def _head(self, target_id: str, description: str, facts: dict[str, str], seen: str, item: str) -> str:
        return opened(
            {
                "uuid": made_id("result", self._run.run_id, target_id),
                "title": markup(target_id),
                "description": description,
                "start": seen,
                "end": seen,
                "local-definitions": {
                    "inventory-items": [
                        {"uuid": item, "description": markup(target_id), "props": properties(facts)}
                    ]
                },
            }
        )

    def _not_seen(self, target_id: str, facts: dict[str, str], seen: str, status: str, why: str) -> str:
        """What was to be scanned and was not, or not judged: an objective that is not met."""
        item, title = made_id("target", target_id), _TITLES[status]
        observation, finding = _Ids(self._run.run_id, target_id).of(b"scanned")
        shown = {"title": title, "description": markup(why)}
        values = {
            "reviewed-controls": {"control-selections": [NOTHING_REVIEWED]},
            "observations": [
                {
                    **shown,
                    "uuid": observation,
                    "props": properties({"status": status}),
                    "methods": ["TEST"],
                    "collected": seen,
                    "subjects": [{"subject-uuid": item, "type": "inventory-item"}],
                }
            ],
            "findings": [
                {
                    **shown,
                    "uuid": finding,
                    "target": {
                        "type": "objective-id",
                        "target-id": "scanned-and-judged",
                        "status": {"state": "not-satisfied", "reason": "other"},
                    },
                    "related-observations": [{"observation-uuid": observation}],
                }
            ],
        }
        return f"{self._head(target_id, title, facts, seen, item)},{json_text(values)[1:]}"

    def _skipped(self, record: TargetRecord, made: _Ids, observed: str) -> str:
        why = "; ".join(f"{name}: {text}" for name, text in record.skipped_profiles.items())
        values = {
            "title": "Profiles that were skipped on the target",
            "description": markup(why),
            "props": properties({"status": "profile_skipped"}),
            "methods": ["TEST"],
            "uuid": made.of(b"skipped")[0],
        }
        return f"{opened(values)},{observed}}}"

    def _nothing(self) -> str:
        values = {
            "uuid": made_id("result", self._run.run_id),
            "title": "Nothing was scanned",
            "description": "The run has no target.",
            "start": self._default,
            "reviewed-controls": {"control-selections": [NOTHING_REVIEWED]},
        }
        return json_text(values)

    def _reviewed_of(self, controls: Sequence[Verdict]) -> str:
        """That of the last target is kept: most of them have the same controls."""
        about = [verdict.about for verdict in controls]
        before, text = self._reviewed
        if len(before) != len(about) or any(one is not another for one, another in zip(before, about)):
            text = f'"reviewed-controls":{json_text(reviewed_controls(about))}'
            self._reviewed = (about, text)
        return text


class _Control:
    """The half of an observation and of a finding that is the same on every target."""

    def __init__(self, about: ControlText) -> None:
        self.key = "\0".join((about.profile, about.id)).encode("utf-8", "backslashreplace")
        shown = {
            "title": markup(about.title or about.id),
            "description": markup(about.desc or about.title or about.id),
        }
        named = {"profile": about.profile, "control": about.id, "severity": about.severity}
        observation = {
            **shown,
            "methods": ["TEST"],
            "types": ["control-objective"],
            "props": properties(named),
        }
        # more properties, and then the rest, can follow
        self.observation = json_text(observation)[:-2]
        target = {"type": "objective-id", "target-id": token(about.id)}
        self.finding = f'{opened(shown)},"target":{opened(target)},"status":'


def _observation(control: _Control, verdict: Verdict, made: str, observed: str) -> str:
    props = f',{{"name":"status","ns":"{NAMESPACE}","value":"{verdict.status}"}}'
    if verdict.waived:
        props += f',{{"name":"waived","ns":"{NAMESPACE}","value":"true"}}'
    if verdict.attested:
        props += f',{{"name":"attested","ns":"{NAMESPACE}","value":"true"}}'
    for kind, text in exception_texts(verdict):
        value = _text(one_line(text, MOST_TEXT))
        props += f',{{"name":"{kind}","ns":"{NAMESPACE}","value":{value}}}'
    remarks = f',"remarks":{_text(markup(verdict.text))}' if verdict.text else ""
    return f'{control.observation}{props}],"uuid":"{made}",{observed}{remarks}}}'


class _Ids:
    """UUIDs of version 5 of an observation and its finding, by run, target and control."""

    def __init__(self, run_id: str, target_id: str) -> None:
        name = "\0".join((run_id, target_id)).encode("utf-8", "backslashreplace")
        self._base = hashlib.sha1(uuid.UUID(made_id("observation")).bytes + name, usedforsecurity=False)

    def of(self, key: bytes) -> tuple[str, str]:
        first = self._base.copy()
        first.update(b"\0" + key)
        second = first.copy()
        second.update(b"\0finding")
        return _uuid(first.hexdigest()), _uuid(second.hexdigest())


def _uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{'89ab'[int(digits[16], 16) & 3]}{digits[17:20]}-{digits[20:32]}"


def _why_not(target: TargetVerdicts) -> tuple[str, str]:
    """The status of a target without controls, and why."""
    record = target.record
    if record.error is not None:
        error = record.error
        return "not_scanned", f"{error.message} {error.cause} {error.advice} ({error.code})"
    if target.unread:
        return "unread", target.unread
    return "not_judged", "; ".join(f"{name}: {text}" for name, text in record.skipped_profiles.items())


def _facts(record: TargetRecord) -> dict[str, str]:
    return {
        "target_id": record.target_id,
        "place": record.place_id,
        "cluster": record.cluster,
        "namespace": record.namespace,
        "workload_kind": record.workload_kind,
        "workload": record.workload,
        "pod": record.pod,
        "pod_uid": record.pod_uid,
        "container": record.container,
        "container_id": record.container_id,
        "image": record.image,
        "image_digest": record.image_digest,
        "node": record.node,
        "approach": record.approach,
        "evidence": record.evidence.grade if record.evidence else "",
        "result": record.result,
        "replicas": str(record.replicas),
        "carried_from_run": record.carried.run_id if record.carried else "",
    }


def _joined(parts: Sequence[str]) -> str:
    return ",\n".join(parts)
