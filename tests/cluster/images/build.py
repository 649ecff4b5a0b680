# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the sample images: `python3 tests/cluster/images/build.py [NAME...]` (all without a name; root needed).

The tars' paths go to standard output, one a line; what is being done goes to standard error. An image is built when
what it is made of has changed, else found in the cache.
"""

from __future__ import annotations

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from cluster.images.image_cache import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
