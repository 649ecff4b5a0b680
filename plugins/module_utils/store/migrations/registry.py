# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of the schema, the oldest first. A version that was released is never changed: a new one goes behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from . import first

Upgrade = Callable[[Any, Any], None]

# Version -> what makes it of the one before.
UPGRADES: Mapping[int, Upgrade] = {first.VERSION: first.upgrade}
SCHEMA_VERSION = max(UPGRADES)
