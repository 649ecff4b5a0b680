# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a condition, with a generous end: a busy machine can stall for seconds, and a test that is well does not get near
the end."""

from __future__ import annotations

import time
from typing import Callable

SECONDS = 60.0


def wait_until(is_so: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    """Returns when `is_so` gives something true. `what` is said where that does not come."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"within {seconds:g} s: {what}"
        time.sleep(0.01)
