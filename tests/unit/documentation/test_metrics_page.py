# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/metrics.md has each metric with its labels and their values, and no other."""

from __future__ import annotations

import json
import pathlib
import re

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.cluster_metrics import (
    LEFT_KINDS,
    REQUESTS_BY,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.metrics import METRICS
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.cluster_entry import STATES
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.evidence import GRADES
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.status import (
    NOT_SCANNED,
    RESULTS,
    SCANNED,
    SEVERITIES,
    STATUSES,
)

PAGE = (pathlib.Path(__file__).resolve().parents[3] / "docs" / "metrics.md").read_text(encoding="utf-8")
RULES = (pathlib.Path(__file__).resolve().parents[3] / "docs" / "alerts" / "securescan.rules.yml").read_text(
    encoding="utf-8"
)
DASHBOARD = pathlib.Path(__file__).resolve().parents[3] / "docs" / "dashboards" / "metrics.json"
VALUES = {
    "by": REQUESTS_BY,
    "kind": LEFT_KINDS,
    "state": STATES,
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


def test_the_page_says_of_each_alert_what_it_means_and_what_to_do() -> None:
    alerts = re.findall(r"alert: (\w+)[\s\S]*?severity: (\w+)", RULES)
    rows = [
        re.split(r" \| ", line.strip("| ")) for line in PAGE.splitlines() if line.startswith("| `Securescan")
    ]
    assert [(name.strip("`"), severity) for name, severity, _meaning, _remedy in rows] == alerts
    assert set(re.findall(r"securescan_[a-z_]+", RULES)) <= {metric.name for metric in METRICS}


def test_the_dashboard_asks_for_metrics_that_are_there() -> None:
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    targets = [target for panel in board["panels"] for target in panel["targets"]]
    asked = {name for target in targets for name in re.findall(r"securescan_[a-z_]+", target["expr"])}
    assert asked <= {metric.name for metric in METRICS} and len(asked) > 10
