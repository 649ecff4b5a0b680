# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors about signatures and keys."""

from __future__ import annotations

from ..errors import ScanError


def bad_evidence(source: str, problem: str) -> ScanError:
    """The error about a signed file that cannot be understood. :param source: names the file"""
    return ScanError("bad_evidence", f"{source}: {problem}", tried="verify the signature")


def bad_key(source: str, problem: str) -> ScanError:
    """The error about a key that cannot be used. Nothing of the key stands in it. :param source: names the key"""
    return ScanError("bad_key", f"{source} {problem}", tried="read the key")
