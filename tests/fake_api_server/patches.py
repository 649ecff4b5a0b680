# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three kinds of patch, as the API server applies them (apiserver/pkg/endpoints/handlers/patch.go)."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Callable

Object = dict[str, Any]
# Lists that a strategic merge patch merges by a key, rather than replacing them (core/v1 types: patchMergeKey).
_MERGE_KEYS = {"ephemeralContainers": "name"}


class PatchError(Exception):
    """The API server refuses the patch with an HTTP status and a reason."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


def patched(old: Object, patch: Any, content_type: str) -> Object:
    """The object after a patch.

    :raises PatchError: 415 for an unknown kind of patch, 422 where it cannot be applied, 409 where it holds another version or
        uid than the object has
    """
    apply = _BY_TYPE.get(content_type.partition(";")[0])
    if apply is None:
        raise PatchError(
            415, "UnsupportedMediaType", f"the body of the request was in an unknown format - {content_type}"
        )
    new = apply(old, patch)
    _check_same(old["metadata"], new["metadata"])
    return new


def _check_same(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """A patch that says which version or object it is for is refused for another (registry/generic/registry/store.go)."""
    if new.get("uid") != old.get("uid"):
        raise PatchError(
            409,
            "Conflict",
            f"Precondition failed: UID in precondition: {new.get('uid')}, UID in object meta: {old.get('uid')}",
        )
    if new.get("resourceVersion") != old.get("resourceVersion"):
        raise PatchError(
            409,
            "Conflict",
            f'Operation cannot be fulfilled on "{old.get("name")}": the object has been modified; please apply your '
            "changes to the latest version and try again",
        )


def _json_patch(old: Object, operations: Sequence[Mapping[str, Any]]) -> Object:
    """RFC 6902, without move and copy."""
    result = copy.deepcopy(old)
    for operation in operations:
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        try:
            place = result
            for part in way:
                place = place[int(part)] if isinstance(place, list) else place[part]
            _operate(operation, place, last)
        except (KeyError, IndexError, ValueError) as error:
            raise PatchError(
                422,
                "Invalid",
                f"the server rejected our request due to an error in our request: {operation['op']} "
                f"{operation['path']}: {error}",
            ) from error
    return result


def _operate(operation: Mapping[str, Any], place: Any, last: str) -> None:
    kind, value = operation["op"], copy.deepcopy(operation.get("value"))
    if isinstance(place, list):
        index = len(place) if last == "-" else int(last)
        if kind == "add":
            place.insert(index, value)
            return
        key: Any = index
    else:
        key = last
    if kind == "test" and place[key] != value:
        raise ValueError("testing value failed")
    if kind == "remove":
        del place[key]
    elif kind == "replace":
        _was_there = place[key]  # what is not there cannot be replaced
        place[key] = value
    elif kind == "add":
        place[key] = value


def _merge_patch(old: Any, new: Any) -> Any:
    """RFC 7386."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return copy.deepcopy(new)
    result = copy.deepcopy(old)
    for key, value in new.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merge_patch(result.get(key), value)
    return result


def _strategic_patch(old: Any, new: Any, field: str = "") -> Any:
    if isinstance(old, list) and isinstance(new, list) and field in _MERGE_KEYS:
        by_name = {item[_MERGE_KEYS[field]]: item for item in old}
        for item in new:
            name = item[_MERGE_KEYS[field]]
            by_name[name] = _strategic_patch(by_name.get(name), item)
        return list(by_name.values())
    if not isinstance(old, dict) or not isinstance(new, dict):
        return copy.deepcopy(new)
    result = copy.deepcopy(old)
    for key, value in new.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _strategic_patch(result.get(key), value, key)
    return result


_BY_TYPE: Mapping[str, Callable[[Object, Any], Object]] = {
    "application/json-patch+json": _json_patch,
    "application/merge-patch+json": _merge_patch,
    "application/strategic-merge-patch+json": _strategic_patch,
}
