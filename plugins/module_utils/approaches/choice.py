# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an approach's name to the approach, and what it would do to a target, told beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import ScanError
from ..targets.selection import SelectedTarget
from . import auto, image
from .approach import Approach
from .debug_container import DebugOptions
from .forbidden import PermittedApproach, Rules, check_permitted, permitted
from .image_helper import ImageOptions
from .pod_entry import ExecLimits, Means
from .registry import BY_TRUST, KINDS, kind_of

ORDER = tuple(kind.name for kind in KINDS)
APPROACHES = (*ORDER, auto.NAME)
# Whether a second approach checks what the first one says: not at all; where one reaches the target; or so that a target
# which none reaches counts as not scanned.
NEVER, POSSIBLE, REQUIRED = CROSS_CHECKS = ("never", "possible", "required")
# Those for which an access can be made beforehand: the others plan their pods themselves.
ENTERING = tuple(kind.name for kind in KINDS if not kind.makes_pods)


@dataclass(frozen=True)
class ApproachOptions:
    """The approach that was asked for, the options of each, and for `auto` which are tried in which order.

    `image_side`: beside the running container its image is looked at, for drift. `prefers_trust`: `auto` tries them in
    the order of BY_TRUST. `cross_check`: one of CROSS_CHECKS.
    """

    name: str
    debug: DebugOptions
    image: ImageOptions
    order: tuple[str, ...] = ORDER
    forbidden: Rules = ()
    image_side: bool = False
    prefers_trust: bool = False
    cross_check: str = NEVER

    def chosen(self) -> tuple[str, ...]:
        """The approaches that are tried: the one, or for `auto` those whose options are given."""
        if self.name != auto.NAME:
            return (self.name,)
        order = (
            [kind.name for kind in BY_TRUST if kind.name in self.order] if self.prefers_trust else self.order
        )
        return tuple(name for name in order if not self.missing_option(name))

    def witnesses(self) -> tuple[str, ...]:
        """The approaches that are tried for cross-checks."""
        if self.cross_check == NEVER:
            return ()
        return tuple(
            kind.name for kind in BY_TRUST if kind.name in self.order and not self.missing_option(kind.name)
        )

    def witnesses_of(self, first: str) -> tuple[str, ...]:
        """Those of them that can check what that approach has seen: of another grade, because what deceives one
        approach deceives all of its grade."""
        grade = kind_of(first).evidence.grade
        return tuple(name for name in self.witnesses() if kind_of(name).evidence.grade != grade)

    def used(self) -> tuple[str, ...]:
        """All that are tried, for a first look or for a cross-check."""
        return tuple(dict.fromkeys((*self.chosen(), *self.witnesses())))

    def has_helpers(self) -> bool:
        """Whether helper pods are made."""
        looks_at_images = self.image_side and not self.missing_option(image.NAME)
        return looks_at_images or any(kind_of(name).makes_pods for name in self.used())

    def missing_option(self, name: str) -> str:
        """Why an approach cannot be tried with these options, empty where it can."""
        return str(kind_of(name).missing_option(self) or "")

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
        """The targets whose images no rule forbids to look at."""
        return [
            selected
            for selected in targets
            if not self.forbidden or permitted(self.forbidden, (image.NAME,), selected.pod.object())
        ]


def open_approach(means: Means, options: ApproachOptions) -> Approach:
    """The approach that the options name; what it needs of them was checked by `check_options`."""
    if options.name != auto.NAME:
        return open_one(options.name, means, options)
    missing = {name: options.missing_option(name) for name in options.order}
    left_out = {name: why for name, why in missing.items() if why}
    tried = [open_one(name, means, options) for name in options.chosen()]
    return auto.AutoApproach(tried, left_out, means.access.log)


def open_one(name: str, means: Means, options: ApproachOptions) -> Approach:
    """One approach by its name, held to the rules that forbid it for some pods."""
    kind = kind_of(name)
    if not options.forbidden:
        return kind.open(means, options)
    if kind.makes_pods:
        means = replace(means, targets=options.looked_at_by_image(means.targets))
    return PermittedApproach(kind.open(means, options), options.forbidden)


def check_options(options: ApproachOptions) -> None:
    """:raises ScanError: bad_option, where the approach lacks an option or one has a value that it cannot
    use"""
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
                "; ".join(f"{name}: {options.missing_option(name)}" for name in options.order),
                tried="reading the option approaches",
            )
    else:
        missing = kind_of(options.name).missing_option(options)
        if missing:
            raise ScanError(
                "bad_option",
                f"the approach {options.name} needs {missing.need}",
                tried=f"reading the option {missing.option}",
                advice=missing.advice,
            )
    for kind in KINDS:
        kind.check_options(options)
    if options.cross_check == REQUIRED and not any(options.witnesses_of(name) for name in options.chosen()):
        raise ScanError(
            "bad_option",
            f"no second approach can check what {' or '.join(options.chosen())} sees",
            tried="reading the option cross_check",
            advice="Give scanner_image, and helper_namespace to look at images; name more approaches.",
        )


def check_image_side(options: ApproachOptions) -> None:
    """:raises ScanError: bad_option, where drift is asked for and either side could not be had"""
    missing = options.missing_option(image.NAME)
    if missing or options.chosen() == (image.NAME,):
        raise ScanError(
            "bad_option",
            "drift compares a running container with its image: %s"
            % (missing or "the approach image does not look at the container"),
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


def predict_change(
    options: ApproachOptions, selected: SelectedTarget, limits: ExecLimits
) -> Mapping[str, Any] | None:
    """The ephemeral container that a scan would add to the target's pod, None where it would add none, or
    where only trying tells (auto).

    :raises ScanError: why the target would not be scanned, as far as its pod tells that
    """
    if options.name == auto.NAME:
        return None
    check_permitted(options.forbidden, options.name, selected)
    return kind_of(options.name).predict_change(selected, options, limits)


def ways_into(pod: Mapping[str, Any], approaches: Sequence[str]) -> list[str]:
    """Those of the approaches that can enter a v1 Pod."""
    return [name for name in approaches if name in ENTERING and kind_of(name).suits(pod["spec"])]
