# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What results say about the program that wrote them."""

from __future__ import annotations

COLLECTION = "securescan.kubernetes"
# The collection's version, as in galaxy.yml (a test holds the two together).
VERSION = "0.1.0"
# Where people read about it, as in galaxy.yml.
HOMEPAGE = "https://github.com/securescan/securescan.kubernetes"
# The key under `passthrough` of a document where our own part stands.
PASSTHROUGH = "securescan_kubernetes"
