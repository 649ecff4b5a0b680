# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods that were replaced during a scan: finds their successors and lets the scanner reach them, once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Callable

from ..cluster.rest import RestClient
from ..errors import ScanError
from ..targets.identity import Target
from ..targets.selection import SelectedTarget
from .lifecycle import ensure_renewed
from .objects import PodRef
from .scanner import ScannerAccess

# The reasons with which a target ends whose pod or container is not there any more.
LOST = frozenset({"container_replaced", "pod_gone", "pod_replaced"})

Pair = tuple[SelectedTarget, SelectedTarget]


@dataclass
class Renewal:
    """`again`: (the target that was lost, the one to scan in its place). `failures`: by namespace, why the
    access to the successors there could not be had; their lost targets stay as they are."""

    again: list[Pair] = field(default_factory=list)
    failures: dict[str, ScanError] = field(default_factory=dict)


def renew_access(
    grantor: RestClient,
    access: ScannerAccess,
    lost: Sequence[SelectedTarget],
    current: Iterable[SelectedTarget],
    less: Callable[[SelectedTarget], str] = lambda selected: "",
) -> Renewal:
    """Makes the access reach the successors of lost targets, and says which targets to scan again.

    To be called when all other targets are done: in the namespaces concerned, the access then reaches the
    successors and nothing else.

    :param lost: the targets that ended with a reason in LOST
    :param current: what the selection means now
    :param less: the approach whose rights alone a successor's pod gets, "" for all of the access
    """
    pairs = successors(lost, current, access.pod_uids)
    pods: dict[str, dict[str, PodRef]] = {}
    for _lost, successor in pairs:
        target = successor.target
        pods.setdefault(target.namespace, {})[target.pod] = PodRef(
            target.pod, target.pod_uid, less(successor)
        )
    grants = [access.regranted(namespace, tuple(found.values())) for namespace, found in pods.items()]
    outcomes = ensure_renewed(grantor, access.run_id, grants)
    failures = {outcome.namespace: outcome.error for outcome in outcomes if outcome.error}
    failures.update(access.replace_grants([grant for grant in grants if grant.namespace not in failures]))
    return Renewal([pair for pair in pairs if pair[1].target.namespace not in failures], failures)


def successors(
    lost: Sequence[SelectedTarget], current: Iterable[SelectedTarget], reached: AbstractSet[str]
) -> list[Pair]:
    """Pairs each lost target with the container that has its place in its pod now, else with a running
    container of the same name in a new pod of the same workload, as far as there are any: what a workload has
    gained besides is not ours to scan.

    :param reached: uids of the pods that the access reached so far; a pod that is not among them is new
    """
    wanted = {_place(selected.target) for selected in lost}
    in_pods = {_in_pod(selected.target) for selected in lost}
    again: dict[tuple[str, ...], SelectedTarget] = {}
    fresh: dict[tuple[str, ...], list[SelectedTarget]] = {}
    for selected in current:
        target = selected.target
        if target.state != "running":
            continue
        if _in_pod(target) in in_pods:
            again[_in_pod(target)] = selected
        elif _place(target) in wanted and target.pod_uid not in reached:
            fresh.setdefault(_place(target), []).append(selected)
    pairs: list[Pair] = []
    for selected in sorted(lost, key=lambda item: item.target.target_id):
        candidates = fresh.get(_place(selected.target))
        if _in_pod(selected.target) in again:
            pairs.append((selected, again[_in_pod(selected.target)]))
        elif candidates:
            pairs.append((selected, candidates.pop(0)))
    return pairs


def _place(target: Target) -> tuple[str, ...]:
    return target.namespace, target.workload_kind, target.workload, target.container_kind, target.container


def _in_pod(target: Target) -> tuple[str, ...]:
    return target.pod_uid, target.container_kind, target.container
