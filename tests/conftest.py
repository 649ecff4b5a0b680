# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How tests are spread over processes (pytest -n 2 --dist loadgroup): all that use the cluster in one, the unit tests beside
them, each file as a whole, since some end by comparing a page with what the tests before have seen.

Unit tests that run shells in containers of their own are marked `in_container`: they take the longest, and what they test
does not depend on the Python that runs them.
"""

from __future__ import annotations

from pathlib import Path
from typing import List

import pytest

_INTEGRATION = Path(__file__).parent / "integration"
# Integration tests that need no cluster.
_BESIDE_THE_CLUSTER = ("test_python_versions.py",)
_CONTAINERS = ("chroot_container", "shared_processes", "viewed_target")


def pytest_collection_modifyitems(items: List[pytest.Item]) -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in {item.path for item in items}}
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
        if any(name in texts[item.path] for name in _CONTAINERS):
            item.add_marker(pytest.mark.in_container)


def _group(item: pytest.Item) -> str:
    if item.path.name in _BESIDE_THE_CLUSTER:
        return item.nodeid
    return "cluster" if _INTEGRATION in item.path.parents else item.path.name
