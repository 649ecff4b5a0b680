# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an approach's name to the approach, and what it would do to a target, told beforehand."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Dict, Optional

from ..access.scanner import ScannerAccess
from ..cluster.limiter import Limiter
from ..errors import ScanError
from ..targets.selection import SelectedTarget
from . import debug, exec
from .approach import Approach
from .debug_container import DebugOptions
from .reached_pod import ExecLimits, check_state


@dataclass(frozen=True)
class Means:
    """What every approach works with."""

    access: ScannerAccess
    limiter: Limiter
    limits: ExecLimits
    cancel: threading.Event


def open_approach(name: str, means: Means, debug_options: DebugOptions) -> Approach:
    """The approach of that name; what it needs of the options was checked by `check_options`."""
    if name == debug.NAME:
        return debug.DebugApproach(means.access, means.limiter, means.limits, means.cancel, debug_options)
    return exec.ExecApproach(means.access, means.limiter, means.limits, means.cancel)


def check_options(name: str, debug_options: DebugOptions) -> None:
    """:raises ScanError: bad_option, where the approach lacks an option or one has a value that it cannot use"""
    if name != debug.NAME:
        return
    if not debug_options.image:
        raise ScanError("bad_option", "the approach debug needs an image for its container",
                        tried="reading the option debug_image",
                        advice="Name any image with a POSIX shell and sleep that the clusters' nodes can pull, or have.")
    if not 0 <= debug_options.keep_alive <= debug.MAXIMUM_KEEP_ALIVE:
        raise ScanError("bad_option", "debug_keep_alive is %d s; it must be between 0 and %d s"
                        % (debug_options.keep_alive, debug.MAXIMUM_KEEP_ALIVE),
                        tried="reading the option debug_keep_alive")


def foresee(name: str, selected: SelectedTarget, limits: ExecLimits,
            debug_options: DebugOptions) -> Optional[Dict[str, Any]]:
    """The ephemeral container that a scan would add to the target's pod, None where it would add none.

    :raises ScanError: why the target would not be scanned, as far as its pod tells that
    """
    check_state(selected, name)
    if name != debug.NAME:
        return None
    pod, tried = selected.pod.object(), "scanning %s by %s" % (selected.target.path, name)
    wanted = debug.debug_container(pod, selected.target, debug_options, limits.timeout, "")
    return None if wanted.find(pod, frozenset(), limits.timeout) else wanted.entry(pod, tried)
