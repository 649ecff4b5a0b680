# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run did not scan itself, and what stands for others, is said in the table and in summary.md."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.markdown import write_markdown
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.table import render_table
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run, TargetCounts
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_check import oldest_seen
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.target_record import Carried
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_run,
    make_target,
)


@pytest.fixture
def run() -> Run:
    targets = [make_target(f"api-{number}", workload=f"api-{number}") for number in (1, 2, 3)]
    made = make_run(
        [(one, make_document(one, make_control("c-1", "passed"))) for one in targets], threshold=None
    )
    fresh, resumed, own = made.targets
    records = (
        replace(fresh, carried=Carried("run-0", "fresh", 5 * 3600), replicas=12),
        replace(resumed, carried=Carried("run-9", "resumed", 0)),
        own,
    )
    return replace(made, targets=records, target_counts=TargetCounts.of(records))


def test_the_table_says_it(run: Run) -> None:
    table = render_table(run)
    rows = {line.split()[1]: line for line in table.splitlines() if line.startswith("shop/")}
    assert "api-1/app (for 12) exec, 5 hours before PASS" in " ".join(table.split())
    assert "exec, 0 seconds before" in rows["api-2/app"] and "before" not in rows["api-3/app"]
    assert "TOTAL: 3 of 3 targets scanned, 2 of them by earlier runs" in table
    text = " ".join(table.split())
    assert (
        "1 target not due: the results of earlier runs are carried over, the oldest 5 hours before." in text
    )
    assert "1 target scanned by an interrupted run, which this one has brought to its end." in text
    assert "1 target stands for 12 containers that are alike" in text


def test_the_summary_for_people_says_it(run: Run) -> None:
    stream = io.StringIO()
    write_markdown(run, stream)
    text = stream.getvalue()
    assert "3 of 3 targets scanned, 2 of them by earlier runs" in text
    assert "| api-1/app (for 12) | exec, 5 hours before |" in text
    assert (
        "- 1 target not due: the results of earlier runs are carried over, the oldest 5 hours before." in text
    )


def test_a_run_is_as_old_as_the_oldest_result_that_it_has(run: Run) -> None:
    first, *others = run.targets
    older = replace(run, targets=(replace(first, seen="2026-11-23T05:00:00Z"), *others))
    assert oldest_seen(older) == "2026-11-23T05:00:00Z"
    assert oldest_seen(run) == run.started
    assert oldest_seen(replace(run, targets=(replace(first, seen="yesterday"), *others))) == ""
