# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The approach `sidecar`: a shell in a sidecar that `scan_sidecar` has put beside the target. It adds nothing
to any pod."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..access.rights import ENTER, SEE
from ..collector.view import TargetView
from ..errors import ScanError
from ..results.evidence import EVIDENCE_BESIDE, Evidence
from ..targets.identity import Target
from ..targets.own_containers import (
    alleged_sidecars,
    foreign_in_sidecar,
    held_capabilities,
    looks_like_sidecar,
)
from ..targets.pod import ContainerView, container_state, containers_of
from ..targets.selection import SelectedTarget
from .approach_kind import NOT_ENTERED, ApproachKind, GivenOptions, MissingOption, Unchanged
from .beside_target import identity_of, privileged_target, running_target, view_of
from .pod_entry import ExecLimits, Means, PresentShellApproach, check_state
from .session import Entered

NAME = "sidecar"


class SidecarApproach(PresentShellApproach):
    """One exec per target into the sidecar, with the scanner's token only, from where debug looks, too."""

    name = NAME

    def __init__(self, means: Means, image: str) -> None:
        """:param image: the scanner image, by which a sidecar is known to be ours"""
        super().__init__(means)
        self._image = image

    def _check_selected(self, selected: SelectedTarget) -> None:
        find_sidecar(selected.pod.object(), selected.target, self._image)

    def _find_shell(self, pod: Mapping[str, Any], target: Target) -> tuple[str, TargetView]:
        return find_sidecar(pod, target, self._image)

    def _check_shell_container(self, pod: Mapping[str, Any], entered: Entered) -> None:
        tried = f"scanning {entered.path} by {NAME}"
        if entered.place.container not in [view.name for view in _proven_sidecars(pod, self._image, tried)]:
            raise ScanError("foreign_scanner", f"{entered.place.container} is another one now", tried=tried)


def find_sidecar(pod: Mapping[str, Any], target: Target, image: str) -> tuple[str, TargetView]:
    """The name of a running sidecar that is able to look at the target, and how it finds it.

    :param image: the scanner image
    :raises ScanError: no_sidecar, foreign_scanner, sidecar_unfit, container_not_running, identity_unknown,
        target_privileged, platform_unsupported
    """
    tried = f"scanning {target.path} by {NAME}"
    sidecars = _proven_sidecars(pod, image, tried)
    if not (pod["spec"].get("shareProcessNamespace") or pod["spec"].get("hostPID")):
        raise ScanError(
            "sidecar_unfit",
            "the pod's containers do not share their processes",
            tried=tried,
            cause="shareProcessNamespace was taken out of the pod template after scan_sidecar had set it.",
        )
    running_view = running_target(pod, target, tried)
    identity = identity_of(pod, running_view, tried)
    held = held_capabilities(running_view.spec, identity[0])
    if held is not None:
        raise privileged_target(running_view.spec, held, tried, "a sidecar")
    return _running(pod, _fitting(pod, sidecars, identity, tried), tried), view_of(running_view, tried)


def _proven_sidecars(pod: Mapping[str, Any], image: str, tried: str) -> list[ContainerView]:
    """The sidecars of which all is as `scan_sidecar` makes it.

    :raises ScanError: no_sidecar; foreign_scanner, where there are only containers that look like one
    """
    alleged = [view for view in containers_of(pod) if looks_like_sidecar(view.kind, view.spec)]
    if not alleged:
        raise ScanError("no_sidecar", "the pod has no sidecar for scans", tried=tried)
    foreign = {view.name: foreign_in_sidecar(view, image) for view in alleged}
    proven = [view for view in alleged if not foreign[view.name]]
    if not proven:
        raise ScanError(
            "foreign_scanner",
            "; ".join(
                f"the {field} of {name} is not what scan_sidecar makes" for name, field in foreign.items()
            ),
            tried=tried,
            cause="Somebody else has made or changed it, or it runs another image than scanner_image names.",
        )
    return proven


def _fitting(
    pod: Mapping[str, Any], sidecars: list[ContainerView], identity: tuple[int, int], tried: str
) -> list[ContainerView]:
    known = [(view, identity_of(pod, view, tried)) for view in sidecars]
    fitting = [view for view, own in known if own == identity]
    if not fitting:
        raise ScanError(
            "sidecar_unfit",
            "the target runs as {}:{}, {}".format(
                *identity, ", ".join("{} as {}:{}".format(view.name, *own) for view, own in known)
            ),
            tried=tried,
        )
    return fitting


def _running(pod: Mapping[str, Any], sidecars: list[ContainerView], tried: str) -> str:
    states = [container_state(pod, view) for view in sidecars]
    for view, (state, _reason) in zip(sidecars, states):
        if state == "running":
            return view.name
    raise ScanError(
        "no_sidecar",
        "; ".join(
            "{} is {}{}".format(view.name, state, f" ({reason})" if reason else "")
            for view, (state, reason) in zip(sidecars, states)
        ),
        tried=tried,
        cause="The sidecar does not run.",
        advice="Look at the pod's events, then run again.",
    )


def _missing_option(options: GivenOptions) -> MissingOption | None:
    if options.debug.image:
        return None
    return MissingOption(
        "scanner_image",
        "the image of its sidecars, by which they are told from others",
        "Name the image that scan_sidecar was given, in the same words.",
    )


def _predict_change(selected: SelectedTarget, options: GivenOptions, _limits: ExecLimits) -> None:
    check_state(selected, NAME)
    find_sidecar(selected.pod.object(), selected.target, options.debug.image)


KIND = ApproachKind(
    name=NAME,
    rights=(ENTER, SEE),
    evidence=Evidence(
        EVIDENCE_BESIDE,
        ("The sidecar is in the pod all the time, so the target could prepare for the scan's shell.",),
    ),
    seconds=0.9,
    goes_on=NOT_ENTERED
    | {
        "foreign_scanner",
        "identity_unknown",
        "no_sidecar",
        "sidecar_unfit",
        "target_missing",
        "target_privileged",
        "target_unreadable",
    },
    open=lambda means, options: SidecarApproach(means, options.debug.image),
    predict_change=_predict_change,
    unchanged=Unchanged("a sidecar runs beside it, and is able to look at it"),
    missing_option=_missing_option,
    suits=lambda pod_spec: bool(alleged_sidecars(pod_spec)),
)
