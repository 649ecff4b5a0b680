# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Regular expressions of profiles, applied to texts of containers: checked when loaded, bounded when used."""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Iterable
from typing import Any

try:
    from re import _parser as _sre  # type: ignore[attr-defined]
except ImportError:  # Python 3.10 and older
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import sre_parse as _sre

# Time grows with a power of a line's length at worst, as patterns whose time grows exponentially are refused.
# So a line is searched only up to a length that no honest configuration file has.
LINE_LIMIT = 4096


class LineTooLongError(Exception):
    """A line is too long to be searched, so it is not known whether the pattern matches."""


def check_pattern(pattern: str) -> None:
    """Check that `pattern` is a regular expression of Python that needs no exponential time.

    Refused are back references, and in a repeat without an upper bound another such repeat or a choice, as in
    (a+)+ and (a|ab)+: with them a short hostile text can keep the processor busy for years.

    :raises ValueError: `pattern` is refused
    """
    try:
        compile_pattern(pattern)
        parsed = _sre.parse(pattern, re.MULTILINE)
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
        repeats = name in ("MAX_REPEAT", "MIN_REPEAT") and argument[1] == _sre.MAXREPEAT
        if within_repeat and (repeats or name == "BRANCH"):
            return True
        if any(_explodes(inner, within_repeat or repeats) for inner in _inner_patterns(argument)):
            return True
    return False


def _inner_patterns(argument: Any) -> Iterable[Any]:
    if isinstance(argument, _sre.SubPattern):
        yield argument
    elif isinstance(argument, (list, tuple)):
        for item in argument:
            yield from _inner_patterns(item)


@functools.lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """The compiled pattern. `^` and `$` match at the ends of a line, as in Ruby and grep."""
    return re.compile(pattern, re.MULTILINE)


def find_line(pattern: str, text: str) -> int | None:
    """The number of the first line of `text` in which `pattern` is found, from 1; None if there is none.

    :raises LineTooLongError: no line matches, and one was too long to be searched
    """
    search = compile_pattern(pattern).search
    skipped = 0
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LINE_LIMIT:
            skipped = skipped or number
        elif search(line):
            return number
    if skipped:
        raise LineTooLongError(f"line {skipped} is longer than the {LINE_LIMIT} characters that are searched")
    return None
