# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an approach's name to the approach, and what it would do to a target, told beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import ScanError
from ..targets.selection import SelectedTarget
from . import auto, debug, exec, image, sidecar
from .approach import Approach
from .debug_container import DebugOptions
from .forbidden import PermittedApproach, Rules, check_permitted, permitted
from .image_helper import ImageOptions, image_reference
from .pod_entry import ExecLimits, Means, check_platform, check_state

APPROACHES = (exec.NAME, sidecar.NAME, debug.NAME, image.NAME, auto.NAME)
# What enters containers that are there, and so needs no image of its own.
_ADDS_NOTHING = frozenset({exec.NAME, sidecar.NAME})


@dataclass(frozen=True)
class ApproachOptions:
    """The approach that was asked for, the options of each, and for `auto` which are tried in which order.

    `image_side`: beside the running container its image is looked at, for drift.
    """

    name: str
    debug: DebugOptions
    image: ImageOptions
    order: tuple[str, ...] = auto.ORDER
    forbidden: Rules = ()
    image_side: bool = False

    def chosen(self) -> tuple[str, ...]:
        """The approaches that are tried: the one, or for `auto` those whose options are given."""
        if self.name != auto.NAME:
            return (self.name,)
        return tuple(name for name in self.order if not self.lacks(name))

    def has_helpers(self) -> bool:
        """Whether helper pods are made."""
        return image.NAME in self.chosen() or (self.image_side and not self.lacks(image.NAME))

    def lacks(self, name: str) -> str:
        """Why an approach cannot be tried with these options, empty where it can."""
        if name not in _ADDS_NOTHING and not self.debug.image:
            return "no scanner_image is given"
        if name == image.NAME and not self.image.namespace:
            return "no helper_namespace is given"
        return ""

    def refusals(self, selected: SelectedTarget) -> list[ScanError]:
        """Why rules forbid approaches that would be tried for the target, in their order."""
        found: list[ScanError] = []
        for name in self.chosen():
            try:
                check_permitted(self.forbidden, name, selected)
            except ScanError as error:
                found.append(error)
        return found

    def looked_at_by_image(self, targets: Sequence[SelectedTarget]) -> list[SelectedTarget]:
        """The targets whose images may be looked at."""
        return [
            selected
            for selected in targets
            if not self.forbidden or permitted(self.forbidden, (image.NAME,), selected.pod.object())
        ]


def open_approach(means: Means, options: ApproachOptions) -> Approach:
    """The approach that the options name; what it needs of them was checked by `check_options`."""
    if options.name != auto.NAME:
        return open_one(options.name, means, options)
    left_out = {name: options.lacks(name) for name in options.order if options.lacks(name)}
    return auto.AutoApproach([open_one(name, means, options) for name in options.chosen()], left_out)


def open_one(name: str, means: Means, options: ApproachOptions) -> Approach:
    """One approach by its name, held to the rules that forbid it for some pods."""
    if options.forbidden:
        allowed = (
            replace(means, targets=options.looked_at_by_image(means.targets)) if name == image.NAME else means
        )
        return PermittedApproach(open_one(name, allowed, replace(options, forbidden=())), options.forbidden)
    if name == debug.NAME:
        return debug.DebugApproach(means, options.debug)
    if name == image.NAME:
        return image.ImageApproach(means, options.image)
    if name == sidecar.NAME:
        return sidecar.SidecarApproach(means)
    return exec.ExecApproach(means)


def check_options(options: ApproachOptions) -> None:
    """:raises ScanError: bad_option, where the approach lacks an option or one has a value that it cannot use"""
    if options.name == auto.NAME:
        if not options.order or len(set(options.order)) != len(options.order):
            raise ScanError(
                "bad_option",
                "it names no approach, or one of them twice",
                tried="reading the option approaches",
            )
        if not options.chosen():
            raise ScanError(
                "bad_option",
                "; ".join(f"{name}: {options.lacks(name)}" for name in options.order),
                tried="reading the option approaches",
            )
    elif options.name not in _ADDS_NOTHING and not options.debug.image:
        raise ScanError(
            "bad_option",
            f"the approach {options.name} needs an image for its container",
            tried="reading the option scanner_image",
            advice="Name any image with a POSIX shell and sleep that the clusters' nodes can pull, or have.",
        )
    elif options.name == image.NAME and not options.image.namespace:
        raise ScanError(
            "bad_option",
            "the approach image needs a namespace for its helper pods",
            tried="reading the option helper_namespace",
            advice="Create one for scans alone; it may enforce Pod Security's level restricted.",
        )
    if not 0 <= options.debug.keep_alive <= debug.MAXIMUM_KEEP_ALIVE:
        raise ScanError(
            "bad_option",
            f"debug_keep_alive is {options.debug.keep_alive} s; it must be between 0 and "
            f"{debug.MAXIMUM_KEEP_ALIVE} s",
            tried="reading the option debug_keep_alive",
        )


def check_image_side(options: ApproachOptions) -> None:
    """:raises ScanError: bad_option, where drift is asked for and either side could not be had"""
    lacks = options.lacks(image.NAME)
    if lacks or options.chosen() == (image.NAME,):
        raise ScanError(
            "bad_option",
            "drift compares a running container with its image: %s"
            % (lacks or "the approach image does not look at the container"),
            tried="reading the option drift",
            advice="Give scanner_image and helper_namespace, and the approach exec, sidecar, debug or auto.",
        )


def check_targets(options: ApproachOptions, targets: Sequence[SelectedTarget]) -> None:
    """:raises ScanError: bad_option, where helper pods would run among the targets"""
    if options.has_helpers() and any(
        selected.target.namespace == options.image.namespace for selected in targets
    ):
        raise ScanError(
            "bad_option",
            f"helper_namespace {options.image.namespace} holds targets of this scan",
            tried="reading the option helper_namespace",
            advice="Choose a namespace for helper pods alone, or leave that one out (exclude_namespaces).",
        )


def foresee(options: ApproachOptions, selected: SelectedTarget, limits: ExecLimits) -> dict[str, Any] | None:
    """The ephemeral container that a scan would add to the target's pod, None where it would add none, or where only
    trying tells (auto).

    :raises ScanError: why the target would not be scanned, as far as its pod tells that
    """
    if options.name == auto.NAME:
        return None
    check_permitted(options.forbidden, options.name, selected)
    if options.name == image.NAME:
        check_platform(selected, image.NAME)
        image_reference(selected.target)
        return None
    check_state(selected, options.name)
    if options.name == exec.NAME:
        return None
    pod, tried = selected.pod.object(), f"scanning {selected.target.path} by {options.name}"
    if options.name == sidecar.NAME:
        sidecar.find_sidecar(pod, selected.target)
        return None
    wanted = debug.debug_container(pod, selected.target, options.debug, limits.timeout, "")
    return None if wanted.find(pod, frozenset(), limits.timeout) else wanted.entry(pod, tried)
