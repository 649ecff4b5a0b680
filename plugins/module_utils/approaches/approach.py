# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every approach offers: the facts of one target, or the reason why there are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..collector.facts import Facts
from ..collector.request import CollectionRequest
from ..targets.selection import SelectedTarget


@dataclass(frozen=True)
class Footprint:
    """What a scan leaves in the cluster until the pod is replaced: an entry in the pod's list of ephemeral containers.

    `is_new`: this run has added it; otherwise it was there and was used again.
    """

    namespace: str
    pod: str
    ephemeral_container: str
    is_new: bool


@dataclass(frozen=True)
class Collected:
    """Facts, and how they were had: the approach that was really taken, and what stays of it in the cluster.

    `passed_over`: approaches that were tried before and could not reach the target, each with the reason of its error.
    """

    facts: Facts
    approach: str
    footprint: Footprint | None = None
    passed_over: tuple[tuple[str, str], ...] = ()


class Approach(Protocol):
    """`name` is the approach's word in options and results, `execs` the number of execs begun so far, and `added` what
    was added to pods so far, also where the scan then failed."""

    @property
    def name(self) -> str: ...

    @property
    def execs(self) -> int: ...

    @property
    def added(self) -> list[Footprint]: ...

    def collect(self, selected: SelectedTarget, request: CollectionRequest) -> Collected:
        """The facts of one target; ScanError where it could not be reached or its reply is not whole.

        Safe to call from several threads. Nothing that it started is left running, unless an option asks for that.
        """

    def close(self) -> None:
        """Ends what serves several targets. Nothing is collected afterwards."""
