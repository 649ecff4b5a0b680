# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a store does, in a real PostgreSQL."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest
from ansible_collections.securescan.kubernetes.tests.support.postgresql_server import (
    PostgresqlServer,
    postgresql_server,
)
from ansible_collections.securescan.kubernetes.tests.support.store_scenarios import SCENARIOS, Scenario


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    with postgresql_server() as running:
        yield running


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_in_postgresql(scenario: Scenario, server: PostgresqlServer, tmp_path: pathlib.Path) -> None:
    scenario(server.new_database(), tmp_path)
