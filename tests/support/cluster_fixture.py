# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One real cluster with the sample workloads for all tests of a process, as a fixture."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from ..environment.sample_cluster import SampleCluster, sample_cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[SampleCluster]:
    """The process's own cluster. That of tests in one process stays for the next run, those of several processes go."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    running = sample_cluster(f"test-{worker}" if worker else "test")
    yield running
    if worker and running.made_here:
        running.made_here.down()
