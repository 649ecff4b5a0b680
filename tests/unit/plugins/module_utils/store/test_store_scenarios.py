# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a store does, in a file of SQLite; tests/integration/test_store_postgresql.py does the same in PostgreSQL."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.securescan.kubernetes.tests.support.store_scenarios import SCENARIOS, Scenario


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_in_sqlite(scenario: Scenario, tmp_path: pathlib.Path) -> None:
    scenario(str(tmp_path / "store.db"), tmp_path)
