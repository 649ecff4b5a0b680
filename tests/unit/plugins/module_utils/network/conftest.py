# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that is no cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.fake_api_server.https_server import FakeHttpsServer


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def https_server(authority: Authority) -> Iterator[FakeHttpsServer]:
    with FakeHttpsServer(authority) as running:
        yield running
