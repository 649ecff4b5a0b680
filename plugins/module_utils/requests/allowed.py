# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is allowed to ask for what: the operator's list, per way in."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ScanError
from ..targets.patterns import is_pattern
from .request import ACTIONS, Request


@dataclass(frozen=True)
class AllowedRequests:
    """Names or shell patterns, but for `actions`, which are words. An empty `clusters` allows none: a way in says for which
    clusters it is. `namespaces` and `profiles` are empty where each is allowed."""

    clusters: tuple[str, ...]
    namespaces: tuple[str, ...] = ()
    actions: tuple[str, ...] = ACTIONS
    profiles: tuple[str, ...] = ()

    def check(self, request: Request) -> None:
        """:raises ScanError: request_refused"""
        if request.action not in self.actions:
            raise _refused("action", request.action, self.actions)
        if not _is_allowed(request.cluster, self.clusters):
            # which clusters there are is not told
            raise ScanError(
                "request_refused",
                f"the cluster {request.cluster} is not among those of this way in",
                tried="request",
            )
        if self.namespaces:
            if not request.namespaces:
                raise _refused("namespaces", "no namespace, which means all,", self.namespaces)
            for namespace in request.namespaces:
                if not _is_allowed(namespace, self.namespaces):
                    raise _refused("namespaces", namespace, self.namespaces)
        if self.profiles:
            for profile in request.profiles:
                if not _is_allowed(profile, self.profiles):
                    raise _refused("profiles", profile, self.profiles)


def _is_allowed(name: str, allowed: Sequence[str]) -> bool:
    """A pattern is allowed only where it stands in the list as it is, or where all is: what it matches is not known here."""
    if is_pattern(name):
        return name in allowed or "*" in allowed
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in allowed)


def _refused(field: str, name: str, allowed: Sequence[str]) -> ScanError:
    return ScanError(
        "request_refused",
        f"{field}: {name} is not allowed by this way in, which allows {', '.join(allowed)}",
        tried="request",
    )
