# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of workloads that can get sidecars: their API, where their pod template is, and which pods are
theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..cluster.rest import RestClient
from ..errors import ScanError
from ..targets.patterns import is_pattern, read_workloads
from ..targets.pod import controller_of, whole_pods
from ..targets.workloads import Workloads

_TEMPLATE = ("spec", "template")


@dataclass(frozen=True)
class Kind:
    """A kind of workload: its API, and the path of its pod template.

    `is_mutable`: the template can be changed.
    """

    name: str
    group: str
    resource: str
    template: tuple[str, ...] = _TEMPLATE
    is_mutable: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/v1"


KINDS: Mapping[str, Kind] = {
    kind.name.lower(): kind
    for kind in (
        Kind("Deployment", "apps", "deployments"),
        Kind("StatefulSet", "apps", "statefulsets"),
        Kind("DaemonSet", "apps", "daemonsets"),
        Kind("CronJob", "batch", "cronjobs", ("spec", "jobTemplate", *_TEMPLATE)),
        Kind("Job", "batch", "jobs", is_mutable=False),
    )
}


@dataclass(frozen=True)
class WorkloadRef:
    """One workload by name."""

    kind: Kind
    namespace: str
    name: str

    @property
    def title(self) -> str:
        """KIND/NAME, such as Deployment/api."""
        return f"{self.kind.name}/{self.name}"

    @property
    def path(self) -> str:
        return f"/apis/{self.kind.api_version}/namespaces/{self.namespace}/{self.kind.resource}/{self.name}"

    @property
    def tried(self) -> str:
        return f"changing {self.title} in namespace {self.namespace}"


def workload_refs(namespace: str, texts: Sequence[str], needs_change: bool) -> list[WorkloadRef]:
    """The workloads that an option names, as KIND/NAME.

    :param needs_change: whether their templates will be changed
    :raises ScanError: bad_option, template_immutable
    """
    if not texts:
        raise ScanError("bad_option", "no workload was named", tried="reading the option workloads")
    refs = []
    for text, known in zip(texts, read_workloads("workloads", texts)):
        kind, _slash, name = known.partition("/")
        if is_pattern(text):
            raise _refused(text, "is a pattern", "Name each workload that is to be changed.")
        if kind not in KINDS:
            raise _refused(
                text,
                "is not one of {}".format(", ".join(found.name for found in KINDS.values())),
                "Name the workload that holds the pod template, such as a ReplicaSet's Deployment.",
            )
        if needs_change and not KINDS[kind].is_mutable:
            raise ScanError(
                "template_immutable",
                f"{text} is a {KINDS[kind].name}",
                tried="reading the option workloads",
                cause="Kubernetes does not allow a change of a Job's pod template.",
            )
        refs.append(WorkloadRef(KINDS[kind], namespace, name))
    return list(dict.fromkeys(refs))


def _refused(text: str, why: str, advice: str) -> ScanError:
    return ScanError("bad_option", f"{text!r} {why}", tried="reading the option workloads", advice=advice)


def template_of(ref: WorkloadRef, workload: Mapping[str, Any]) -> dict[str, Any]:
    """The pod template of a workload's object.

    :raises ScanError: bad_reply
    """
    found: Any = workload
    for key in ref.kind.template:
        found = found.get(key) if isinstance(found, dict) else None
    if (
        not isinstance(found, dict)
        or not isinstance(found.get("spec"), dict)
        or not found["spec"].get("containers")
    ):
        raise ScanError("bad_reply", "it has no pod template", tried=ref.tried)
    return found


def pods_of(client: RestClient, ref: WorkloadRef, workload: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The v1 Pods of a workload, whatever their state. Those of a CronJob are found by their Jobs.

    :raises ScanError: what the client raises
    """
    path = f"/api/v1/namespaces/{ref.namespace}/pods"
    if ref.kind.name != "CronJob":
        query = {"labelSelector": selector_text(workload["spec"].get("selector") or {})}
        yield from whole_pods(client.list_items(path, query), ref.tried)
        return
    workloads = Workloads(client, ref.namespace)
    for pod in whole_pods(client.list_items(path), ref.tried):
        if controller_of(pod["metadata"])[1] == "Job" and workloads.of(pod) == (ref.kind.name, ref.name):
            yield pod


def selector_text(selector: Mapping[str, Any]) -> str:
    """A metav1.LabelSelector as the text that a query takes."""
    parts = ["{}={}".format(*pair) for pair in (selector.get("matchLabels") or {}).items()]
    for expression in selector.get("matchExpressions") or []:
        key, operator = expression["key"], expression["operator"]
        if operator in ("Exists", "DoesNotExist"):
            parts.append(key if operator == "Exists" else "!" + key)
        else:
            parts.append("{} {} ({})".format(key, operator.lower(), ",".join(expression.get("values") or [])))
    return ",".join(parts)
