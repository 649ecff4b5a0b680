# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task is given beside its options, and the connection by which it works as the grantor."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Callable

from ..cluster.connection import ClusterConnection, ConnectionOptions
from ..cluster.hub import connect_as_given
from ..cluster.request_log import RequestLog
from ..errors import ScanError

Say = Callable[[str], None]


def _silent(text: str) -> None:
    """A module cannot show lines while it runs; an action plugin gives a function that can."""


@dataclass
class TaskContext:
    """`environ`: the task's environment variables. `say` shows a progress line at once, `warnings` are shown
    at the end. `cancel` is set when the task is interrupted or runs into Ansible's time-out. `tell` gets the lines
    of `detail`, None where nobody wants them. `log` counts what is asked of the cluster, and tells it there.
    `columns` is the width of the terminal that people look at, 0 without one. `leaves` is what the task leaves in the
    cluster if it is interrupted now and its removals succeed; empty where it cannot tell."""

    check_mode: bool
    environ: Mapping[str, str]
    say: Say = _silent
    warnings: list[str] = field(default_factory=list)
    cancel: threading.Event = field(default_factory=threading.Event)
    columns: int = 0
    tell: Say | None = None
    leaves: str = ""

    def __post_init__(self) -> None:
        self.log = RequestLog(self.tell)

    def last_words(self, interruption: BaseException) -> str:
        """What an interrupted task has left in the cluster, for who has interrupted it; empty where it cannot tell.

        :param interruption: as `run_interruptible` raises it
        """
        error = interruption.__cause__
        if isinstance(error, ScanError) and error.reason == "access_remains":
            return f"interrupted; in the cluster remains: {error.message}. {error.advice}"
        return f"interrupted; {self.leaves}" if self.leaves else ""

    def detail(self, text: str) -> None:
        """A line for who wants to know how the task works (-vvv); it must hold no secret."""
        self.log.tell(text)


def connect_grantor(
    options: ConnectionOptions, context: TaskContext, cancel: threading.Event | None = None
) -> ClusterConnection:
    """The connection that the task's options and environment describe; its warnings become the task's.

    :param cancel: ends the wait for a hub; None for what ends the task
    """
    connection = connect_as_given(options, context.environ, context.log, cancel or context.cancel)
    context.warnings += connection.warnings
    return connection
