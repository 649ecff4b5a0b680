# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes what is left of accesses whose time is over: a scan that was killed cannot remove its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..cluster.rest import RestClient
from ..errors import ScanError
from .objects import LABEL_EXPIRES, LABEL_OWNER, LABEL_RUN, expiry_of
from .objects_in_cluster import REMOVAL_ORDER, find, remove

NOT_EXPIRED = "its time is not over"


@dataclass
class Sweep:
    """What a sweep did (or, in check mode, would do), each object as `described`; `kept` with the reason
    `why`."""

    removed: list[dict[str, str]] = field(default_factory=list)
    kept: list[dict[str, str]] = field(default_factory=list)
    failures: list[tuple[str, ScanError]] = field(default_factory=list)


def sweep(
    client: RestClient,
    now: datetime,
    namespaces: Sequence[str] | None = None,
    check_mode: bool = False,
    home: str = "",
) -> Sweep:
    """Deletes the objects that carry all our labels and whose expiry lies before `now` (UTC).

    Each kind is looked for on its own, so a Role whose ServiceAccount is gone is found too. An object without
    a run id or a readable expiry is kept and reported, and so is one that was changed while we looked (a run
    that renews its access): that is what the delete's precondition is for.

    :param namespaces: where to look; None for all
    :param home: the namespace of the ServiceAccounts of scans, where they have one of their own. A credential
        for that needs no right on ServiceAccounts elsewhere, nor on Roles there, and none of ours are there.
    """
    done = Sweep()
    for namespace in namespaces if namespaces is not None else (None,):
        for kind in REMOVAL_ORDER:
            try:
                # read to the end first: what is deleted while a list is paged would make it a list of two
                # moments
                for item in list(find(client, kind, namespace)):
                    _sweep_one(client, item, now, check_mode, done)
            except ScanError as error:
                if error.reason == "not_permitted" and home and not _is_place_of(kind, namespace, home):
                    continue
                done.failures.append(
                    (
                        "{}s of {}".format(kind, f"namespace {namespace}" if namespace else "all namespaces"),
                        error,
                    )
                )
    return done


def _is_place_of(kind: str, namespace: str | None, home: str) -> bool:
    """Whether scans make objects of this kind in the namespace."""
    return namespace is None or (kind == "ServiceAccount") == (namespace == home)


def _sweep_one(
    client: RestClient, item: Mapping[str, Any], now: datetime, check_mode: bool, done: Sweep
) -> None:
    described = _as_record(item)
    why = _reason_to_keep(item["metadata"]["labels"], now)
    if not why and not check_mode:
        try:
            if not remove(client, item, only_unchanged=True):
                return  # somebody else removed it meanwhile
        except ScanError as error:
            if error.reason != "conflict":
                done.failures.append(("{kind} {namespace}/{name}".format(**described), error))
                return
            why = "it was changed at this moment"
    if why:
        done.kept.append(dict(described, why=why))
    else:
        done.removed.append(described)


def _reason_to_keep(labels: Mapping[str, str], now: datetime) -> str:
    if not labels.get(LABEL_RUN):
        return f"it has no label {LABEL_RUN}"
    expires = expiry_of(labels)
    if expires is None:
        return "its label {} is {}".format(
            LABEL_EXPIRES, "not a time" if LABEL_EXPIRES in labels else "missing"
        )
    return NOT_EXPIRED if expires > now else ""


def _as_record(item: Mapping[str, Any]) -> dict[str, str]:
    metadata = item["metadata"]
    labels = metadata["labels"]
    return {
        "kind": item["kind"],
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "run_id": labels.get(LABEL_RUN, ""),
        "owner": labels.get(LABEL_OWNER, ""),
        "expires": labels.get(LABEL_EXPIRES, ""),
    }
