# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who owns the namespaces of a scan: by the operator's rules, and by labels and annotations where these rules need them."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

from ..bounded_work import run_bounded
from ..cluster.rest import RestClient
from ..errors import ScanError
from ..results.teams import Ownership, TeamRules
from ..safe_text import one_line
from ..text_layout import number_of

_AT_A_TIME = 8
_NAMED = 5


def namespace_owners(
    client: RestClient,
    cluster: str,
    namespaces: Collection[str],
    rules: TeamRules,
    *,
    cancel: threading.Event,
    warnings: list[str],
) -> dict[str, Ownership]:
    """Namespace -> who owns it. A namespace is read only where the rules need its labels; of one that cannot be read it is
    known what the rules say, and nothing else.

    :param warnings: gets a sentence for namespaces that could not be read, and for labels whose values are no names
    :raises ScanError: cancelled
    """
    needed = sorted(name for name in namespaces if rules.needs_labels(cluster, name))
    metadata: dict[str, Mapping[str, Any]] = {}
    failures: dict[str, ScanError] = {}
    for name, (found, error) in run_bounded(
        needed, lambda name: _read(client, name), _AT_A_TIME, cancel, lambda done: None
    ):
        metadata[name] = found
        if error is not None:
            failures[name] = error
    owners = {}
    for name in sorted(namespaces):
        labels, annotations = (_texts(metadata.get(name, {}), key) for key in ("labels", "annotations"))
        owners[name] = rules.owner(cluster, name, labels, annotations)
    warnings += [*_unread(failures), *_refused(owners)]
    return owners


def _read(client: RestClient, namespace: str) -> tuple[Mapping[str, Any], ScanError | None]:
    try:
        metadata = client.get_metadata(f"/api/v1/namespaces/{quote(namespace, safe='')}").get("metadata")
    except ScanError as error:
        if error.reason == "cancelled":
            raise
        return {}, error
    return (metadata if isinstance(metadata, dict) else {}), None


def _texts(metadata: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    values = metadata.get(key)
    return values if isinstance(values, dict) else {}


def _unread(failures: Mapping[str, ScanError]) -> list[str]:
    if not failures:
        return []
    first = failures[min(failures)]
    advice = (
        "grant get on namespaces, or give team and environment by the rules of `namespaces`"
        if first.reason == "not_permitted"
        else "the next scan asks again"
    )
    return [
        f"team and environment of {_named(failures)} are known only as far as the rules give them, because "
        f"the namespace could not be read: {one_line(first.message, 200)}; {advice}"
    ]


def _refused(owners: Mapping[str, Ownership]) -> list[str]:
    found = {name: owner for name, owner in owners.items() if owner.refused}
    if not found:
        return []
    keys = sorted({key for owner in found.values() for key in owner.refused})
    return [
        f"{_named(found)}: the value of {', '.join(keys[:_NAMED])} is no name of a team or an environment, and counts for nothing"
    ]


def _named(names: Collection[str]) -> str:
    """For example: namespace shop; 7 namespaces (a, b, c, d, e, ...)"""
    ordered = sorted(names)
    if len(ordered) == 1:
        return f"namespace {ordered[0]}"
    rest = ", ..." if len(ordered) > _NAMED else ""
    return f"{number_of(len(ordered), 'namespace')} ({', '.join(ordered[:_NAMED])}{rest})"
