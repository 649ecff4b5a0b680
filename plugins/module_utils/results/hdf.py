# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HDF document (InSpec exec-json) of one target: made from a judgement, and read back strictly.

What InSpec has no field for stands under `passthrough.securescan_kubernetes`:

    schema_version    number; 1
    collection        {name, version} of what wrote the document
    target            identity of the target: all fields of `Target.identity()`, `target_id` among them
    platform          {name, family, release, arch} as seen inside the target; empty where it could not be seen
    scan              how it was seen: started (RFC 3339), duration (seconds), run_id, approach, collector_version and
                      whatever else the judgement's method holds, its evidence {grade, reasons} among it
    unread_facts      list of {fact, status, cause}: what could not be had
    manual_controls   {profile: [control id]}: those that only a person can check, as their profile says
    pod_profiles      [profile]: those that ask only for the settings of the pod, and nothing of the container's content
    error             null; a document in which it is an error record is not accepted back
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..safe_text import kept_values, one_line
from ..strict_json import load_json
from .checked_json import JsonObject, bad_results
from .evidence import document_evidence
from .hdf_check import SKIPPED, check_hdf
from .model import SEGMENT_ERROR, ControlResult, Judgement, ProfileResult, Segment
from .producer import COLLECTION, PASSTHROUGH, VERSION
from .status import FAILED, NOT_APPLICABLE, NOT_REVIEWED, PASSED, PROFILE_ERROR, control_status
from .whole_file import read_own_file

SCHEMA_VERSION = 1
# Heimdall shows the tags of a control, and neither a profile's summary nor what stands under passthrough.
EVIDENCE_TAG = "evidence_grade"
MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
_HIDDEN_INPUT = "(sensitive: not shown)"
_NO_WORD_OR_DIGIT = re.compile(r"[^a-z0-9]+")
# As programs write that they have none, and hashes of what an image holds in place of a machine id.
_IDS_OF_NOTHING = frozenset(
    {
        *("none", "null", "nil", "undefined", "unknown", "na", "notavailable", "uninitialized", "localhost"),
        "da39a3ee5e6b5b0db255bfef95601890",  # InSpec's of an empty machine id
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",  # SHA-1 of nothing
        "d41d8cd98f00b204e9800998ecf8427e",  # MD5 of nothing
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",  # SHA-256 of nothing
        # InSpec's of a machine id that is an empty line, the word uninitialized without and with a line feed, or zeros
        "adc83b19e793591b9c6ea0fd8b46cd9f",
        "b7ade003b9a9582a823d9e021ce846bd",
        "9675faf65c175fd7b66766f3855f094f",
        "91d3d1f86024549f8e35314258b357a8",
    }
)


def hdf_document(judgement: Judgement) -> dict[str, Any]:
    """The document of `judgement`, with every field that InSpec's own schema asks for."""
    evidence: Mapping[str, Any] = judgement.method.get("evidence") or {}
    tags = {EVIDENCE_TAG: kept_values(evidence["grade"])} if evidence else {}
    profiles = [_profile(profile, tags) for profile in judgement.profiles]
    platform = judgement.platform
    method = dict(judgement.method)
    unread = method.pop("unread", [])
    return {
        "platform": {
            "name": kept_values(platform.name),
            "release": kept_values(platform.release),
            "target_id": kept_values(judgement.identity["target_id"]),
        },
        "profiles": profiles,
        "statistics": {"duration": judgement.duration, "controls": _control_statistics(profiles)},
        "version": VERSION,
        "passthrough": {
            PASSTHROUGH: {
                "schema_version": SCHEMA_VERSION,
                "collection": {"name": COLLECTION, "version": VERSION},
                "target": kept_values(judgement.identity),
                "platform": kept_values(asdict(platform)),
                "scan": dict(kept_values(method), started=judgement.started, duration=judgement.duration),
                "unread_facts": kept_values(unread),
                "manual_controls": _manual_controls(judgement.profiles),
                "pod_profiles": [profile.name for profile in judgement.profiles if profile.of_pod],
                "error": None,
            }
        },
    }


