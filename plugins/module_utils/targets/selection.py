# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Selection: from what the operator names (namespaces, workloads, pods, containers, images) to targets."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable

from ..errors import ScanError
from ..text_layout import were
from .criteria import Name, Selection
from .empty_selection import no_targets, useless_names
from .identity import SelectedTarget, Target
from .own_containers import is_our_sidecar
from .pod import (
    ContainerView,
    PodSnapshot,
    bare_pod,
    check_identity,
    container_state,
    containers_of,
    first_container,
    has_finished,
    operating_system,
    pod_flaw,
)
from .pod_template import template_key
from .replicas import SINGLE_KINDS, OneOfEach
from .selection_report import FINISHED, OWN_SIDECAR, SelectionReport
from .selectors import list_selected
from .unmatched_names import NAMESPACE, UnmatchedName, find_unmatched
from .workloads import ReadsObjects, Workload, Workloads

__all__ = [
    "SelectionReport",
    "ReadsObjects",
    "SelectedTarget",
    "Selection",
    "check_selected",
    "resolve_namespaces",
    "select_pods",
    "select_targets",
]

_NAMESPACES = "/api/v1/namespaces"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# What goes wrong in one namespace, and says nothing of the others; and what says that the cluster is not well, which
# is borne a few times.
_OF_ONE_NAMESPACE = frozenset({"not_permitted", "bad_reply"})
_TROUBLE = frozenset({"connection_lost", "server_error", "throttled", "timed_out", "too_much_output"})
_MOST_TROUBLE = 3
# How many of the names that gave nothing are warned of one by one.
_NAMED = 10
_NAMES_CHARACTERS = 2000


def resolve_namespaces(
    client: ReadsObjects, selection: Selection, looked_at: SelectionReport | None = None
) -> list[str]:
    """The names of the namespaces, in order.

    Patterns and selectors need one list of all namespaces, which the credential must be allowed to read.
    """
    seen = looked_at if looked_at is not None else SelectionReport()
    found = list(selection.named_namespaces)
    if len(found) < len(selection.namespaces) or selection.namespace_selectors:
        found += [str(item["metadata"]["name"]) for item in _list_namespaces(client, selection)]
    taken = []
    for name in dict.fromkeys(found):
        seen.use(selection, ("exclude_namespaces", name))
        obstacle = selection.namespace_obstacle(name)
        if obstacle:
            seen.leave_out(obstacle)
        else:
            taken.append(name)
    return taken


def select_targets(
    client: ReadsObjects, cluster: str, selection: Selection, looked_at: SelectionReport | None = None
) -> Iterator[SelectedTarget]:
    """The selected containers, namespace by namespace, whether they run or not.

    At most one page of pods is held in memory. `looked_at` is filled on the way; give it to `check_selected`
    afterwards. A namespace that cannot be looked into, or not to its end, then stands in it, and the others are read;
    without `looked_at` that is raised.

    :raises ScanError: bad_option for a selector that the API server does not understand; whatever the client
        raises
    """
    seen = looked_at if looked_at is not None else SelectionReport(goes_on=False)
    for namespace in resolve_namespaces(client, selection, seen):
        yield from _within_limit(_of_namespace(client, cluster, namespace, selection, seen), selection, seen)
        if seen.limit_reached:
            return


def select_pods(
    client: ReadsObjects, namespace: str, selection: Selection, looked_at: SelectionReport | None = None
) -> Iterator[dict[str, Any]]:
    """The v1 Pods of one namespace that hold at least one target of the selection.

    For a `limit` to hold over several namespaces, give each call the same `looked_at`.
    """
    seen = looked_at if looked_at is not None else SelectionReport(goes_on=False)
    given: set[str] = set()
    for selected in _within_limit(_of_namespace(client, "", namespace, selection, seen), selection, seen):
        if selected.pod.uid not in given:
            given.add(selected.pod.uid)
            yield selected.pod.object()


def check_selected(
    client: ReadsObjects, selection: Selection, looked_at: SelectionReport, allow_empty: bool
) -> list[str]:
    """Warnings about a selection that was read to its end.

    :raises ScanError: no_targets if nothing was selected and `allow_empty` is false; it says what was looked
        at
    """
    if not looked_at.selected and looked_at.failures and len(looked_at.failures) == len(looked_at.namespaces):
        raise next(iter(looked_at.failures.values()))
    unmatched = list(find_unmatched(client, selection, looked_at))
    looked_at.unmatched = [name.record() for name in unmatched]
    absent = [name for name in unmatched if name.is_absent]
    if not looked_at.selected and not allow_empty:
        raise no_targets(client, selection, looked_at, _sentences(absent))
    warnings = (
        _sentences(absent if allow_empty else unmatched)
        + useless_names(selection, looked_at)
        + looked_at.warnings
    )
    if looked_at.limit_reached:
        warnings.append(
            f"limit: {were(looked_at.selected, 'container')} selected; more match and were left out"
        )
    return warnings


