# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plugin of pytest for `make coverage`: threads that are started without `threading` are traced as the others are.

The body of a task runs in such a thread (plugins/module_utils/tasks/interrupts.py), and nearly all of the engine with it.
"""

from __future__ import annotations

import _thread
import sys
from collections.abc import Mapping
from typing import Any, Callable

_start = _thread.start_new_thread


def _start_traced(
    function: Callable[..., Any], arguments: tuple[Any, ...] = (), options: Mapping[str, Any] | None = None
) -> int:
    trace = sys.gettrace()

    def traced() -> None:
        sys.settrace(trace)
        function(*arguments, **(options or {}))

    return _start(traced, ())


# before the engine is imported, which takes the function by its name; `threading` has taken the other one long ago
_thread.start_new_thread = _start_traced
