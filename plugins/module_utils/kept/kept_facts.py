# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts as plain JSON values: {"<key of the query>": {"status": "ok", "value": ..., "cause": ""}, ...}.

Bytes are {"base64": "..."}. A fact in which something looks like a secret is left out whole: if a part of it
were masked, a control could pass that has failed. Its family says in which part of it secrets are looked for
(`Family.secret`).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from ..collector.facts import OK, STATUSES, UNREACHED, Fact, Facts
from ..collector.families import KINDS
from .secret_texts import secret_in

_BASE64 = "base64"


class BadFactsError(ValueError):
    """What was kept does not have the form of facts; the message says where."""


def keep_facts(facts: Facts) -> dict[str, Any]:
    """The facts by their keys, as JSON values without secrets."""
    return {key: _kept(key, fact) for key, fact in facts.items()}


def restore_facts(kept: Any, collector: Mapping[str, Any]) -> Facts:
    """The facts that `keep_facts` gave.

    :param kept: what JSON made of a file's `facts`
    :param collector: what the collector said of itself
    :raises BadFactsError: where `kept` does not have the form of facts
    """
    if not isinstance(kept, dict):
        raise BadFactsError("facts must be an object")
    return Facts({key: _restored(key, entry) for key, entry in kept.items()}, dict(collector))


def _kept(key: str, fact: Fact) -> dict[str, Any]:
    secret = secret_in("\n".join((*_texts(_searched(key, fact.value)), fact.cause)))
    if secret:
        fact = Fact(UNREACHED, cause=f"it was not kept: it may hold a secret ({secret})")
    try:
        value = _encode(fact.value)
    except TypeError as defect:  # a kind of fact that this file does not know yet
        fact, value = Fact(UNREACHED, cause=f"it was not kept: {defect}"), None
    return {"status": fact.status, "value": value, "cause": fact.cause}


def _searched(key: str, value: Any) -> Any:
    """The part of a fact in which secrets are looked for, as its family has it."""
    kind, _colon, subject = key.partition(":")
    family = KINDS.get(kind)
    return family.secret(subject, value) if family is not None else value


def _texts(value: Any) -> Iterator[str]:
    """All texts in a value; the words of a command line are one."""
    if isinstance(value, bytes):
        yield value.decode("utf-8", "surrogateescape")
    elif isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        if value and all(isinstance(item, str) for item in value):
            yield " ".join(value)
        else:
            for item in value:
                yield from _texts(item)


def _encode(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, bytes):
        return {_BASE64: base64.b64encode(value).decode("ascii")}
    if isinstance(value, (list, tuple)):
        return [_encode(item) for item in value]
    if isinstance(value, dict) and all(isinstance(name, str) for name in value) and list(value) != [_BASE64]:
        return {name: _encode(item) for name, item in value.items()}
    raise TypeError(f"its value holds {type(value).__name__}")


def _restored(key: str, entry: Any) -> Fact:
    if (
        not isinstance(entry, dict)
        or set(entry) != {"status", "value", "cause"}
        or entry["status"] not in STATUSES
        or not isinstance(entry["cause"], str)
    ):
        raise BadFactsError(f"the fact {key} must have status, value and cause")
    if entry["status"] == OK and entry["value"] is None:
        raise BadFactsError(f"the fact {key} is ok, but has no value")
    try:
        return Fact(entry["status"], _decode(entry["value"]), entry["cause"])
    except (binascii.Error, ValueError):
        raise BadFactsError(f"the fact {key} holds bytes that are not base64") from None


def _decode(value: Any) -> Any:
    if isinstance(value, dict):
        if list(value) == [_BASE64]:
            if not isinstance(value[_BASE64], str):
                raise ValueError("not base64")
            return base64.b64decode(value[_BASE64], validate=True)
        return {name: _decode(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_decode(item) for item in value]
    return value
