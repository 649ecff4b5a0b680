# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is overdue, in summary.md, in the table and in metrics."""

from __future__ import annotations

import pathlib
from dataclasses import replace
from datetime import datetime, timezone

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.cluster_metrics import (
    OTHERS,
    open_findings,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.fleet import ClusterRun
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.markdown import REPORT as MARKDOWN
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.metrics import (
    Observed,
    render_metrics,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.table import render_table
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import NamespaceOwner, Run
from ansible_collections.securescan.kubernetes.tests.support.sample_metrics import run_with_deadlines
from ansible_collections.securescan.kubernetes.tests.support.sample_results import rendered

NOW = datetime(2026, 12, 1, tzinfo=timezone.utc)


@pytest.fixture
def run(tmp_path: pathlib.Path) -> Run:
    return run_with_deadlines(tmp_path)


def test_summary_and_table_say_what_is_overdue_when_the_gate_decides(run: Run) -> None:
    text = rendered(MARKDOWN, run)
    section = text[text.index("## Overdue") : text.index("## Failed controls")]
    assert (
        "Overdue: 2 findings were not fixed in time (1 high, 1 medium) and 2 places were not scanned in time."
        in section
    )
    row = "| high | c-1 | demo/shop/Deployment/api/app | shop-team | 2026-11-01T00:00:00Z | 2026-11-03T00:00:00Z |"
    assert row in section
    assert "- demo/shop/Deployment/db/app: never scanned, due 2026-11-02T00:00:00Z" in section
    assert "Overdue: 2 findings were not fixed in time" in render_table(run, 120)


def test_a_run_without_deadlines_and_one_whose_file_is_gone_say_nothing_of_it(run: Run) -> None:
    (pathlib.Path(run.folder) / "deadlines.json").unlink()
    gone = replace(run)
    for one in (replace(run, deadlines_sha256=""), gone):
        assert "Overdue" not in rendered(MARKDOWN, one) and "Overdue" not in render_table(one, 120)
        text = render_metrics(Observed([ClusterRun("edge", one)]), NOW)
        assert "securescan_overdue" not in text and "securescan_open_findings" in text


def test_findings_count_once_for_all_replicas_and_each_team_has_a_value(run: Run) -> None:
    assert open_findings(run) == {("shop-team", "high"): 1, ("shop-team", "medium"): 1}
    text = render_metrics(Observed([ClusterRun("edge", run)]), NOW)
    here = 'host="edge",cluster="demo"'
    assert "securescan_overdue_findings{" + here + ',team="shop-team",severity="high"} 1.0' in text
    assert "securescan_overdue_places{" + here + ',team="shop-team"} 2.0' in text
    assert "securescan_coverage_ratio{" + here + "}" in text


def test_many_teams_share_a_label(run: Run) -> None:
    owners = tuple(NamespaceOwner(f"n-{number}", f"team-{number:03}", "") for number in range(300))
    many = replace(run, namespaces=(*run.namespaces, *owners))
    text = render_metrics(Observed([ClusterRun("edge", many)]), NOW)
    teams = {line for line in text.splitlines() if line.startswith("securescan_overdue_places")}
    assert len(teams) == 201 and any(f'team="{OTHERS}"' in line for line in teams)
