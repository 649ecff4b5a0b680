# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deadline and a cancel event in one: everything that waits for a server obeys both."""

from __future__ import annotations

import select
import threading
import time

from ..errors import ScanError

# An event cannot be waited for together with a socket, so long waits are cut into slices of this many
# seconds.
CANCEL_SLICE = 0.1


class Deadline:
    """Ends `seconds` from now, or when `cancel` is set. `tried` says in errors what was being done."""

    def __init__(self, seconds: float, cancel: threading.Event | None = None, tried: str = "") -> None:
        self.seconds = seconds
        self.cancel = cancel
        self.tried = tried
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """:raises ScanError: cancelled, timed_out"""
        self.check_cancel()
        if self.remaining() <= 0:
            raise ScanError("timed_out", f"our deadline of {self.seconds:g} s passed", tried=self.tried)

    def check_cancel(self) -> None:
        """:raises ScanError: cancelled"""
        if self.cancel is not None and self.cancel.is_set():
            raise ScanError("cancelled", "cancelled while it was under way", tried=self.tried)

    def slice(self, at_most: float | None = None) -> float:
        """How many seconds one wait is allowed to last before `check` must be called again."""
        seconds = self.remaining() if self.cancel is None else min(self.remaining(), CANCEL_SLICE)
        return seconds if at_most is None else max(0.0, min(seconds, at_most))

    def sleep(self, seconds: float) -> None:
        """Pause for `seconds`. A pause that is over is no failure, though the machine may have taken longer to wake
        us than the deadline had left: the caller looks once more, and says what is missing.

        :raises ScanError: cancelled; timed_out, where the deadline comes before the end of the pause
        """
        end = time.monotonic() + seconds
        while True:
            self.check_cancel()
            left = end - time.monotonic()
            if left <= 0:
                return
            self.check()
            if self.cancel is None:
                time.sleep(self.slice(left))
            else:
                self.cancel.wait(self.slice(left))

    def narrowed(self, seconds: float) -> Deadline:
        """The same deadline, or `seconds` from now if that is earlier."""
        return Deadline(min(seconds, self.remaining()), self.cancel, self.tried)


def poll(descriptor: int, events: int, seconds: float) -> bool:
    """Wait until a socket has something to read (select.POLLIN) or room to write (select.POLLOUT).

    :return: False if nothing has come within that time
    """
    poller = select.poll()
    poller.register(descriptor, events)
    return bool(poller.poll(max(0, int(seconds * 1000 + 0.999))))
