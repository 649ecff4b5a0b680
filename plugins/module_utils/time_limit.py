# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a whole task's time, as an event: whatever obeys a cancel event obeys it, too."""

from __future__ import annotations

import threading
import time

# An event cannot be waited for together with another one, so waits are cut into slices of this many seconds.
_SLICE = 0.1


class TimeLimit(threading.Event):
    """An event that is set when its time has passed, when `parent` is set, or when it is set itself.

    :param seconds: from now; None for an event that no time sets
    :ivar seconds: the same
    """

    def __init__(self, seconds: float | None, parent: threading.Event | None = None) -> None:
        super().__init__()
        self.seconds = seconds
        self._parent = parent
        self._end = None if seconds is None else time.monotonic() + seconds

    @property
    def has_passed(self) -> bool:
        """Whether it is the time, and nobody's wish, that has set it."""
        interrupted = self._parent is not None and self._parent.is_set()
        return self._is_over() and not interrupted

    def remaining(self) -> float | None:
        """Seconds left, never negative; None where no time sets it."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def with_grace(self, seconds: float) -> TimeLimit:
        """What a clean-up obeys that begins now: it is set that long after the later of now and this one's time, whatever the
        parent does; never where no time sets this one."""
        left = self.remaining()
        return TimeLimit(None if left is None else left + seconds)

    def is_set(self) -> bool:
        return super().is_set() or self._is_over() or (self._parent is not None and self._parent.is_set())

    def wait(self, timeout: float | None = None) -> bool:
        end = None if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            left = _SLICE if end is None else min(_SLICE, end - time.monotonic())
            if left <= 0:
                return False
            super().wait(min(left, self.remaining() or left))
        return True

    def _is_over(self) -> bool:
        return self._end is not None and time.monotonic() >= self._end
