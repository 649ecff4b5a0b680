# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One real cluster with the sample workloads for the integration tests of a process, and their fixtures, which pytest
finds by the names of this module."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest
from ansible_collections.securescan.kubernetes.tests.support.access_fixtures import (
    connection,
    grantor,
    left,
    manage,
    own_namespace,
)
from ansible_collections.securescan.kubernetes.tests.support.cluster_fixture import cluster
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import place, scan
from ansible_collections.securescan.kubernetes.tests.support.guard_fixtures import (
    guard,
    guard_operator_kubeconfig,
)
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import (
    debug_operator_kubeconfig,
    helper_operator_kubeconfig,
    operator_kubeconfig,
)
from ansible_collections.securescan.kubernetes.tests.support.playbooks import playbooks, shop_scan
from ansible_collections.securescan.kubernetes.tests.support.preflight_fixtures import explain
from ansible_collections.securescan.kubernetes.tests.support.sidecar_fixtures import (
    sidecar,
    sidecar_operator_kubeconfig,
)

TESTS = pathlib.Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def saf_program() -> str:
    """The real SAF CLI."""
    done = subprocess.run(
        [sys.executable, str(TESTS / "saf" / "install.py")], stdout=subprocess.PIPE, check=True, text=True
    )
    return done.stdout.strip()
