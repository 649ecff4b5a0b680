# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: a fake API server of a cluster without pods, and a client of it that soon gives up what fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server(authority: Authority) -> Iterator[FakeApiServer]:
    with FakeApiServer(authority) as running:
        yield running


@pytest.fixture
def client(server: FakeApiServer) -> RestClient:
    connection = connect(ConnectionOptions(kubeconfig=server.kubeconfig()), {})
    return RestClient(connection, timeout=30.0, patience=1.0)
