# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of an approach before any target is touched. Each approach's file fills one
`ApproachKind`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable, Protocol

from ..access.rights import Right, are_for_helpers
from ..results.evidence import Evidence
from ..targets.selection import SelectedTarget
from .approach import Approach
from .debug_container import DebugOptions
from .image_helper import ImageOptions
from .pod_entry import ExecLimits, Means

# With each of these errors an approach that enters a container has not reached it, and another may.
NOT_ENTERED = frozenset(
    {
        "access_incomplete",
        "approach_forbidden",
        "container_not_running",
        "no_such_program",
        "not_permitted",
        "platform_unsupported",
    }
)


class GivenOptions(Protocol):
    """The options of all approaches, as the user gave them."""

    @property
    def debug(self) -> DebugOptions: ...

    @property
    def image(self) -> ImageOptions: ...


@dataclass(frozen=True)
class MissingOption:
    """An option of the task that an approach cannot do without, what it needs it for, and what to do."""

    option: str
    need: str
    advice: str

    def __str__(self) -> str:
        return f"no {self.option} is given"


@dataclass(frozen=True)
class Unchanged:
    """What is known beforehand of a scan that would add nothing to the cluster.

    `unknown`: one word for why only the scan itself tells whether it works; empty where it works.
    `condition`: the same as half a sentence, such as "if the image has a shell".
    """

    message: str = ""
    unknown: str = ""
    condition: str = ""


def _nothing_missing(_options: GivenOptions) -> MissingOption | None:
    return None


def _no_bad_option(_options: GivenOptions) -> None:
    return None


def _suits_every_pod(_pod_spec: Mapping[str, Any]) -> bool:
    return True


@dataclass(frozen=True)
class ApproachKind:
    """
    name            its word in options and results
    rights          what its scanner needs, on the pods that it enters
    evidence        how far its facts can be trusted, whatever the target; what lowers it for one target is
                    said with that one's facts (Doubt)
    seconds         for one container, eight at a time, on the project's test bed (two cores for everything)
    goes_on         the errors with which it has not reached a target, so that `auto` tries the next approach.
                    All others (a reply that is not whole, a time-out, a lost connection) are the target's
                    result
    open            the approach for one run
    predict_change  what a scan would add to the target's pod: a v1 EphemeralContainer, None for nothing. It
                    raises ScanError for why the target would not be scanned, as far as the pod tells that
    missing_option  the option that it lacks, None where there is none
    check_options   raises ScanError bad_option for a value of its options that it cannot use
    suits           whether it can enter a pod of that v1 PodSpec at all
    unchanged       what a preflight says where nothing would be added to the pod
    """

    name: str
    rights: tuple[Right, ...]
    evidence: Evidence
    seconds: float
    goes_on: frozenset[str]
    open: Callable[[Means, GivenOptions], Approach]
    predict_change: Callable[[SelectedTarget, GivenOptions, ExecLimits], Mapping[str, Any] | None]
    missing_option: Callable[[GivenOptions], MissingOption | None] = _nothing_missing
    check_options: Callable[[GivenOptions], None] = _no_bad_option
    suits: Callable[[Mapping[str, Any]], bool] = _suits_every_pod
    unchanged: Unchanged = Unchanged()

    @property
    def makes_pods(self) -> bool:
        """Whether it works in helper pods of its own, once for each image, and touches no pod of a target."""
        return are_for_helpers(self.rights)
