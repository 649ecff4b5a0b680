# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The readers of all formats: every file of this folder with a `READER` has one."""

from __future__ import annotations

import importlib
import pkgutil

from .format_reader import FormatReader


def all_readers() -> dict[str, FormatReader]:
    """{name of the format: its reader}"""
    modules = [importlib.import_module(f"{__name__}.{one.name}") for one in pkgutil.iter_modules(__path__)]
    readers = [module.READER for module in modules if hasattr(module, "READER")]
    return {reader.name: reader for reader in sorted(readers, key=lambda reader: reader.name)}
