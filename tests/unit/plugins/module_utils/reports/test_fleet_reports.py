# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet's table and metrics: what needs somebody comes first, and no name can break the format."""

from __future__ import annotations

import datetime
import re

from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.fleet import (
    ClusterRow,
    ClusterRun,
    render_fleet,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.fleet_file import fleet_rows
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.metrics import (
    Observed,
    render_metrics,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_run,
    make_target,
)

NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.timezone.utc)


def summary(cluster: str, *statuses: str) -> Run:
    target = make_target()
    controls = [make_control(f"c-{number}", status) for number, status in enumerate(statuses)]
    return make_run([(target, make_document(target, *controls))], cluster=cluster)


def test_the_fleet_with_what_needs_somebody_first() -> None:
    runs = [
        ClusterRun("a", summary("one", "passed"), passed=True),
        ClusterRun("b", error="connection refused\x1b[2J"),
        ClusterRun("c", summary("three", "passed", "failed", "skipped"), passed=False),
        ClusterRun("d", summary("four", "skipped", "skipped"), passed=False),
    ]
    assert render_fleet(runs).splitlines() == [
        "HOST    CLUSTER           GATE      SCANNED  JUDGED  P  F  NR  NA  PE    %  WORST   EVIDENCE  SECONDS",
        "c       three             FAILED        1/1     1/1  1  1   1   0   0   33  medium  -             2.0",
        "d       four              FAILED        1/1     0/1  0  0   2   0   0    0  -       -             2.0",
        "a       one               passed        1/1     1/1  1  0   0   0   0  100  -       -             2.0",
        "-" * 101,
        "3 of 4  clusters scanned  1 passed      3/3     2/3  2  1   3   0   0",
        "b: not scanned: connection refused\\x1b[2J",
    ]


def test_a_large_fleet_lists_all_that_did_not_pass() -> None:
    run = summary("x", "passed")
    runs = [ClusterRun(f"ok-{number:03}", run, passed=True) for number in range(200)]
    runs += [ClusterRun(f"bad-{number:03}", run, passed=False) for number in range(120)]
    text = render_fleet(runs)
    assert text.count("FAILED") == 120 and text.count("passed  ") >= 50
    assert "150 more clusters passed; the file of the option table_path lists all" in text
    assert len(text.splitlines()) == 1 + 120 + 50 + 3


def test_nothing_scanned_prints_nothing() -> None:
    assert render_fleet([]) == "" and render_metrics(Observed(), NOW) == ""


def test_metrics_have_one_type_line_each_and_values_of_the_summary() -> None:
    runs = [ClusterRun("a", summary("one", "passed", "failed"), passed=False), ClusterRun("b", error="away")]
    lines = render_metrics(Observed(runs), NOW).splitlines()
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names)) == 14
    assert 'securescan_run_succeeded{host="a",cluster="one"} 1.0' in lines
    assert 'securescan_run_succeeded{host="b",cluster=""} 0.0' in lines
    assert 'securescan_targets{host="a",cluster="one",outcome="scanned"} 1.0' in lines
    assert 'securescan_gate_passed{host="a",cluster="one"} 0.0' in lines
    assert 'securescan_compliance_ratio{host="a",cluster="one"} 0.5' in lines
    assert sum(float(line.split()[-1]) for line in lines if line.startswith("securescan_controls{")) == 2
    sample = re.compile(r'securescan_[a-z_]+\{([a-z]+="(\\.|[^"\\\n])*",?)*\} [0-9.e+]+')
    assert all(sample.fullmatch(line) for line in lines if not line.startswith("#"))


def test_metrics_count_targets_by_their_result_and_never_round_compliance_up() -> None:
    runs = [
        ClusterRun("a", summary("one", "skipped")),
        ClusterRun("b", summary("two", *["passed"] * 199, "failed")),
    ]
    lines = render_metrics(Observed(runs), NOW).splitlines()
    results = {
        "a": {"pass": 0, "fail": 0, "not_judged": 1, "not_scanned": 0},
        "b": {"pass": 1, "fail": 0, "not_judged": 0, "not_scanned": 0},
    }
    for host, cluster in (("a", "one"), ("b", "two")):
        for result, number in results[host].items():
            labels = f'host="{host}",cluster="{cluster}",result="{result}"'
            assert f"securescan_target_results{{{labels}}} {float(number)}" in lines
    assert 'securescan_compliance_ratio{host="b",cluster="two"} 0.995' in lines


def test_a_hostile_name_stays_within_its_label() -> None:
    text = render_metrics(Observed([ClusterRun('x"} 1\nfake{a="\\', error="x")]), NOW)
    assert text.splitlines()[-1] == 'securescan_run_succeeded{host="x\\"} 1\\nfake{a=\\"\\\\",cluster=""} 0.0'


def test_of_a_kept_file_no_series_stands_twice_and_no_host_was_seen_in_the_future() -> None:
    seen, stamp = "securescan_run_observed_timestamp_seconds", NOW.timestamp()
    gone = NOW + datetime.timedelta(days=31)
    before = (
        f'{seen}{{host="far",cluster="x"}} 9e99\n{seen}{{host="far",cluster="x"}} 99999999999\n'
        'securescan_gate_passed{host="far",cluster="x"} 1.0\n'
        'securescan_gate_passed{host="far",cluster="x"} 0.0\n'
        'securescan_gate_passed{host="far",cluster="x",cluster="y"} 0.0\n'
        'securescan_targets{host="far",cluster="x",outcome="scanned"} 1.0\n'
        'securescan_targets{host="far",outcome="scanned",cluster="x"} 2.0\n'
    )
    runs = [ClusterRun("here", error="away")]
    text = render_metrics(Observed(runs), NOW, before, 30)
    assert [line for line in text.splitlines() if "far" in line] == [
        f'{seen}{{host="far",cluster="x"}} {stamp!r}',
        'securescan_targets{host="far",cluster="x",outcome="scanned"} 1.0',
        'securescan_gate_passed{host="far",cluster="x"} 1.0',
    ]
    assert "far" not in render_metrics(Observed(runs), gone, text, 30)


def test_of_a_kept_table_no_host_has_two_lines_and_none_was_seen_in_the_future() -> None:
    away, gone = ClusterRun("far", error="away"), NOW + datetime.timedelta(days=31)
    kept = [ClusterRow.of(away, seen) for seen in ("2026-11-20T00:00:00Z", "9999-01-01T00:00:00Z")]
    runs = [ClusterRun("here", error="away")]
    rows = fleet_rows(runs, kept, NOW, 30)
    assert [(row.host, row.seen) for row in rows] == [
        ("far", "2026-11-23T12:00:00Z"),
        ("here", "2026-11-23T12:00:00Z"),
    ]
    assert [row.host for row in fleet_rows(runs, rows, gone, 30)] == ["here"]
