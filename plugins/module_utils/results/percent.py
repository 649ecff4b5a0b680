# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Percentages: exact where they are compared, and shown so that no limit seems to be met that is not."""

from __future__ import annotations

import math
from fractions import Fraction


def percentage(part: int, whole: int, of_nothing: int = 0) -> Fraction:
    """What `part` is of `whole`, from 0 to 100; `of_nothing` when `whole` is 0."""
    return Fraction(100 * part, whole) if whole else Fraction(of_nothing)


def exact(number: float) -> Fraction:
    """The number as it is written: 99.9 means 999/10, which the nearest binary number is not."""
    return Fraction(str(number))


def rounded_down(value: Fraction) -> float:
    """Two decimals; a whole number where it is one."""
    return _hundredths(math.floor(value * 100))


def rounded_up(value: Fraction) -> float:
    """Two decimals; a whole number where it is one."""
    return _hundredths(math.ceil(value * 100))


def _hundredths(number: int) -> float:
    return number / 100 if number % 100 else number // 100