def read_hdf(data: bytes, source: str) -> dict[str, Any]:
    """The document in `data`; `source` names it in errors.

    :raises ScanError: `bad_results` for anything but a whole HDF document with profiles that were skipped or hold controls,
        and for a document of ours whose scan ended with an error
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise bad_results(source, f"has more than {MAX_DOCUMENT_BYTES} bytes")
    if not data.strip():
        raise bad_results(source, "is empty")
    try:
        document = load_json(data)
    except (ValueError, RecursionError) as reason:
        raise bad_results(source, f"is not JSON, or is cut off: {one_line(str(reason), 200)}") from None
    return check_document(document, source)


def read_hdf_file(path: str, sha256: str = "") -> dict[str, Any]:
    """`read_hdf` of a file, of which no more than the limit is read. :raises ScanError: as `read_document` and `read_hdf`"""
    return read_hdf(read_document(path, sha256), path)


def read_document(path: str, sha256: str = "") -> bytes:
    """The content of a document's file; of one that is too long, so much that `read_hdf` refuses it.

    :param sha256: what the file must hash to; empty where that is not known
    :raises ScanError: `bad_results`, for a file that is missing, cannot be read, is a link, or is another one
    """
    try:
        data = read_own_file(Path(path), MAX_DOCUMENT_BYTES)
    except OSError as reason:
        raise bad_results(path, f"cannot be read: {reason.strerror or reason}") from None
    if sha256 and hashlib.sha256(data).hexdigest() != sha256:
        raise bad_results(path, "is not the document that the run wrote (its SHA-256 differs)")
    return data


def check_document(document: Any, source: str) -> dict[str, Any]:
    """`check_hdf`, and the rules for what stands in a document of ours.

    :raises ScanError: `bad_results`
    """
    checked = check_hdf(document, source)
    own = _own_part(checked)
    if own is None:
        return checked
    if not isinstance(own, dict) or own.get("schema_version") != SCHEMA_VERSION:
        raise bad_results(source, f"passthrough.{PASSTHROUGH} is not of schema version {SCHEMA_VERSION}")
    target = own.get("target")
    target_id = target.get("target_id") if isinstance(target, dict) else None
    if not isinstance(target_id, str) or not target_id:
        raise bad_results(source, f"passthrough.{PASSTHROUGH}.target.target_id is missing")
    if own.get("error") is not None:
        raise bad_results(
            source,
            "the scan of {} ended with an error: {}".format(
                one_line(target_id, 300), one_line(json.dumps(own["error"]), 300)
            ),
        )
    document_evidence(checked, source)
    manual_controls(checked, source)
    pod_profiles(checked, source)
    return checked


def document_target(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The identity of the target that a checked document of ours is about; empty for a document of others."""
    own = _own_part(document)
    target: Mapping[str, Any] = own["target"] if own is not None else {}
    return target


