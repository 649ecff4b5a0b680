# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which version this is."""

from __future__ import annotations

import platform

from ..results.producer import COLLECTION, VERSION
from .arguments import Arguments
from .exit_status import PASSED
from .subcommand import Surroundings


def run(_arguments: Arguments, surroundings: Surroundings) -> int:
    surroundings.screen.lines([f"{COLLECTION} {VERSION}, Python {platform.python_version()}"])
    return PASSED
