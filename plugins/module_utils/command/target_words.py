# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words that name targets, as kubectl has them: deploy/api, pod/api-1, ns/shop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .arguments import bad_usage

POD_KINDS = frozenset({"po", "pod", "pods"})
NAMESPACE_KINDS = frozenset({"ns", "namespace", "namespaces"})


def add_targets(values: Mapping[str, Any], words: Sequence[str]) -> dict[str, Any]:
    """The options with what the words name.

    :raises ScanError: bad_option, for a word without its kind, and for pods beside workloads, of which nothing is both
    """
    found: dict[str, list[str]] = {
        "workloads": [],
        "pods": [],
        "namespaces": list(values.get("namespaces") or ()),
    }
    for word in words:
        kind, slash, name = word.partition("/")
        if not slash:
            raise bad_usage(
                f"{word[:100]!r} is no target: its kind is missing",
                "Name it as kubectl does: deploy/api, statefulset/db, pod/api-1. A subcommand stands first.",
            )
        if kind.lower() in POD_KINDS:
            found["pods"].append(name)
        elif kind.lower() in NAMESPACE_KINDS:
            found["namespaces"].append(name)
        else:
            found["workloads"].append(word)
    if found["workloads"] and found["pods"]:
        raise bad_usage("workloads and pods are named, and both would have to hold", "Name one or the other.")
    return {**values, **{name: each for name, each in found.items() if each}}