def document_scan(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """How the target of a checked document of ours was scanned, as its part `scan` says; empty for a document of others."""
    own = _own_part(document)
    scan = own.get("scan") if own is not None else None
    return scan if isinstance(scan, dict) else {}


def document_target_id(document: Mapping[str, Any], source: str) -> str:
    """The target that a checked document is about; `source` for a document of others whose id identifies nothing."""
    target = document_target(document)
    if target:
        return str(target["target_id"])
    given = str(document["platform"].get("target_id") or "")
    return source if _identifies_nothing(given) else given


def _identifies_nothing(target_id: str) -> bool:
    """Whether many targets have this id: InSpec makes ids of machine ids, which containers do not have."""
    text = _NO_WORD_OR_DIGIT.sub("", target_id.lower())
    return not text.strip("0") or not text.strip("f") or text in _IDS_OF_NOTHING


def manual_controls(document: Mapping[str, Any], source: str) -> dict[str, tuple[str, ...]]:
    """{profile: ids of its controls that only a person can check}; empty for a document of others, or an older one.

    :raises ScanError: `bad_results`, when what stands there is something else; `check_document` has asked that before
    """
    own = _own_part(document)
    place = f"passthrough.{PASSTHROUGH}"
    given = JsonObject(own, source, place).object_or_none("manual_controls") if own is not None else None
    return {name: given.texts(name) for name in given.values} if given else {}


def pod_profiles(document: Mapping[str, Any], source: str) -> tuple[str, ...]:
    """The profiles that ask nothing of the container's content; empty for a document of others, or an older one.

    :raises ScanError: `bad_results`, when what stands there is something else; `check_document` has asked that before
    """
    own = _own_part(document)
    if own is None or own.get("pod_profiles") is None:
        return ()
    return JsonObject(own, source, f"passthrough.{PASSTHROUGH}").texts("pod_profiles")


def skipped_profiles(document: Mapping[str, Any]) -> dict[str, str]:
    """{profile: why} of the profiles of a checked document that were skipped."""
    return {
        profile["name"]: profile.get("status_message") or profile.get("skip_message") or "no reason is given"
        for profile in document["profiles"]
        if profile.get("status") == SKIPPED
    }


def _own_part(document: Mapping[str, Any]) -> Any:
    """What stands under `passthrough` in a document of ours; None in one of others, who may keep anything there."""
    passthrough = document.get("passthrough")
    return passthrough.get(PASSTHROUGH) if isinstance(passthrough, dict) else None


def _profile(profile: ProfileResult, tags: Mapping[str, str]) -> dict[str, Any]:
    """:param tags: what each control is tagged with besides; a profile has no say in these"""
    return {
        "name": profile.name,
        "version": profile.version,
        "sha256": profile.sha256,
        "title": profile.title,
        "maintainer": profile.maintainer,
        "summary": profile.summary,
        "license": profile.license,
        "copyright": profile.copyright,
        "copyright_email": "",
        "supports": profile.supports,
        "attributes": [_attribute(attribute) for attribute in profile.attributes],
        "groups": _groups(profile),
        "controls": [_tagged(hdf_control(control), tags) for control in profile.controls],
        "status": profile.status,
        "status_message": kept_values(profile.status_message),
    }


def _manual_controls(profiles: Sequence[ProfileResult]) -> dict[str, list[str]]:
    ids = {
        profile.name: [control.id for control in profile.controls if control.manual] for profile in profiles
    }
    return {name: manual for name, manual in ids.items() if manual}


def _tagged(control: dict[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    return dict(control, tags=dict(control["tags"], **tags))


def _attribute(attribute: Mapping[str, Any]) -> dict[str, Any]:
    """An input of the profile. InSpec itself writes the values of sensitive inputs too."""
    options = attribute.get("options")
    if isinstance(options, dict) and options.get("sensitive") and "value" in options:
        return dict(attribute, options=dict(options, value=_HIDDEN_INPUT))
    return dict(attribute)


def _groups(profile: ProfileResult) -> list[dict[str, Any]]:
    """One group per source file, as InSpec has it."""
    files: dict[str, list[str]] = {}
    for control in profile.controls:
        files.setdefault(control.source_file, []).append(control.id)
    return [{"id": name, "title": profile.title, "controls": ids} for name, ids in files.items()]


def hdf_control(control: ControlResult) -> dict[str, Any]:
    """One control as it stands in a document."""
    descriptions = [{"label": "default", "data": control.desc}]
    descriptions += [{"label": label, "data": text} for label, text in control.descriptions.items()]
    attested = {"attestation_data": kept_values(control.attestation_data)} if control.attestation_data else {}
    return {
        "id": control.id,
        "title": control.title,
        "desc": control.desc,
        "descriptions": descriptions,
        "impact": control.impact,
        "refs": control.refs,
        "tags": control.tags,
        "code": control.code,
        "source_location": {"ref": control.source_file, "line": control.source_line},
        "waiver_data": control.waiver_data,
        **attested,
        "results": [_result(segment, control) for segment in control.results],
    }


def _result(segment: Segment, control: ControlResult) -> dict[str, Any]:
    result: dict[str, Any] = {
        "status": segment.status,
        "code_desc": kept_values(segment.code_desc),
        "run_time": segment.run_time,
        "start_time": segment.start_time,
    }
    for name, text in (
        ("message", segment.message),
        ("skip_message", segment.skip_message),
        ("resource_class", segment.resource_class),
        ("resource_id", segment.resource_id),
    ):
        if text:
            result[name] = kept_values(text)
    if segment.status == SEGMENT_ERROR:
        # InSpec has no status "error": it writes failed with exception and backtrace, which readers take as an error.
        result.update(
            status="failed",
            exception="EvaluationError",
            backtrace=[f"{control.source_file or control.id}:{control.source_line}"],
        )
    return result


def _control_statistics(profiles: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """InSpec's three blocks; what was waived or does not apply counts as skipped, an error as failed."""
    blocks = {
        "passed": (PASSED,),
        "skipped": (NOT_REVIEWED, NOT_APPLICABLE),
        "failed": (FAILED, PROFILE_ERROR),
    }
    statuses = [control_status(control) for profile in profiles for control in profile["controls"]]
    return {
        block: {"total": sum(status in members for status in statuses)} for block, members in blocks.items()
    }
