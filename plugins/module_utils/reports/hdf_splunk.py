# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The events that MITRE's hdf2splunk writes (hdf_splunk_schema 1.1), so that Heimdall can load results back from Splunk.

What belongs together has one `meta.guid`: a header, the profiles and the controls of one target in one run. `encode` makes the
event of a control; `target_events` makes the others, which are sent before the first control of a target.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..results.status import STATUS_WORDS
from ..results.verdicts import ControlText, TargetVerdicts, Verdict
from ..safe_text import kept_values
from .event import ControlStatus, EventFormat, EventParts, EventSource
from .event_text import line_text, long_text, name_text

SOURCE_TYPE = "HDF2Splunk"
SCHEMA_VERSION = "1.1"
_GUID_CHARACTERS = 30


def target_events(source: EventSource, target: TargetVerdicts) -> Iterator[dict[str, Any]]:
    """The header of a target and its profiles, those that have a control first."""
    record = target.record
    yield {
        "meta": {**_meta(source, target), "subtype": "header"},
        "platform": {
            "name": "kubernetes-container",
            "release": name_text(record.image),
            "target_id": line_text(record.target_id),
        },
        "profiles": [],
        "statistics": {"duration": record.duration},
        "version": name_text(source.version),
    }
    names = dict.fromkeys([*(one.about.profile for one in target.controls), *source.profiles])
    for name in names:
        sha256 = source.profiles.get(name, "")
        yield {
            "meta": {
                **_meta(source, target),
                "subtype": "profile",
                "profile_sha256": _profile_sha256(source, name),
                "is_baseline": True,
            },
            "name": name_text(name),
            "title": name_text(name),
            "sha256": sha256 or _profile_sha256(source, name),
            "status": "loaded",
            "supports": [],
            "controls": [],
            "attributes": [],
            "groups": [],
            "depends": [],
        }


def _of_target(_source: EventSource, _target: TargetVerdicts) -> Mapping[str, Any]:
    return {}


def _of_control(about: ControlText, _status: ControlStatus) -> Mapping[str, Any]:
    texts = {"default": about.desc, "rationale": about.why, "check": about.check, "fix": about.fix}
    return {
        "id": name_text(about.id),
        "title": line_text(about.title),
        "desc": long_text(about.desc),
        "descriptions": {label: long_text(text) for label, text in texts.items() if text.strip()},
        "impact": about.impact,
        "code": "",
        "refs": [],
        "source_location": {},
        "tags": kept_values({**about.tags, "severity": about.severity}),
    }


def _of_verdict(
    source: EventSource, target: TargetVerdicts, verdict: Verdict, status: ControlStatus
) -> Mapping[str, Any]:
    meta = {
        **_meta(source, target),
        "subtype": "control",
        "profile_sha256": _profile_sha256(source, verdict.about.profile),
        "status": STATUS_WORDS[status.status],
        "is_waived": status.waived,
        "is_baseline": True,
        "overlay_depth": 1,
    }
    event = {"meta": meta, "results": kept_values(list(verdict.tests)) or _only_result(verdict)}
    if verdict.waiver:
        event["waiver_data"] = kept_values(verdict.waiver)
    if verdict.attestation:
        event["attestation_data"] = kept_values(verdict.attestation)
    return event


def _only_result(verdict: Verdict) -> list[dict[str, Any]]:
    """A control without tests is a Profile Error in HDF; here it says why."""
    said = long_text(verdict.text)
    return [{"status": "error", "code_desc": said, "message": said, "start_time": "", "backtrace": [said]}]


def _meta(source: EventSource, target: TargetVerdicts) -> dict[str, str]:
    record = target.record
    text = json.dumps([source.run_id, record.target_id])
    return {
        "guid": hashlib.sha256(text.encode("ascii")).hexdigest()[:_GUID_CHARACTERS],
        "filename": line_text(f"{record.target_id}.json"),
        "filetype": "evaluation",
        "hdf_splunk_schema": SCHEMA_VERSION,
    }


def _profile_sha256(source: EventSource, name: str) -> str:
    """A profile that the run does not name has a value of its own: by it controls are found."""
    return source.profiles.get(name) or hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


_PARTS = EventParts(_of_target, _of_control, _of_verdict)
HDF_SPLUNK = EventFormat("hdf_splunk", "application/json", _PARTS.encode, _PARTS)
