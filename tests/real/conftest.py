# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests with large real parts: `make real` runs them; an ordinary run skips and counts them."""

from __future__ import annotations

import os

import pytest
from ansible_collections.securescan.kubernetes.tests.support.cluster_fixture import cluster
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import (
    helper_operator_kubeconfig,
    operator_kubeconfig,
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("SECURESCAN_REAL"):
        return
    for item in items:
        if "/tests/real/" in str(item.path):
            item.add_marker(pytest.mark.skip(reason="a large real part: make real"))
