# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception of the test cluster, and how it speaks to the person at the terminal."""

from __future__ import annotations

import sys
from pathlib import Path

LOG_LINES_SHOWN = 20


class ClusterError(Exception):
    """Something about a test cluster failed. `log` is the file whose end explains it; it is read at once, since the
    cluster and its logs may be removed before the error is shown."""

    def __init__(self, message: str, log: Path | None = None) -> None:
        if log is not None:
            lines = ("  " + line for line in last_lines(log, LOG_LINES_SHOWN))
            message = "\n".join([message, f"The end of {log}:", *lines])
        super().__init__(message)


def last_lines(log: Path, count: int) -> list[str]:
    """The last `count` lines of a log file; one line that says so when there is no such file or it is empty."""
    if not log.exists():
        return ["(no such file)"]
    with log.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - 1000 * count))
        lines = stream.read().decode("utf-8", "replace").splitlines()
    return lines[-count:] or ["(empty)"]


def say(text: str) -> None:
    """Tell the person what is going on. Standard output is kept for what other programs read."""
    print(text, file=sys.stderr, flush=True)
