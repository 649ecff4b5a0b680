# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator can ask for when choosing targets, checked when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ..errors import ScanError
from .patterns import (
    DNS_LABEL,
    DNS_SUBDOMAIN,
    IMAGE,
    check_names,
    check_selectors,
    is_pattern,
    matches,
    matches_workload,
    read_workloads,
)
from .pod import CONTAINER_KINDS, ContainerView
from .selectors import Selectors

_NAME_RULES = {
    "namespaces": DNS_LABEL,
    "exclude_namespaces": DNS_LABEL,
    "pods": DNS_SUBDOMAIN,
    "exclude_pods": DNS_SUBDOMAIN,
    "containers": DNS_LABEL,
    "exclude_containers": DNS_LABEL,
    "images": IMAGE,
    "exclude_images": IMAGE,
}
_SELECTORS = ("namespace_selectors", "label_selectors", "field_selectors")
REPLICAS = ("all", "one")
# What can be named below namespaces, and by which option. A Name is such a kind, or namespace, and a name of it.
NAMED_KINDS = ("workload", "pod", "container")
_OPTION_OF = {kind: kind + "s" for kind in ("namespace", *NAMED_KINDS)}
Name = tuple[str, str]


@dataclass(frozen=True)
class Selection:
    """What is to be scanned. All conditions must hold; an empty one holds for everything.

    `namespaces`: names or shell patterns; they or `namespace_selectors` must be given. The selectors are
    those of kubectl, all of which must hold: `namespace_selectors` over the labels of namespaces,
    `label_selectors` and `field_selectors` over pods. `workloads`: KIND/NAME. `pods`, `containers`, `images`:
    names or shell patterns. `exclude_*` takes away what it names. `container_kinds`: of container, init,
    ephemeral. `finished_pods`: also pods that have ended (phase Succeeded or Failed). `replicas`: all, or one of those
    that are alike. `limit`: the largest number of targets, None
    for all. `scanner_image`: what sidecars for scans run, by which they are known and left out; without it
    they are targets as all others.

    :raises ScanError: bad_option for a condition that can never hold; no cluster is asked for that
    """

    namespaces: tuple[str, ...] = ()
    namespace_selectors: tuple[str, ...] = ()
    exclude_namespaces: tuple[str, ...] = ()
    label_selectors: tuple[str, ...] = ()
    field_selectors: tuple[str, ...] = ()
    workloads: tuple[str, ...] = ()
    exclude_workloads: tuple[str, ...] = ()
    pods: tuple[str, ...] = ()
    exclude_pods: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    exclude_containers: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    exclude_images: tuple[str, ...] = ()
    container_kinds: tuple[str, ...] = ("container",)
    finished_pods: bool = False
    replicas: str = "all"
    limit: int | None = None
    scanner_image: str = ""
    # of names that are kept in another form: how the operator wrote them
    _written: Mapping[str, str] = field(init=False, default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.namespaces and not self.namespace_selectors:
            raise ScanError(
                "bad_option",
                "no namespace was named",
                tried="selecting targets",
                advice="Name at least one namespace; '*' means all that the credential can list.",
            )
        for option, rule in _NAME_RULES.items():
            check_names(option, getattr(self, option), rule)
        for option in _SELECTORS:
            check_selectors(option, getattr(self, option))
        for option in ("workloads", "exclude_workloads"):
            given: tuple[str, ...] = getattr(self, option)
            object.__setattr__(self, option, read_workloads(option, given))
            object.__setattr__(self, "_written", {**self._written, **dict(zip(getattr(self, option), given))})
        _check_choice("container_kinds", self.container_kinds, CONTAINER_KINDS)
        _check_choice("replicas", (self.replicas,), REPLICAS)
        if self.limit is not None and self.limit < 1:
            raise ScanError(
                "bad_option",
                f"limit is {self.limit}; it must be at least 1",
                tried="reading the option limit",
                advice="Leave it out to select all.",
            )

    @property
    def takes_whole_workloads(self) -> bool:
        """Whether the pods of a workload are selected all or none, but for those that have ended."""
        picks = (self.pods, self.exclude_pods, self.label_selectors, self.field_selectors)
        return not any(picks) and self.limit is None

    @property
    def named_namespaces(self) -> tuple[str, ...]:
        """The namespaces that are known without a list: those given by name, if there are no selectors."""
        return (
            ()
            if self.namespace_selectors
            else tuple(name for name in self.namespaces if not is_pattern(name))
        )

    @cached_property
    def plain(self) -> Mapping[str, tuple[str, ...]]:
        """Kind (namespace and NAMED_KINDS) -> the names that were given, without the patterns: each of them is
        expected to give a target."""
        return {
            kind: tuple(dict.fromkeys(name for name in getattr(self, option) if not is_pattern(name)))
            for kind, option in _OPTION_OF.items()
        }

    @cached_property
    def plain_names(self) -> frozenset[Name]:
        """The same as a set."""
        return frozenset((kind, name) for kind, names in self.plain.items() for name in names)

    @cached_property
    def watched(self) -> frozenset[Name]:
        """(option, plain name) of images and of what is to be left out: names that had better be there."""
        listed = len(self.named_namespaces) < len(self.namespaces) or self.namespace_selectors
        options = [
            "images",
            *(
                option
                for option in _NAME_RULES
                if option.startswith("exclude_") and option != "exclude_namespaces"
            ),
            "exclude_workloads",
            # without a list of namespaces nobody knows whether there is one of that name
            *(["exclude_namespaces"] if listed else []),
        ]
        return frozenset(
            (option, name) for option in options for name in getattr(self, option) if not is_pattern(name)
        )

    def as_written(self, name: str) -> str:
        """A name as the operator wrote it, such as deploy/API for deployment/api."""
        return self._written.get(name, name)

    def excludes(self, kind: str, name: str) -> bool:
        """Whether an exclude_* option is about that very name."""
        return matches(name, getattr(self, "exclude_" + _OPTION_OF[kind]))

    @property
    def uses_workloads(self) -> bool:
        return bool(self.workloads or self.exclude_workloads)

    def namespace_obstacle(self, name: str) -> str:
        """The option that leaves the namespace out, "" if none does; the three methods below likewise."""
        return self._obstacle("namespaces", name)

    def pod_obstacle(self, name: str) -> str:
        return self._obstacle("pods", name)

    def workload_obstacle(self, kind: str, name: str) -> str:
        if self.workloads and not matches_workload(kind, name, self.workloads):
            return "workloads"
        return "exclude_workloads" if matches_workload(kind, name, self.exclude_workloads) else ""

    def container_obstacle(self, view: ContainerView) -> str:
        """Images are compared by the pod's reference, and by the id that the node reports, which holds the
        digest."""
        # a sidecar runs beside the containers as long as the pod does, though the API lists it with the init
        # containers
        if view.kind not in self.container_kinds and not (
            view.is_sidecar and "container" in self.container_kinds
        ):
            return "container_kinds"
        return self._obstacle("containers", view.name) or self._obstacle("images", *view.images)

    def selectors_of_pods(self) -> Selectors:
        return _selectors(
            label_selectors=("labelSelector", self.label_selectors),
            field_selectors=("fieldSelector", self.field_selectors),
        )

    def selectors_of_namespaces(self) -> Selectors:
        return _selectors(namespace_selectors=("labelSelector", self.namespace_selectors))

    def _obstacle(self, option: str, *names: str) -> str:
        wanted, unwanted = getattr(self, option), "exclude_" + option
        if wanted and not any(matches(name, wanted) for name in names):
            return option
        return unwanted if any(matches(name, getattr(self, unwanted)) for name in names) else ""


def _selectors(**options: tuple[str, tuple[str, ...]]) -> Selectors:
    return {option: (parameter, ",".join(texts)) for option, (parameter, texts) in options.items() if texts}


def _check_choice(option: str, given: tuple[str, ...], choices: tuple[str, ...]) -> None:
    if not given or not set(given) <= set(choices):
        raise ScanError(
            "bad_option",
            "{} is not one of {}".format(", ".join(given) or "nothing", ", ".join(choices)),
            tried=f"reading the option {option}",
        )
