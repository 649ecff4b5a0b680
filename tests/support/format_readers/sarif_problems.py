# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""problems.sarif: the same readers as results.sarif has."""

from __future__ import annotations

from . import sarif
from .format_reader import FormatReader

READER = FormatReader("sarif_problems", sarif.READER.validator, sarif.read, sarif.targets)
