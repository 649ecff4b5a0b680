# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be the name or address of a host. A Secret of a hub chooses some of them, and messages repeat them."""

from __future__ import annotations

# A name of DNS has no more; an address has less.
_LENGTH = 253


def is_host(text: str) -> bool:
    """Whether a text is short, visible and one word."""
    return 0 < len(text) <= _LENGTH and text.isprintable() and " " not in text
