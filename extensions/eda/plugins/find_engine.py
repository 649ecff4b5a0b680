# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the collection's engine importable for event sources and filters.

ansible-rulebook runs each of them as a single file, which belongs to no package, so it cannot import its neighbours. Each runs this file
first (runpy), and then imports the engine by its whole name.
"""

from __future__ import annotations

import sys
from pathlib import Path

# <root>/ansible_collections/securescan/kubernetes/extensions/eda/plugins/this file; links are not followed: a checkout can be one
_COLLECTIONS = Path(__file__).absolute().parents[5]

if str(_COLLECTIONS.parent) not in sys.path:
    sys.path.insert(0, str(_COLLECTIONS.parent))

import ansible_collections

# the package `ansible` brings some collections in a package of this name, which hides those of other folders
if str(_COLLECTIONS) not in list(ansible_collections.__path__):
    ansible_collections.__path__.append(str(_COLLECTIONS))
