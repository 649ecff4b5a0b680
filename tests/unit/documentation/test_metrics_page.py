# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/metrics.md has each metric with its labels and their values, and no other."""

from __future__ import annotations

import pathlib
import re

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.metrics import METRICS
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.evidence import GRADES
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.status import (
    NOT_SCANNED,
    RESULTS,
    SCANNED,
    SEVERITIES,
    STATUSES,
)

PAGE = (pathlib.Path(__file__).resolve().parents[3] / "docs" / "metrics.md").read_text(encoding="utf-8")
VALUES = {
    "outcome": (SCANNED, NOT_SCANNED),
    "result": RESULTS,
    "evidence": GRADES,
    "status": STATUSES,
    "severity": SEVERITIES,
}


def test_the_page_has_a_row_for_each_metric_in_their_order() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `securescan_")]
    assert rows == [
        "| `{}` | {} | {} |".format(
            metric.name, ", ".join(f"`{label}`" for label in metric.labels), metric.text
        )
        for metric in METRICS
    ]


def test_the_page_names_no_other_metric() -> None:
    assert set(re.findall(r"securescan_[a-z_]+", PAGE)) == {metric.name for metric in METRICS}


@pytest.mark.parametrize("label", VALUES)
def test_the_page_has_the_values_of_a_label(label: str) -> None:
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| `{label}` | "))
    assert set(re.findall(r"`([a-z_]+)`", row)) == {label, *VALUES[label]}
