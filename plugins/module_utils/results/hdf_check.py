# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check that a mapping is an InSpec exec-json document (HDF): a field that is missing or of another type is named.

The rules are those of InSpec's readers (what one of them refuses is refused here), and a few that they lack because
a gate would pass without them: a profile that failed to load, a loaded profile without controls, a control id twice in one
profile, an impact outside 0 to 1. A profile that was skipped, for instance because it does not support the platform, is a
result like any other, and need not hold controls. Written by hand because a schema validator is too slow for every result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ScanError
from ..safe_text import one_line

_TEXT = (str,)
_NUMBER = (int, float)
_TRUTH = (bool,)
_OBJECT = (dict,)
_LIST = (list,)
_TYPE_WORDS: dict[tuple[type, ...], str] = {
    _TEXT: "text",
    _NUMBER: "a number",
    _TRUTH: "true or false",
    _OBJECT: "an object",
    _LIST: "a list",
    (str, list): "text or a list",
    (bool, str): "true, false or text",
}

# name -> types. Required fields are never null; optional ones can be, but for those in _NEVER_NULL.
_Fields = Mapping[str, tuple[type, ...]]
_TOP: _Fields = {"platform": _OBJECT, "profiles": _LIST, "statistics": _OBJECT, "version": _TEXT}
_PLATFORM: _Fields = {"name": _TEXT, "release": _TEXT}
_PROFILE: _Fields = {
    "name": _TEXT,
    "sha256": _TEXT,
    "supports": _LIST,
    "attributes": _LIST,
    "groups": _LIST,
    "controls": _LIST,
}
_PROFILE_OPTIONAL: _Fields = dict(
    dict.fromkeys(
        (
            "copyright",
            "copyright_email",
            "description",
            "inspec_version",
            "license",
            "maintainer",
            "parent_profile",
            "skip_message",
            "status",
            "status_message",
            "summary",
            "title",
            "version",
        ),
        _TEXT,
    ),
    depends=_LIST,
)
_CONTROL: _Fields = {
    "id": _TEXT,
    "impact": _NUMBER,
    "refs": _LIST,
    "tags": _OBJECT,
    "source_location": _OBJECT,
    "results": _LIST,
}
_CONTROL_OPTIONAL: _Fields = {
    "attestation_data": _OBJECT,
    "code": _TEXT,
    "desc": _TEXT,
    "descriptions": _LIST,
    "title": _TEXT,
    "waiver_data": _OBJECT,
}
_RESULT: _Fields = {"code_desc": _TEXT, "start_time": _TEXT}
_RESULT_OPTIONAL: _Fields = {
    "status": _TEXT,
    "backtrace": _LIST,
    "exception": _TEXT,
    "message": _TEXT,
    "resource": _TEXT,
    "resource_id": _TEXT,
    "run_time": _NUMBER,
    "skip_message": _TEXT,
}
_WAIVER_OPTIONAL: _Fields = {
    "expiration_date": _TEXT,
    "justification": _TEXT,
    "message": _TEXT,
    "run": _TRUTH,
    "skipped_due_to_waiver": (bool, str),
}
_ATTESTATION: _Fields = dict.fromkeys(
    ("control_id", "explanation", "frequency", "status", "updated", "updated_by"), _TEXT
)
_REFERENCE_OPTIONAL: _Fields = {"ref": (str, list), "url": _TEXT, "uri": _TEXT}
_DEPENDENCY_OPTIONAL: _Fields = dict.fromkeys(
    ("branch", "compliance", "git", "name", "path", "status", "status_message", "supermarket", "url"), _TEXT
)
_SUPPORT_OPTIONAL: _Fields = dict.fromkeys(
    ("os-family", "os-name", "platform", "platform-family", "platform-name", "release"), _TEXT
)
_NEVER_NULL = frozenset(_REFERENCE_OPTIONAL)
# The statuses of a profile that results can be read of.
LOADED = "loaded"
SKIPPED = "skipped"
_RESULT_STATUSES = ("passed", "failed", "skipped", "error")
_NOTHING: _Fields = {}


def check_hdf(document: Any, source: str) -> dict[str, Any]:
    """`document` itself when it is HDF of which every profile was skipped, or was loaded and holds controls.

    :raises ScanError: `bad_results`, naming `source`, the field and what was expected
    """
    try:
        _check_document(document)
    except _NotHdfError as reason:
        raise ScanError(
            "bad_results", f"{source}: {one_line(str(reason), 500)}", tried="read results"
        ) from None
    checked: dict[str, Any] = document
    return checked


class _NotHdfError(Exception):
    """The document is not HDF; the text says where and why."""


def _check_document(document: Any) -> None:
    _check_fields(document, "the document", _TOP, _NOTHING)
    _check_fields(document["platform"], "platform", _PLATFORM, {"target_id": _TEXT})
    _check_statistics(document["statistics"])
    if not document["profiles"]:
        raise _NotHdfError("profiles is empty: nothing was judged")
    for index, profile in enumerate(document["profiles"]):
        _check_profile(profile, f"profiles[{index}]")


def _check_statistics(statistics: Mapping[str, Any]) -> None:
    _check_fields(statistics, "statistics", _NOTHING, {"controls": _OBJECT, "duration": _NUMBER})
    blocks = statistics.get("controls") or {}
    _check_fields(
        blocks, "statistics.controls", _NOTHING, {"failed": _OBJECT, "passed": _OBJECT, "skipped": _OBJECT}
    )
    for name in ("failed", "passed", "skipped"):
        if blocks.get(name) is not None:
            _check_fields(blocks[name], f"statistics.controls.{name}", {"total": _NUMBER}, _NOTHING)


