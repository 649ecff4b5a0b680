# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of what signed, for the manifest."""

from __future__ import annotations

import contextlib
import platform
from importlib import metadata

from ..results.producer import COLLECTION, VERSION

_PACKAGES = ("ansible-core", "kubernetes", "securesystemslib", "cryptography", "PyYAML", "orjson")


def tool_versions() -> dict[str, str]:
    """The collection's version, Python's, and that of each package that is installed, by name."""
    found = {COLLECTION: VERSION, "python": platform.python_version()}
    for name in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found
