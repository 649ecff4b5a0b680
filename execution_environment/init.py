# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first process of a container of the execution environment: runs a command, and ends when all that it left has ended.

    python3 init.py COMMAND [ARGUMENT...]

A job system cancels a job by ending ansible-runner. The scan that it leaves removes its access and then ends; the kernel would
kill it as soon as the first process of the container ends. So that process waits for it, for 45 seconds at most.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

# The removal of an access has 30 seconds (docs/time-and-resume.md).
_SECONDS = 45
_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


class _Command:
    """The command, and with what status it ended (None: it runs)."""

    def __init__(self, arguments: list[str]) -> None:
        self.status: int | None = None
        self._pid = 0
        for number in _FORWARDED:
            signal.signal(number, self._forward)
        signal.signal(signal.SIGALRM, self._give_up)
        self._pid = os.fork()
        if self._pid == 0:
            for number in (*_FORWARDED, signal.SIGALRM):
                signal.signal(number, signal.SIG_DFL)
            os.execvp(arguments[0], arguments)  # noqa: S606 - the image's own command

    def wait(self) -> int:
        """The exit status of the command, when there is no process left to wait for."""
        while True:
            try:
                pid, status = os.wait()
            except ChildProcessError:
                return self.status or 0
            if pid == self._pid:
                ended = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
                self.status = ended
                signal.alarm(_SECONDS)

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        if self._pid and self.status is None:
            os.kill(self._pid, number)

    def _give_up(self, _number: int, _frame: FrameType | None) -> None:
        os._exit(self.status or 0)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: init.py COMMAND [ARGUMENT...]")
    sys.exit(_Command(sys.argv[1:]).wait())
