# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: a fake API server, a connection to it and a client of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ClusterConnection,
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import no_shell, run_locally
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server(authority: Authority) -> Iterator[FakeApiServer]:
    """One pod with a container that runs this machine's programs, and one without any."""
    with FakeApiServer(authority) as running:
        running.add_pod("shop", "api-1", {"app": run_locally}, labels={"app": "api"})
        running.add_pod("shop", "edge-1", {"edge": no_shell}, labels={"app": "edge"})
        yield running


@pytest.fixture
def connection(server: FakeApiServer) -> ClusterConnection:
    return connect(ConnectionOptions(kubeconfig=server.kubeconfig()), {})


@pytest.fixture
def client(connection: ClusterConnection) -> RestClient:
    """One that soon gives up what fails, and waits for an answer as long as a machine may stall."""
    return RestClient(connection, timeout=30.0, patience=1.0)
