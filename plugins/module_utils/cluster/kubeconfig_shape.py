# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of a kubeconfig's fields (v1 Config). As kubectl does, we refuse a file in which one has another type,
also where nobody needs the field: who reads on guesses what was meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

from ..errors import ScanError

_API_VERSION, _KIND = "v1", "Config"


@dataclass(frozen=True)
class _ListOf:
    item: Any


@dataclass(frozen=True)
class _MapOf:
    """A mapping whose keys anybody chooses."""

    value: Any


_Shape = Union[str, _ListOf, _MapOf, Mapping[str, Any]]
_TEXT, _FLAG, _ANY = "text", "true or false", "anything"
_TEXTS = _ListOf(_TEXT)
_EXTENSIONS = _ListOf({"name": _TEXT, "extension": _ANY})

_CLUSTER = {
    "server": _TEXT,
    "tls-server-name": _TEXT,
    "insecure-skip-tls-verify": _FLAG,
    "certificate-authority": _TEXT,
    "certificate-authority-data": _TEXT,
    "proxy-url": _TEXT,
    "disable-compression": _FLAG,
    "extensions": _EXTENSIONS,
}
_EXEC = {
    "command": _TEXT,
    "args": _TEXTS,
    "env": _ListOf({"name": _TEXT, "value": _TEXT}),
    "apiVersion": _TEXT,
    "installHint": _TEXT,
    "provideClusterInfo": _FLAG,
    "interactiveMode": _TEXT,
}
_USER = {
    "client-certificate": _TEXT,
    "client-certificate-data": _TEXT,
    "client-key": _TEXT,
    "client-key-data": _TEXT,
    "token": _TEXT,
    "tokenFile": _TEXT,
    "as": _TEXT,
    "as-uid": _TEXT,
    "as-groups": _TEXTS,
    "as-user-extra": _MapOf(_TEXTS),
    "username": _TEXT,
    "password": _TEXT,
    "auth-provider": {"name": _TEXT, "config": _MapOf(_TEXT)},
    "exec": _EXEC,
    "extensions": _EXTENSIONS,
}
_CONTEXT = {"cluster": _TEXT, "user": _TEXT, "namespace": _TEXT, "extensions": _EXTENSIONS}
_CONFIG = {
    "kind": _TEXT,
    "apiVersion": _TEXT,
    "preferences": {"colors": _FLAG, "extensions": _EXTENSIONS},
    "clusters": _ListOf({"name": _TEXT, "cluster": _CLUSTER}),
    "users": _ListOf({"name": _TEXT, "user": _USER}),
    "contexts": _ListOf({"name": _TEXT, "context": _CONTEXT}),
    "current-context": _TEXT,
    "extensions": _EXTENSIONS,
}


def check_kubeconfig(document: Mapping[str, Any], name: str) -> None:
    """Check the types of all fields that Kubernetes knows. A null is a field that is not there; a field that it does
    not know can hold anything.

    :param name: of the file, for the message, which quotes no value
    :raises ScanError: bad_file
    """
    problem = _problem(document, _CONFIG, "")
    if problem:
        raise ScanError("bad_file", f"{name}: {problem}")
    for key, wanted in (("apiVersion", _API_VERSION), ("kind", _KIND)):
        if document.get(key) not in (None, "", wanted):
            raise ScanError("bad_file", f"{name} is not a kubeconfig: its {key} is not {wanted}")


def _problem(value: Any, shape: _Shape, path: str) -> str:
    """What is wrong about a value; "" for nothing."""
    if value is None or shape == _ANY:
        return ""
    if isinstance(shape, _ListOf):
        if not _is_list(value):
            return _wrong(path, "a list", value)
        found = (_problem(item, shape.item, f"{path}[{number}]") for number, item in enumerate(value))
    elif isinstance(shape, str):
        is_right = isinstance(value, bool if shape == _FLAG else str)
        return "" if is_right else _wrong(path, shape, value)
    elif not isinstance(value, Mapping):
        return _wrong(path, "a mapping", value)
    elif isinstance(shape, _MapOf):
        found = (_problem(part, shape.value, f"a value of {path}") for part in value.values())
    else:
        found = (
            _problem(value[key], part, f"{path}.{key}" if path else key)
            for key, part in shape.items()
            if key in value
        )
    return next(filter(None, found), "")


def _wrong(path: str, wanted: str, value: Any) -> str:
    kind = _kind(value)
    hint = " Put it in quotes." if wanted == _TEXT and kind in _QUOTABLE else ""
    return f"{path or 'the file'} must be {wanted}, but is {kind}.{hint}"


_QUOTABLE = ("a number", "true or false", "a date")


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, Mapping):
        return "a mapping"
    if _is_list(value):
        return "a list"
    return "a date" if hasattr(value, "isoformat") else "something else"


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))
