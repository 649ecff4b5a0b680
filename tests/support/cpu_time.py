# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processor time of some work. A garbage collection of the whole test process can fall into it, and who shares the
processor makes it longer."""

from __future__ import annotations

import time
from typing import Callable

_ROUNDS = 4


def cpu_seconds(work: Callable[[], object], enough: float) -> float:
    """The least seconds of this process that the work takes. It is done once where that takes less than `enough`, else some
    times: what is slow by itself is slow each time."""
    least = float("inf")
    for _round in range(_ROUNDS):
        begun = time.process_time()
        work()
        least = min(least, time.process_time() - begun)
        if least < enough:
            break
    return least
