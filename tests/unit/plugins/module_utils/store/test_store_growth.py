# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a night costs in a store, measured with few of them; tests/benchmarks/store_growth.py measures a year."""

from __future__ import annotations

import pathlib

from ansible_collections.securescan.kubernetes.tests.benchmarks.store_growth import measure


def test_a_night_costs_less_than_a_kilobyte_for_each_container(tmp_path: pathlib.Path) -> None:
    measured = measure(str(tmp_path / "store.db"), nights=8, count=60, controls=20, evidence="all")
    assert measured["bytes_per_scan"] < 400
    assert measured["tables"]["scans"] == measured["tables"]["documents"] == 8 * 60
    assert all(seconds < 5 for seconds in measured["questions_s"].values()), "all of them are asked"