def _check_profile(profile: Any, where: str) -> None:
    _check_fields(profile, where, _PROFILE, _PROFILE_OPTIONAL)
    status = profile.get("status") or LOADED
    if status not in (LOADED, SKIPPED):
        why = profile.get("status_message") or profile.get("skip_message") or "no reason given"
        raise _NotHdfError("{} ({}) was not loaded but {}: {}".format(where, profile["name"], status, why))
    for name, optional in (
        ("attributes", _NOTHING),
        ("supports", _SUPPORT_OPTIONAL),
        ("depends", _DEPENDENCY_OPTIONAL),
    ):
        _check_objects(profile.get(name), f"{where}.{name}", _NOTHING, optional)
    _check_objects(profile["groups"], where + ".groups", {"id": _TEXT, "controls": _LIST}, {"title": _TEXT})
    for index, group in enumerate(profile["groups"]):
        _check_texts(group["controls"], f"{where}.groups[{index}].controls")
    if not profile["controls"] and status != SKIPPED:
        raise _NotHdfError("{} ({}) has no controls: nothing was judged".format(where, profile["name"]))
    seen = set()
    for index, control in enumerate(profile["controls"]):
        place = f"{where}.controls[{index}]"
        _check_control(control, place)
        if control["id"] in seen:
            raise _NotHdfError(
                "{}: the id {} stands twice in profile {}, so one result would hide the other".format(
                    place, control["id"], profile["name"]
                )
            )
        seen.add(control["id"])


def _check_control(control: Any, where: str) -> None:
    _check_fields(control, where, _CONTROL, _CONTROL_OPTIONAL)
    where = "{} ({})".format(where, control["id"])
    if not 0 <= control["impact"] <= 1:
        raise _NotHdfError("{}.impact must be from 0 to 1, found {}".format(where, control["impact"]))
    _check_objects(control["refs"], where + ".refs", _NOTHING, _REFERENCE_OPTIONAL)
    for ref in control["refs"]:
        if isinstance(ref.get("ref"), list):
            _check_objects(ref["ref"], where + ".refs[].ref", _NOTHING, _NOTHING)
    _check_objects(
        control.get("descriptions"), where + ".descriptions", {"label": _TEXT, "data": _TEXT}, _NOTHING
    )
    _check_fields(
        control["source_location"], where + ".source_location", _NOTHING, {"ref": _TEXT, "line": _NUMBER}
    )
    _check_tags(control["tags"], where + ".tags")
    if control.get("waiver_data") is not None:
        _check_fields(control["waiver_data"], where + ".waiver_data", _NOTHING, _WAIVER_OPTIONAL)
    if control.get("attestation_data") is not None:
        _check_fields(control["attestation_data"], where + ".attestation_data", _ATTESTATION, _NOTHING)
        if control["attestation_data"]["status"] not in ("passed", "failed"):
            raise _NotHdfError(f"{where}.attestation_data.status must be passed or failed")
    for index, result in enumerate(control["results"]):
        place = f"{where}.results[{index}]"
        _check_fields(result, place, _RESULT, _RESULT_OPTIONAL)
        if result.get("status") is not None and result["status"] not in _RESULT_STATUSES:
            raise _NotHdfError(
                "{}.status must be one of {}, found {}".format(
                    place, ", ".join(_RESULT_STATUSES), result["status"]
                )
            )
        if result.get("backtrace") is not None:
            _check_texts(result["backtrace"], place + ".backtrace")


def _check_tags(tags: Mapping[str, Any], where: str) -> None:
    """Tags are free, but InSpec's readers break on a severity that is not text and on nist that is not a list of it."""
    _check_fields(tags, where, _NOTHING, {"severity": _TEXT, "severityoverride": _TEXT})
    if isinstance(tags.get("nist"), list):
        _check_texts(tags["nist"], where + ".nist")
    else:
        _check_fields(tags, where, _NOTHING, {"nist": (str, list)})


def _check_fields(value: Any, where: str, required: _Fields, optional: _Fields) -> None:
    if not isinstance(value, dict):
        raise _NotHdfError(f"{where} must be an object, found {_describe(value)}")
    for name, types in required.items():
        if name not in value:
            raise _NotHdfError(f"{where} lacks {name}")
        if not _is_of(value[name], types):
            raise _NotHdfError(f"{where}.{name} must be {_TYPE_WORDS[types]}, found {_describe(value[name])}")
    for name, types in optional.items():
        if (
            name in value
            and not _is_of(value[name], types)
            and (value[name] is not None or name in _NEVER_NULL)
        ):
            raise _NotHdfError(f"{where}.{name} must be {_TYPE_WORDS[types]}, found {_describe(value[name])}")


def _check_objects(values: Any, where: str, required: _Fields, optional: _Fields) -> None:
    for index, value in enumerate(values or []):
        _check_fields(value, f"{where}[{index}]", required, optional)


def _check_texts(values: Sequence[Any], where: str) -> None:
    for index, value in enumerate(values):
        if not isinstance(value, str):
            raise _NotHdfError(f"{where}[{index}] must be text, found {_describe(value)}")


def _is_of(value: Any, types: tuple[type, ...]) -> bool:
    return isinstance(value, types) and (not isinstance(value, bool) or bool in types)


def _describe(value: Any) -> str:
    if value is None:
        return "nothing"
    for types, word in _TYPE_WORDS.items():
        if _is_of(value, types):
            return word
    return type(value).__name__
