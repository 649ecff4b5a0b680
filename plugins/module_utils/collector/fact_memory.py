# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts that were read before in this process. Replicas of one image answer most queries alike, byte for byte; reading
such an answer again would only take time.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from .facts import Fact, Query
from .frames import Frame

_MAX_BYTES = 8 * 1024 * 1024
_MAX_ANSWER_BYTES = 256 * 1024

Frames = Mapping[str, Frame]


@dataclass(frozen=True)
class _Known:
    """A fact, and all that it was read from: frames by their names, None for those that were not there."""

    fact: Fact
    used: Mapping[str, Frame | None]

    @property
    def size(self) -> int:
        return sum(len(frame.payload) for frame in self.used.values() if frame)

    def is_from(self, frames: Frames) -> bool:
        return all(frames.get(name) == frame for name, frame in self.used.items())


class FactMemory:
    """At most `_MAX_BYTES` of answers, those that were used last. Threads share it."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Query, Frame], _Known] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def recall(self, query: Query, own: Frame, frames: Frames) -> Fact | None:
        """The fact that was read from these frames; None where it is not known."""
        with self._lock:
            known = self._known.get((query, own))
            if known is None or not known.is_from(frames):
                return None
            self._known.move_to_end((query, own))
            return known.fact

    def keep(self, query: Query, own: Frame, used: Mapping[str, Frame | None], fact: Fact) -> Fact:
        """Remembers a fact. Returns it with the number of its answer; as it is, where the answer is too large to remember."""
        known = _Known(fact.of_answer(next(self._numbers)), {own.name: own, **used})
        if known.size > _MAX_ANSWER_BYTES:
            return fact
        with self._lock:
            replaced = self._known.pop((query, own), None)
            self._known[query, own] = known
            self._size += known.size - (replaced.size if replaced else 0)
            while self._size > _MAX_BYTES:
                self._size -= self._known.popitem(last=False)[1].size
        return known.fact