def _sentences(unmatched: Sequence[UnmatchedName]) -> list[str]:
    said = [name.sentence() for name in unmatched[:_NAMED]]
    more = [f"{name.kind} {name.name}" for name in unmatched[_NAMED:]]
    if more:
        said.append("{} more names gave no target: {}".format(len(more), ", ".join(more)[:_NAMES_CHARACTERS]))
    return said


def _list_namespaces(client: ReadsObjects, selection: Selection) -> Iterator[dict[str, Any]]:
    try:
        yield from list_selected(client, _NAMESPACES, selection.selectors_of_namespaces())
    except ScanError as error:
        if error.reason != "not_permitted":
            raise
        raise ScanError(
            "not_permitted",
            error.message,
            tried=error.tried,
            cause=error.cause,
            advice="Name the namespaces, or grant list on namespaces: patterns and selectors of "
            "namespaces need it.",
        ) from error


def _within_limit(
    targets: Iterator[SelectedTarget], selection: Selection, seen: SelectionReport
) -> Iterator[SelectedTarget]:
    for selected in targets:
        if selection.limit is not None and seen.selected >= selection.limit:
            seen.limit_reached = True
            return
        seen.selected += 1
        seen.matched |= selected.names
        seen.replicas_left_out += selected.replicas - 1
        yield selected


def _of_namespace(
    client: ReadsObjects, cluster: str, namespace: str, selection: Selection, seen: SelectionReport
) -> Iterator[SelectedTarget]:
    workloads = Workloads(client, namespace)
    groups = OneOfEach()
    seen.namespaces.setdefault(namespace, 0)
    try:
        yield from _of_pods(
            _pods(client, namespace, selection, seen, workloads), cluster, selection, seen, groups
        )
    except ScanError as error:
        if not (seen.goes_on and _is_of_one_namespace(error, seen)):
            raise
        seen.failures[namespace] = error
    yield from groups.chosen()
    if workloads.unlisted:
        seen.warnings.append(
            "namespace {}: the credential is not allowed to list {}s, so each of them counts as a workload".format(
                namespace, "s and ".join(workloads.unlisted)
            )
        )


def _is_of_one_namespace(error: ScanError, seen: SelectionReport) -> bool:
    troubles = sum(before.reason in _TROUBLE for before in seen.failures.values())
    return error.reason in _OF_ONE_NAMESPACE or (error.reason in _TROUBLE and troubles < _MOST_TROUBLE)


def _of_pods(
    pods: Iterator[tuple[Mapping[str, Any], Workload, str]],
    cluster: str,
    selection: Selection,
    seen: SelectionReport,
    groups: OneOfEach,
) -> Iterator[SelectedTarget]:
    """The targets of the pods, but for those that go into `groups`."""
    for pod, workload, flaw in pods:
        names = _names_of(pod, workload)
        if flaw:
            yield _flawed(cluster, pod, flaw, _plain(selection, names))
            continue
        views = list(_views(pod, selection, seen, names))
        if views and not selection.finished_pods and has_finished(pod):
            seen.leave_out(FINISHED, len(views), _plain(selection, _with_containers(names, views)))
            continue
        if not views:
            continue
        snapshot, platform = PodSnapshot.from_object(pod), operating_system(pod)
        grouped = selection.replicas == "one" and workload[0] not in SINGLE_KINDS
        template = sys.intern(template_key(pod, selection.scanner_image))
        for view in views:
            selected = SelectedTarget(
                _target(cluster, pod, workload, view),
                snapshot,
                platform,
                names=_plain(selection, _with_containers(names, [view])),
                template=template,
            )
            if grouped:
                groups.add(selected)
            else:
                yield selected


