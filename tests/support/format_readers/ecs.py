# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECS: each field is one of the schema's field reference, with a value of the type that stands there, or one of ours below
`securescan`. Elastic offers no validator outside of its own stack; the list was made by hand from the reference of 9.x."""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.event import NOT_SEEN
from ansible_collections.securescan.kubernetes.tests.support.format_readers.format_reader import (
    FormatReader,
    Words,
)

_OWN = "securescan"
_KEYWORD, _LIST, _NUMBER, _DATE, _OBJECT = "keyword", "list of keywords", "long", "date", "object of keywords"
FIELDS = {
    "@timestamp": _DATE,
    "container.id": _KEYWORD,
    "container.image.hash.all": _LIST,
    "container.image.name": _KEYWORD,
    "container.image.tag": _LIST,
    "container.name": _KEYWORD,
    "ecs.version": _KEYWORD,
    "event.action": _KEYWORD,
    "event.category": _LIST,
    "event.code": _KEYWORD,
    "event.dataset": _KEYWORD,
    "event.kind": _KEYWORD,
    "event.module": _KEYWORD,
    "event.outcome": _KEYWORD,
    "event.reason": _KEYWORD,
    "event.severity": _NUMBER,
    "event.type": _LIST,
    "host.name": _KEYWORD,
    "labels": _OBJECT,
    "message": _KEYWORD,
    "observer.product": _KEYWORD,
    "observer.type": _KEYWORD,
    "observer.vendor": _KEYWORD,
    "observer.version": _KEYWORD,
    "orchestrator.cluster.id": _KEYWORD,
    "orchestrator.cluster.name": _KEYWORD,
    "orchestrator.namespace": _KEYWORD,
    "orchestrator.resource.id": _KEYWORD,
    "orchestrator.resource.name": _KEYWORD,
    "orchestrator.resource.parent.type": _KEYWORD,
    "orchestrator.resource.type": _KEYWORD,
    "orchestrator.type": _KEYWORD,
    "rule.description": _KEYWORD,
    "rule.id": _KEYWORD,
    "rule.name": _KEYWORD,
    "rule.ruleset": _KEYWORD,
    "tags": _LIST,
}
# The values that the reference allows.
_ALLOWED = {
    "event.kind": {"alert", "asset", "enrichment", "event", "metric", "state", "pipeline_error", "signal"},
    "event.category": {"configuration"},
    "event.type": {"info"},
    "event.outcome": {"success", "failure", "unknown"},
}
_DATES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def _fits(kind: str, value: Any) -> bool:
    if kind == _LIST:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if kind == _OBJECT:
        return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
    if kind == _NUMBER:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str) and (kind != _DATE or bool(_DATES.fullmatch(value)))


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict) or FIELDS.get(name) == _OBJECT:
        yield name, value
        return
    for key, inner in value.items():
        yield from _leaves(inner, f"{name}.{key}" if name else key)


def check_fields(document: dict[str, Any]) -> None:
    for name, value in _leaves({key: inner for key, inner in document.items() if key != _OWN}):
        assert name in FIELDS, f"{name} is no field of ECS that we know"
        assert _fits(FIELDS[name], value), f"{name} is no {FIELDS[name]}: {value!r}"
        allowed = _ALLOWED.get(name)
        values = value if isinstance(value, list) else [value]
        assert allowed is None or allowed.issuperset(values), (
            f"{name} has a value that is not allowed: {value!r}"
        )
    assert {"@timestamp", "ecs", "event", "message"} <= document.keys()


def _documents(path: pathlib.Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        document = json.loads(line)
        check_fields(document)
        yield document


def _word(document: dict[str, Any]) -> str:
    outcome, own = document["event"]["outcome"], document[_OWN]
    marks = [mark for mark in ("waived", "attested") if own[mark]]
    return ", ".join([outcome if outcome != "unknown" else f"{outcome}: {own['status']}", *marks])


def _read(path: pathlib.Path) -> Words:
    return {
        (document["labels"]["target_id"], document["rule"]["ruleset"], document["rule"]["id"]): _word(
            document
        )
        for document in _documents(path)
        if document["rule"]["id"] != NOT_SEEN.id
    }


def _targets(path: pathlib.Path) -> dict[str, str]:
    return {
        document["labels"]["target_id"]: _word(document)
        for document in _documents(path)
        if document["rule"]["id"] == NOT_SEEN.id
    }


READER = FormatReader("ecs", "a list of ours, from the ECS field reference 9.x", _read, _targets)
