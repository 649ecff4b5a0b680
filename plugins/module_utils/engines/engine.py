# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an engine is: it holds the profiles that are written for it, says what it needs of a target, and
judges it.

Everything before an engine (selection, access, approaches, collection) and everything after it (waivers,
attestations, documents, reports) is the same for all engines.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

from ..approaches.session import Session
from ..collector.facts import Asked, Facts, Query
from ..results.model import ProfileResult
from ..targets.selection import SelectedTarget
from ..vocabulary.pattern_search import TARGET_SECONDS

# Seconds for the searches of patterns in one target's texts, all together.
SEARCH_SECONDS = TARGET_SECONDS


class Profile(Protocol):
    """What is known of a profile whatever its engine: `engine` is the name of the one that judges by it."""

    @property
    def engine(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def sha256(self) -> str: ...


@dataclass(frozen=True)
class Subject:
    """One target as an engine sees it.

    `facts`: the answers to all queries of the run, and the operating system. `session`: open on the target
    while it is judged, where an engine of the run needs one; None otherwise, and always where kept facts are
    judged. `seconds`: for the searches of patterns in the target's texts, all together. `cancel` ends them.
    """

    selected: SelectedTarget
    facts: Facts
    session: Session | None = None
    seconds: float = SEARCH_SECONDS
    cancel: threading.Event | None = None


@dataclass(frozen=True)
class Verdicts:
    """One result for each profile of the engine, in their order. `unread`: {fact, status, cause} of what the
    engine itself could not learn of the target; facts that were collected for it are not repeated."""

    results: list[ProfileResult]
    unread: tuple[dict[str, str], ...] = ()


class Engine(Protocol):
    """Safe to call from several threads. A test whose evidence could not be had is never passed."""

    @property
    def name(self) -> str: ...

    @property
    def needs_session(self) -> bool:
        """Whether it asks the target itself, one question after another."""

    def queries(self) -> tuple[Query, ...]:
        """What is to be collected of each target before it is judged."""

    def judge(self, subject: Subject) -> Verdicts:
        """:raises ScanError: where the target cannot be judged at all; cancelled"""

    def asked(self, subject: Subject) -> Asked:
        """What its profiles ask of the facts that are sensitive: with it alone, kept facts give the same verdicts."""
