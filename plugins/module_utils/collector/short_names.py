# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Short names for the script that is sent, long ones for the people who read its source.

A variable that belongs to one function or family is written `owner__word` (see shell_functions.py). The
script travels with every exec, so in what is sent each of these names is one or two letters. Two underscores
stand in nothing else than such names, and what comes from a request is never given to this function.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import product
from string import ascii_letters, ascii_uppercase

_NAME = re.compile(rb"\b[a-z]+__[a-z_]+")
# Where the list of all short names belongs: the script takes them out of its environment before it begins.
_ALL = b"SHORT_NAMES"
# One letter, or two of which the second is a capital: no keyword, and no variable with a meaning everywhere.
_SHORT = [*ascii_letters, *map("".join, product(ascii_letters, ascii_uppercase))]


def shorten_names(lines: Sequence[bytes]) -> list[bytes]:
    """The lines of the script's functions with short names: the most frequent name gets the shortest."""
    text = b"\n".join(lines)
    names = [name for name, _times in Counter(_NAME.findall(text)).most_common()]
    short = {name: letters.encode() for name, letters in zip(names, _SHORT)}
    text = _NAME.sub(lambda match: short[match.group()], text).replace(_ALL, b" ".join(short.values()))
    return text.split(b"\n")
