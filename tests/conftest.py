# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How tests are spread over processes (pytest -n 2 --dist loadgroup): all that use the cluster in one, the unit tests beside
them, each file as a whole, since some end by comparing a page with what the tests before have seen."""

from __future__ import annotations

from pathlib import Path
from typing import List

import pytest

_INTEGRATION = Path(__file__).parent / "integration"


def pytest_collection_modifyitems(items: List[pytest.Item]) -> None:
    for item in items:
        on_cluster = _INTEGRATION in item.path.parents
        item.add_marker(pytest.mark.xdist_group("cluster" if on_cluster else item.path.name))
