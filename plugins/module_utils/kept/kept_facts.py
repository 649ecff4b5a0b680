# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts as they are kept: what is sensitive by its kind is left out (`Family.sensitive`), but for what was asked of it.

As plain JSON a fact is {"status": "ok", "value": ..., "cause": "", "parts": {name: {"status", "value", "cause"}}},
`parts` only where there are some. Bytes are {"base64": "..."}.

What is left is searched for what looks like a secret. A fact in which something does is left out whole: if a part of it
were masked, a control could pass that has failed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from ..collector.facts import ABSENT, ANSWERS, OK, STATUSES, WITHHELD, Asked, Fact, Facts, KeptAnswer
from ..collector.families import KINDS
from ..secret_texts import secret_in

_BASE64 = "base64"
_FACT_KEYS = frozenset({"status", "value", "cause"})


class BadFactsError(ValueError):
    """What was kept does not have the form of facts; the message says where."""


def reduce_facts(facts: Facts) -> Facts:
    """The facts without what is not kept of them."""
    return Facts({key: _reduced(key, fact) for key, fact in facts.items()}, facts.collector)


def with_parts(reduced: Facts, asked: Asked) -> Facts:
    """Reduced facts with the parts that were asked of them."""
    parts = {key: replace(reduced[key], parts=parts) for key, parts in asked.parts.items()}
    return Facts({**reduced.by_key, **parts}, reduced.collector)


def keep_facts(facts: Facts, asked: Asked) -> dict[str, Any]:
    """The facts by their keys, reduced, with the parts that were asked of them, as JSON values."""
    return {key: _encode_fact(fact) for key, fact in with_parts(reduce_facts(facts), asked).items()}


def keep_answers(asked: Asked) -> dict[str, Any]:
    """The answers by the ids of their expectations, as JSON values."""
    return {name: dict(asdict(answer), facts=list(answer.facts)) for name, answer in asked.answers.items()}


def restore_facts(kept: Any, collector: Mapping[str, Any], answers: Any = None) -> Facts:
    """The facts that `keep_facts` gave.

    :param kept: what JSON made of a file's `facts`; `answers` likewise, None where the file has none
    :param collector: what the collector said of itself
    :raises BadFactsError: where `kept` does not have the form of facts, or `answers` that of answers
    """
    if not isinstance(kept, dict):
        raise BadFactsError("facts must be an object")
    if not isinstance(answers, (dict, type(None))):
        raise BadFactsError("answers must be an object")
    return Facts(
        {key: _restored(key, entry) for key, entry in kept.items()},
        dict(collector),
        {name: _answer(name, entry) for name, entry in (answers or {}).items()},
    )


def _reduced(key: str, fact: Fact) -> Fact:
    kind, _colon, subject = key.partition(":")
    family = KINDS.get(kind)
    if family is None:
        return Fact(WITHHELD, cause="it was not kept: its kind is not known")
    value, sensitive = fact.value, family.sensitive
    if value is not None and sensitive is not None:
        value = sensitive.without(value)
        if value is None:
            return Fact(WITHHELD, cause=sensitive.cause)
    secret = secret_in("\n".join((*_texts(family.named(subject, value)), fact.cause)))
    if secret:
        return Fact(WITHHELD, cause=f"it was not kept: it may hold a secret ({secret})")
    return Fact(fact.status, value, fact.cause)


def _texts(value: Any) -> Iterator[str]:
    """All texts in a value."""
    if isinstance(value, bytes):
        yield value.decode("utf-8", "surrogateescape")
    elif isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


def _encode_fact(fact: Fact) -> dict[str, Any]:
    try:
        value = _encode(fact.value)
    except TypeError as defect:  # a kind of fact that this file does not know yet
        fact, value = Fact(WITHHELD, cause=f"it was not kept: {defect}", parts=fact.parts), None
    entry = {"status": fact.status, "value": value, "cause": fact.cause}
    if fact.parts:
        entry["parts"] = {name: _encode_fact(part) for name, part in fact.parts.items()}
    return entry


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
    fact = _restored_fact(f"the fact {key}", entry, {"parts"})
    parts = entry.get("parts", {})
    if not isinstance(parts, dict):
        raise BadFactsError(f"the fact {key} must have an object of parts")
    restored = {
        name: _restored_fact(f"the part {name} of the fact {key}", part, set())
        for name, part in parts.items()
    }
    if any(part.status not in (OK, ABSENT) for part in restored.values()):
        raise BadFactsError(f"the parts of the fact {key} must each be ok or absent")
    return Fact(fact.status, fact.value, fact.cause, restored)


def _restored_fact(what: str, entry: Any, more: set[str]) -> Fact:
    if (
        not isinstance(entry, dict)
        or set(entry) - more != _FACT_KEYS
        or entry["status"] not in STATUSES
        or not isinstance(entry["cause"], str)
    ):
        raise BadFactsError(f"{what} must have status, value and cause")
    if entry["status"] == OK and entry["value"] is None:
        raise BadFactsError(f"{what} is ok, but has no value")
    if entry["status"] == WITHHELD and entry["value"] is not None:
        raise BadFactsError(f"{what} is withheld, but has a value")
    try:
        return Fact(entry["status"], _decode(entry["value"]), entry["cause"])
    except (binascii.Error, ValueError):
        raise BadFactsError(f"{what} holds bytes that are not base64") from None


def _answer(name: str, entry: Any) -> KeptAnswer:
    texts = ("asked", "status", "text", "what")
    if (
        not isinstance(entry, dict)
        or set(entry) != {*texts, "facts"}
        or not all(isinstance(entry[text], str) for text in texts)
        or entry["status"] not in ANSWERS
        or not isinstance(entry["facts"], list)
        or not all(isinstance(key, str) for key in entry["facts"])
    ):
        raise BadFactsError(
            f"the answer {name[:64]} must have the texts {', '.join(texts)} and a list of facts"
        )
    return KeptAnswer(entry["asked"], tuple(entry["facts"]), entry["status"], entry["text"], entry["what"])


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
