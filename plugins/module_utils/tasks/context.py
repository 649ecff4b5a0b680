# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every task needs of its surroundings, whether it runs in the controller process or as a module."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Callable, List, Mapping

Say = Callable[[str], None]


def _silent(text: str) -> None:
    """A module cannot stream lines while it runs; an action plugin gives a function that can."""


@dataclass
class TaskContext:
    """`environ` are the task's environment variables, `say` shows a progress line at once, `warnings` are shown at
    the end. `cancel` is set when the task is interrupted or runs into Ansible's time-out."""

    check_mode: bool
    environ: Mapping[str, str]
    say: Say = _silent
    warnings: List[str] = field(default_factory=list)
    cancel: threading.Event = field(default_factory=threading.Event)
