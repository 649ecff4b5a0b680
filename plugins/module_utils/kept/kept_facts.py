# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts as plain JSON values, to be kept and judged again later. Nothing secret is kept.

A fact in which something looks like a secret is not kept at all: with a part of it masked, a control could pass that has
failed. What was not kept is not known, so a control that needs it is Not Reviewed, with that cause.

    {"<key of the query>": {"status": "ok", "value": ..., "cause": ""}, ...}     bytes are {"base64": "..."}
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..collector.facts import OK, STATUSES, UNREACHED, Fact, Facts
from ..collector.families import KINDS

_BASE64 = "base64"
_WORDS = r"passphrase|password|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential"
# What it is -> how it looks. The aim is to miss nothing usual; a harmless text that is taken for a secret costs a fact.
# The text comes from a container: no pattern may take more than linear time, so what repeats is bounded or begins nowhere
# within itself.
_SECRETS: tuple[tuple[str, str], ...] = (
    ("a private key", r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY"),
    ("a token", r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10}"),
    (
        "a token",
        r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}"
        r"|\bxox[abprs]-[\w-]{10,}",
    ),
    (
        "a password hash",
        r"\$(?:1|2[abxy]?|5|6|7|y|gy|apr1|argon2[a-z]{0,2}|scrypt|pbkdf2[a-z0-9-]{0,8})"
        r"\$[^\s:$]+\$?[^\s:]*",
    ),
    ("a password in an address", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]*:[^\s/@]+@"),
    ("an authorization header", r"(?i)\b(?:bearer|basic) [A-Za-z0-9+/._~-]{12,}=*"),
    # not where the value is empty, a switch, a number or a variable
    (
        "a password or token",
        rf"(?i)(?:{_WORDS}|(?<=[^\n])passwd|^passwd(?=[ \t]*=))[\w.-]{{0,40}}[\"']?[ \t]{{0,40}}(?::=|=>|[:=])"
        r"[ \t]{0,40}(?![\"']?(?:(?:yes|no|on|off|true|false|none|null|[0-9]+|\$\{?\w+\}?|\{\{.*\}\})?"
        r"[\"']?[ \t\r]{0,40}(?:[,;#}\]]|$)))[^\s]",
    ),
    (
        "a password on a command line",
        rf"(?i)(?:^|\s)--?[\w-]{{0,40}}(?:{_WORDS}|passwd)[\w-]{{0,40}}[ =](?!-)\S",
    ),
)
_PATTERNS = tuple((what, re.compile(pattern, re.MULTILINE)) for what, pattern in _SECRETS)


class BadFactsError(ValueError):
    """What was kept does not have the form of facts; the message says where."""


def secret_in(text: str) -> str:
    """What in a text looks like a secret ("a private key"), or an empty string."""
    return next((what for what, pattern in _PATTERNS if pattern.search(text)), "")


def keep_facts(facts: Facts) -> dict[str, Any]:
    """The facts by their keys, as JSON values without secrets."""
    return {key: _kept(key, fact) for key, fact in facts.items()}


def restore_facts(kept: Any, collector: Mapping[str, Any]) -> Facts:
    """The facts that `keep_facts` gave. Raises BadFactsError."""
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
