# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Regular expressions of profiles: checked when they are loaded."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any

from .pattern_cost import MAXREPEAT, inner_patterns, parse_pattern


def check_pattern(pattern: str) -> None:
    """Check that `pattern` is a regular expression of Python that needs no exponential time.

    Refused are back references, and in a repeat without an upper bound another such repeat or a choice, as in
    (a+)+ and (a|ab)+: with them a short hostile text can keep the processor busy for years. Other patterns can
    be slow too; how long a search takes at most is bounded where it is made (pattern_search.py).

    :raises ValueError: `pattern` is refused
    """
    try:
        compile_pattern(pattern)
        parsed = parse_pattern(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"the pattern cannot be read: {error}") from error
    if _explodes(parsed, within_repeat=False):
        raise ValueError(
            "the pattern has a repeat or a choice inside a repeat without bound, or refers back to a "
            "group; a hostile text could stop the scan with it"
        )


def _explodes(parsed: Iterable[Any], within_repeat: bool) -> bool:
    for operation, argument in parsed:
        name = str(operation)
        if name in ("GROUPREF", "GROUPREF_EXISTS"):
            return True
        repeats = name in ("MAX_REPEAT", "MIN_REPEAT") and argument[1] == MAXREPEAT
        if within_repeat and (repeats or name == "BRANCH"):
            return True
        if any(_explodes(inner, within_repeat or repeats) for inner in inner_patterns(argument)):
            return True
    return False


@functools.lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """The compiled pattern. `^` and `$` match at the ends of a line, as in Ruby and grep."""
    return re.compile(pattern, re.MULTILINE)