def _pods(
    client: ReadsObjects, namespace: str, selection: Selection, seen: SelectionReport, workloads: Workloads
) -> Iterator[tuple[Mapping[str, Any], Workload, str]]:
    """The pods that no option leaves out by their own or their workload's name, and what is wrong with each. The
    workload of one with a flaw is not known, so that no option about workloads leaves it out."""
    for pod in list_selected(client, f"{_NAMESPACES}/{namespace}/pods", selection.selectors_of_pods()):
        check_identity(pod, namespace)
        seen.namespaces[namespace] += 1
        name = pod["metadata"]["name"]
        seen.see("pod", name)
        seen.use(selection, ("exclude_pods", name))
        obstacle = selection.pod_obstacle(name)
        flaw = "" if obstacle else pod_flaw(pod)
        if flaw:
            yield pod, ("Pod", name), flaw
            continue
        workload: Workload = ("", "")
        if not obstacle and _is_left_out_whoever_owns_it(pod, selection):
            yield pod, workload, ""
            continue
        if not obstacle:
            workload = workloads.of(pod)
            seen.see("workload", "/".join(workload))
            seen.use(selection, ("exclude_workloads", f"{workload[0].lower()}/{workload[1]}"))
            obstacle = selection.workload_obstacle(*workload)
            if workloads.unlisted and selection.uses_workloads:
                raise _unknown_workloads(namespace, workloads.unlisted[0])
            if not obstacle:
                yield pod, workload, ""
                continue
        seen.leave_out(obstacle, 1, _plain(selection, _names_of(pod, workload)))


def _is_left_out_whoever_owns_it(pod: Mapping[str, Any], selection: Selection) -> bool:
    """A pod that has ended, where its owner does not matter: lists of Jobs are long."""
    return not selection.finished_pods and not selection.uses_workloads and has_finished(pod)


def _names_of(pod: Mapping[str, Any], workload: Workload) -> list[Name]:
    """By which names a pod can have been meant; a workload that is not known is an empty one."""
    kind, name = workload
    metadata = pod["metadata"]
    return [
        (NAMESPACE, metadata["namespace"]),
        ("pod", metadata["name"]),
        ("workload", f"{kind.lower()}/{name}"),
    ]


def _with_containers(names: Sequence[Name], views: Sequence[ContainerView]) -> list[Name]:
    return [*names, *(("container", view.name) for view in views)]


def _plain(selection: Selection, names: Sequence[Name]) -> frozenset[Name]:
    """Those of the names that the operator has given."""
    return selection.plain_names.intersection(names)


def _flawed(cluster: str, pod: Mapping[str, Any], flaw: str, names: frozenset[Name]) -> SelectedTarget:
    """The one target that stands for a pod whose object cannot be read."""
    bare = bare_pod(pod, first_container(pod))
    (view,) = containers_of(bare)
    target = _target(cluster, bare, ("Pod", bare["metadata"]["name"]), view)
    return SelectedTarget(target, PodSnapshot.from_object(bare), flaw=flaw, names=names)


def _unknown_workloads(namespace: str, kind: str) -> ScanError:
    """Without its owner nobody knows to which workload a pod belongs, nor whether that one is excluded."""
    return ScanError(
        "not_permitted",
        f"the credential is not allowed to list {kind}s, which lead from pods to their workloads",
        tried=f"selecting by workload in namespace {namespace}",
        advice="Grant list on replicasets (apps) and jobs (batch), or select by labels instead.",
    )


def _views(
    pod: Mapping[str, Any], selection: Selection, seen: SelectionReport, names: Sequence[Name]
) -> Iterator[ContainerView]:
    for view in containers_of(pod):
        seen.containers += 1
        seen.see("container", view.name)
        seen.use(
            selection,
            ("exclude_containers", view.name),
            *((option, image) for option in ("images", "exclude_images") for image in view.images),
        )
        obstacle = (
            OWN_SIDECAR
            if is_our_sidecar(view, selection.scanner_image)
            else selection.container_obstacle(view)
        )
        if obstacle:
            seen.leave_out(obstacle, 1, _plain(selection, _with_containers(names, [view])))
        else:
            yield view


def _target(cluster: str, pod: Mapping[str, Any], workload: Workload, view: ContainerView) -> Target:
    metadata = pod["metadata"]
    state, reason = container_state(pod, view)
    image_id = str(view.status.get("imageID") or "")
    # the pods of a namespace have many of these texts in common: one copy for all
    shared: Callable[[str], str] = sys.intern
    return Target(
        cluster=cluster,
        namespace=shared(metadata["namespace"]),
        workload_kind=shared(workload[0]),
        workload=shared(workload[1]),
        pod=metadata["name"],
        pod_uid=metadata["uid"],
        container=shared(view.name),
        container_kind=view.kind,
        container_id=str(view.status.get("containerID") or ""),
        image=shared(str(view.spec.get("image") or view.status.get("image") or "")),
        image_id=shared(image_id),
        image_digest=shared(_registry_digest(image_id)),
        node=shared(str(pod["spec"].get("nodeName") or "")),
        state=shared(state),
        state_reason=shared(reason),
    )


def _registry_digest(image_id: str) -> str:
    """The digest by which a registry serves the image; "" for an imported image, whose id is the digest of
    its config."""
    repository, _unused, digest = image_id.rpartition("@")
    return digest if repository and _DIGEST.fullmatch(digest) else ""
