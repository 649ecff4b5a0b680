# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A place: what stays when pods come and go. And the fingerprint of a finding, which is a control on a place."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hashlib import _Hash


class HasPlace(Protocol):
    """What says of itself where it stands: a target, a target's record."""

    @property
    def cluster(self) -> str: ...
    @property
    def namespace(self) -> str: ...
    @property
    def workload_kind(self) -> str: ...
    @property
    def workload(self) -> str: ...
    @property
    def container(self) -> str: ...


@dataclass(frozen=True, order=True)
class Place:
    """The containers of one name in the pods of one workload."""

    cluster: str
    namespace: str
    workload_kind: str
    workload: str
    container: str

    @classmethod
    def of(cls, one: HasPlace) -> Place:
        return cls(one.cluster, one.namespace, one.workload_kind, one.workload, one.container)

    @property
    def id(self) -> str:
        """cluster/namespace/kind/workload/container. Only a cluster's name can hold a slash, and that stands first."""
        return "/".join((self.cluster, self.namespace, self.workload_kind, self.workload, self.container))


def fingerprint(place_id: str, profile: str, control_id: str) -> str:
    """The same for one control of one profile on one place, today and in a year: SHA-256 in hexadecimal digits of the three as a
    list in JSON.

    Reports ask it of each control of each target, in this order: what they share is computed once.
    """
    found = _begun(place_id).copy()
    found.update(_rest(profile, control_id))
    return found.hexdigest()


@lru_cache(maxsize=64)
def _begun(place_id: str) -> _Hash:
    return hashlib.sha256(f"[{json.dumps(place_id)},".encode("ascii"))


@lru_cache(maxsize=4096)
def _rest(profile: str, control_id: str) -> bytes:
    return f"{json.dumps(profile)},{json.dumps(control_id)}]".encode("ascii")
