# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes quantities (512Mi, 250m) as numbers."""

from __future__ import annotations

import re
from typing import Any

_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d{1,2})|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?\Z")
_FACTORS = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
            "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}


def parse_quantity(value: Any) -> float:
    """Cores, bytes or whatever the quantity counts. Raises ValueError where `value` is no quantity.

    The grammar is that of the API's resource.Quantity: a decimal number with an exponent or a suffix.
    """
    found = _QUANTITY.match(value if isinstance(value, str) else str(value)) if not isinstance(value, bool) else None
    if found is None:
        raise ValueError("not a Kubernetes quantity such as 512Mi or 250m")
    number, exponent, suffix = found.groups()
    return float("%se%s" % (number, exponent or 0)) * _FACTORS.get(suffix, 1)
