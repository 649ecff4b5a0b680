# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Order of package versions: Debian's rule, widened so that it also orders those of apk and rpm."""

from __future__ import annotations

import re
from typing import Tuple

# apk marks what comes before a release with _alpha, _beta, _pre and _rc; Debian and rpm do with a tilde.
_APK_BEFORE_RELEASE = re.compile(r"_(?=alpha|beta|pre|rc)")
_PARTS = re.compile(r"(\D*)(\d*)")

# A number as (how many digits, digits): versions come from containers, and long ones must cost nothing.
_Number = Tuple[int, str]
_Pair = Tuple[Tuple[int, ...], _Number]
_END: _Pair = ((0,), (0, ""))

# Hashable: lists of versions are compared by counting their keys.
VersionKey = Tuple[_Number, Tuple[_Pair, ...], Tuple[_Pair, ...]]


def version_key(version: str) -> VersionKey:
    """A key that sorts as deb-version(7) says: epoch, upstream version, revision; digits as numbers, "~" before
    the end, letters before other characters. rpm's "^" sorts right after the end.
    """
    text = _APK_BEFORE_RELEASE.sub("~", version.strip())
    epoch, colon, rest = text.partition(":")
    if not (colon and epoch.isdigit()):
        epoch, rest = "0", text
    upstream, _dash, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
    return _number(epoch), _part_key(upstream), _part_key(revision)


def _number(digits: str) -> _Number:
    significant = digits.lstrip("0")
    return len(significant), significant


def _part_key(text: str) -> Tuple[_Pair, ...]:
    # The end of a run of non-digits counts as 0, so that "~" (-1) comes before it and all others after it; missing
    # digits count as the number 0. Exactly one empty pair ends each key: "1" is above "1~", and "" equals "0".
    pairs = [((*map(_weight, word), 0), _number(number)) for word, number in _PARTS.findall(text)]
    while pairs and pairs[-1] == _END:
        pairs.pop()
    return (*pairs, _END)


def _weight(char: str) -> int:
    if char == "~":
        return -1
    if char == "^":
        return 1
    return ord(char) if char.isalpha() else ord(char) + 0x110000
