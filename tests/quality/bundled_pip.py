# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands where ansible-test expects pip's bootstrap script: installs by the pip that Python itself brings along.

ansible-test would fetch that script from a host of its own; so nothing but the package index is needed.
"""

from __future__ import annotations

import ensurepip
import pathlib
import sys

# the bootstrap script's own options, which pip does not know
NOT_FOR_PIP = ("--no-setuptools", "--no-wheel")

bundled = sorted((pathlib.Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))
sys.path.insert(0, str(bundled[-1]))

from pip._internal.cli.main import main

sys.exit(
    main(["install", "--upgrade", *(argument for argument in sys.argv[1:] if argument not in NOT_FOR_PIP)])
)
