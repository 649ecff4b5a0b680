# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The approach `auto`: for each target the first approach, in a given order, that can reach it.

It goes on only where an approach has not reached the target (ApproachKind.goes_on): going on after any other
failure would hide it. What an approach could not do for one container of an image, because of the image, it
is not asked to do for the others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Callable, TypeVar

from ..cluster.request_log import RequestLog
from ..collector.request import CollectionRequest
from ..errors import ScanError
from ..targets.identity import Target
from ..targets.selection import SelectedTarget
from .approach import Approach, Collected
from .registry import kind_of
from .session import Footprint, Session

Result = TypeVar("Result")
NAME = "auto"
# What the image alone decides, of the errors with which an approach has not reached a target.
_OF_IMAGE = frozenset({"no_such_program"})
# The only approach that was tried failed with this: the approach that would reach the target, and what it lacks.
_WOULD_REACH = {
    "no_such_program": (
        "debug",
        "Set scanner_image (scan_scanner_image in the role) to an image with sh and sleep: a debug container beside "
        "it then reaches it.",
    ),
    "container_not_running": (
        "image",
        "Wait until it runs, or find out why it does not (crash, image pull, finished). With scanner_image and "
        "helper_namespace auto looks at its image.",
    ),
}


class AutoApproach:
    """Tries approaches one after the other. `passed_over` of what it collects says why each earlier one was
    not taken."""

    name = NAME

    def __init__(
        self, approaches: Sequence[Approach], left_out: Mapping[str, str], log: RequestLog | None = None
    ) -> None:
        """
        :param approaches: in the order in which they are tried
        :param left_out: why the others are not tried at all, by name
        :param log: is told what was tried
        """
        self._log = log or RequestLog()
        self.approaches = list(approaches)
        self._left_out = dict(left_out)
        self._lock = threading.Lock()
        self._learnt: dict[tuple[str, str], ScanError] = {}

    @property
    def execs(self) -> int:
        return sum(approach.execs for approach in self.approaches)

    @property
    def added(self) -> list[Footprint]:
        return [footprint for approach in self.approaches for footprint in approach.added]

    @property
    def not_ended(self) -> list[Footprint]:
        return [footprint for approach in self.approaches for footprint in approach.not_ended]

    def enter(self, selected: SelectedTarget) -> Session:
        """A session by the first approach that reaches the target; raises as `collect`."""
        session, refusals = self._first(selected, lambda approach: approach.enter(selected))
        session.entered = replace(session.entered, passed_over=_reasons(refusals))
        return session

    def collect(self, selected: SelectedTarget, request: CollectionRequest) -> Collected:
        """The facts of one target by the first approach that reaches it.

        :raises ScanError: no_approach, with what each approach said; or the failure of the approach that
            reached it
        """
        collected, refusals = self._first(selected, lambda approach: approach.collect(selected, request))
        return replace(collected, passed_over=_reasons(refusals))

    def _first(
        self, selected: SelectedTarget, work: Callable[[Approach], Result]
    ) -> tuple[Result, list[tuple[str, ScanError]]]:
        """What the work gives by the first approach that reaches the target, and why each earlier one does
        not."""
        refusals: list[tuple[str, ScanError]] = []
        for approach in self.approaches:
            learnt = self._what_was_learnt(approach, selected.target)
            if learnt is not None:
                tried = f"scanning {selected.target.path} by {approach.name}"
                again = ScanError(
                    learnt.reason, learnt.message, tried=tried, cause=learnt.cause, advice=learnt.advice
                )
                refusals.append((approach.name, again))
                continue
            begun = time.monotonic()
            try:
                return work(approach), refusals
            except ScanError as error:
                if error.reason not in kind_of(approach.name).goes_on:
                    raise
                self._learn(approach, selected.target, error)
                refusals.append((approach.name, error))
                self._log.tell(
                    f"{selected.target.path}: not by {approach.name} ({error.reason}), after "
                    f"{time.monotonic() - begun:.2f} s"
                )
        raise self._failure(selected.target, refusals)

    def close(self) -> None:
        for approach in self.approaches:
            approach.close()

    def _what_was_learnt(self, approach: Approach, target: Target) -> ScanError | None:
        with self._lock:
            return self._learnt.get((approach.name, target.image_id)) if target.image_id else None

    def _learn(self, approach: Approach, target: Target, error: ScanError) -> None:
        if error.reason in _OF_IMAGE and target.image_id:
            with self._lock:
                self._learnt[approach.name, target.image_id] = error

    def _failure(self, target: Target, refusals: Sequence[tuple[str, ScanError]]) -> ScanError:
        error = refusals[0][1]
        if error.reason == "access_incomplete":
            # nothing could be tried: that the pod has no sidecar either says nothing more
            refusals = [each for each in refusals if each[1].reason != "no_sidecar"]
        if len({(refused.reason, refused.message) for _name, refused in refusals}) == 1:
            # one was tried, or one obstacle stood before all
            reached, advice = _WOULD_REACH.get(error.reason, ("", ""))
            return ScanError(
                error.reason,
                error.message,
                tried=error.tried,
                cause=error.cause,
                advice=advice if reached in self._left_out else error.advice,
            )
        said = [f"{name}: {error.message} ({error.reason})" for name, error in refusals]
        said += [f"{name}: {why}" for name, why in self._left_out.items()]
        return ScanError("no_approach", "; ".join(said), tried=f"scanning {target.path} by auto")


def _reasons(refusals: Sequence[tuple[str, ScanError]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, error.reason) for name, error in refusals)
