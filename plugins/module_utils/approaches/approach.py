# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every approach offers: a session on one target, and its facts, or the reason why there are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..collector.facts import Facts
from ..collector.request import CollectionRequest
from ..results.evidence import Doubt
from ..targets.selection import SelectedTarget
from .session import Checked, Footprint, Session, ShellContainer

__all__ = ["Approach", "Collected", "Footprint", "collected_in"]


@dataclass(frozen=True)
class Collected:
    """Facts, and how they were had: the approach that was really taken, and what stays of it in the cluster.

    `passed_over`: approaches that were tried before and could not reach the target, each with the reason of
    its error. `shell` and `is_looked_at`: as of Entered. `doubts`: what lowers the evidence of this target, besides
    what the approach and its footprint tell. `checked`: where a cross-check was asked for.
    """

    facts: Facts
    approach: str
    footprint: Footprint | None = None
    shell: ShellContainer | None = None
    is_looked_at: bool = True
    passed_over: tuple[tuple[str, str], ...] = ()
    doubts: tuple[Doubt, ...] = ()
    checked: Checked | None = None


def collected_in(session: Session, facts: Facts) -> Collected:
    """Facts that a session has given."""
    entered = session.entered
    return Collected(
        facts,
        entered.approach,
        entered.footprint,
        entered.shell,
        entered.is_looked_at,
        entered.passed_over,
        entered.doubts,
        entered.checked,
    )


class Approach(Protocol):
    """A way to reach targets, while a run uses it. Safe to call from several threads.

    `name` is the approach's word in options and results, `execs` the number of execs begun so far, `added` what
    was added to pods so far, also where the scan then failed, and `not_ended` what of it still runs, although it
    was told to end; that is known when the approach is closed.
    """

    @property
    def name(self) -> str: ...

    @property
    def execs(self) -> int: ...

    @property
    def added(self) -> list[Footprint]: ...

    @property
    def not_ended(self) -> list[Footprint]: ...

    def enter(self, selected: SelectedTarget) -> Session:
        """An open session on one target, whose shell has answered. Nothing of it is left running when it is
        closed, unless an option asks for that.

        :raises ScanError: why the target cannot be reached
        """

    def collect(self, selected: SelectedTarget, request: CollectionRequest) -> Collected:
        """The facts of one target: a session of one request, which is one exec.

        :raises ScanError: why the target cannot be reached, or its reply is not whole
        """

    def close(self) -> None:
        """Ends what serves several targets. Nothing is collected afterwards."""
