# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.table import render_table
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import (
    LASTING_LIMITS,
    load_threshold,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.unmatched import (
    Unmatched,
    UnmatchedError,
)
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_run,
    make_target,
)

PASSING = (
    make_control("c-1", "passed", impact=1.0),
    make_control("c-2", "skipped"),
    make_control("c-3", impact=0),
)
FAILING = (
    make_control("c-1", "failed", impact=1.0),
    make_control("c-2", "error"),
    make_control("c-3", "passed"),
)
NO_SHELL = ScanError(
    "no_such_program",
    "exec: sh: not found",
    cause="The image has no shell.",
    advice="Use approach debug or image.",
)


def summary(**fields: Any) -> Run:
    good, bad = make_target("api-7d9f8b6c5d-x2x4z"), make_target("legacy-5b6c-q9q9q", workload="legacy")
    bare = [make_target(f"static-{index}", workload="static") for index in range(2)]
    return make_run(
        [(good, make_document(good, *PASSING)), (bad, make_document(bad, *FAILING))],
        [(target, NO_SHELL) for target in bare],
        **fields,
    )


def test_the_whole_table_at_100_columns() -> None:
    assert render_table(summary(), width=100).splitlines() == [
        "WORKLOAD     POD/CONTAINER             APPROACH  RESULT  P F NR NA PE     %  WORST",
        "shop/legacy  legacy-5b6c-q9q9q/app     exec      FAIL    1 1  0  0  1   33%  critical",
        "shop/static  static-0/app              exec      NOT SCANNED: no_such_program",
        "shop/static  static-1/app              exec      NOT SCANNED: no_such_program",
        "shop/api     api-7d9f8b6c5d-x2x4z/app  exec      PASS    1 0  1  1  0   50%  -",
        "-" * 100,
        "TOTAL: 2 of 4 targets scanned                            2 1  1  1  1   40%  critical",
        "",
        "P passed, F failed, NR not reviewed, NA not applicable, PE profile error, % compliance",
        "",
        "Not scanned, 2 targets: The image has no shell. Use approach debug or image.",
        "",
        "Gate: FAILED by the default threshold, 3 reasons:",
        "- baseline on shop/legacy-5b6c-q9q9q/app: failed.critical.max: found 1 (c-1), must be at most 0",
        "- baseline on shop/legacy-5b6c-q9q9q/app: error.total.max: found 1 (c-2), must be at most 0",
        "- coverage.min: at least 100 % of the expected targets must be scanned, but 2 of 4 were not",
    ]


def test_a_target_that_was_not_judged_and_limits_that_were_added() -> None:
    silent = make_target("silent-1", workload="silent")
    documents = [(silent, make_document(silent, *PASSING, make_control("c-9", "skipped", impact=1.0)))]
    own = load_threshold({"failed.total.max": 0}, "own.yml").with_limits(LASTING_LIMITS)
    lines = render_table(make_run(documents, threshold=own), 100).splitlines()
    assert lines[1].split()[:8] == ["shop/silent", "silent-1/app", "exec", "NOT", "JUDGED", "1", "0", "2"]
    assert lines[3].startswith("TOTAL: 1 of 1 targets scanned, 1 not judged")
    assert lines[-5:] == [
        "In force though the threshold does not name them: error.total.max 0, coverage.min 100,",
        "reviewed.critical.min 100, reviewed.high.min 100.",
        "Gate: FAILED by own.yml, 1 reason:",
        "- baseline on shop/silent-1/app: reviewed.critical.min: found 50 % (not reviewed: c-9), must be at",
        "  least 100 %",
    ]


def test_gate_passed_and_no_gate() -> None:
    good = make_target()
    documents = [(good, make_document(good, *PASSING))]
    assert render_table(make_run(documents)).endswith("\nGate: PASSED by the default threshold\n")
    assert render_table(make_run(documents, threshold=None)).endswith("\nGate: NOT DECIDED\n")


@pytest.mark.parametrize("width", [10, 80, 99, 100, 132, 160, 500])
def test_no_line_is_wider_than_asked_for(width: int) -> None:
    long = make_target("p" * 253, "c" * 63, workload="w" * 63, namespace="n" * 63)
    wide = make_target("漢字" * 40, workload="字" * 30)
    controls = [
        make_control("control-{}-{}".format(index, "x" * 60), "failed", impact=1.0) for index in range(1200)
    ]
    made = make_run(
        [(long, make_document(long, *controls)), (wide, make_document(wide, *PASSING))],
        [(make_target("gone", container="c" * 63), NO_SHELL)],
    )
    for line in render_table(made, width=width).splitlines():
        columns = sum(2 if ord(char) > 0x2E80 else 1 for char in line)
        assert columns <= max(80, min(160, width)), line


def test_without_a_terminal_names_are_whole_and_text_has_100_columns() -> None:
    workload, container = "w" * 63, "c" * 63
    long = make_target("p" * 60, container, workload=workload, namespace="team-a")
    made = make_run([(long, make_document(long, *FAILING))], [(make_target("gone"), NO_SHELL)])
    lines = render_table(made).splitlines()
    assert lines[1].startswith(f"team-a/{workload}  {'p' * 60}/{container}  exec ")
    rule = next(index for index, line in enumerate(lines) if line.startswith("---"))
    assert len(lines[rule]) == max(map(len, lines[: rule + 2]))
    assert all(len(line) <= 100 for line in lines[rule + 2 :])
    short = render_table(make_run([(long, make_document(long, *PASSING))]), 80)
    assert "…" in short, "a terminal's lines are not broken"


@pytest.mark.parametrize("width", [0, 80, 100])
def test_the_label_of_the_totals_is_never_cut(width: int) -> None:
    silent = [make_target(f"s-{index}", workload="s", namespace="n") for index in range(12)]
    unread = make_control("c-9", "skipped", impact=1.0)
    made = make_run([(target, make_document(target, *PASSING, unread)) for target in silent])
    assert "TOTAL: 12 of 12 targets scanned, 12 not judged" in render_table(made, width)


def many(failed: int, passed: int, **fields: Any) -> Run:
    bad = [make_target(f"bad-{index:04}", workload="bad") for index in range(failed)]
    good = [make_target(f"good-{index:04}", workload="good") for index in range(passed)]
    return make_run(
        [(target, make_document(target, *FAILING)) for target in bad]
        + [(target, make_document(target, *PASSING)) for target in good],
        **fields,
    )


def table_rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("shop/")]


@pytest.mark.parametrize(
    ("failed", "passed", "rows", "shown", "said"),
    [
        (2, 48, "full", 50, ""),
        (2, 49, "full", 2, "Not shown: 49 targets (49 PASS); summary.md and summary.json list all."),
        (0, 51, "full", 0, "Not shown: 51 targets (51 PASS); "),
        (60, 3, "full", 50, "Not shown: 13 targets (3 PASS, 10 FAIL); "),
        (2, 3, "failed", 2, "Not shown: 3 targets (3 PASS); "),
        (60, 3, "failed", 50, "Not shown: 13 targets (3 PASS, 10 FAIL); "),
        (2, 499, "full", 2, "Not shown: 499 targets (499 PASS); summary.json lists all."),
        (2, 0, "failed", 2, ""),
    ],
)
def test_the_rows_are_bounded_and_the_rest_is_counted(
    failed: int, passed: int, rows: str, shown: int, said: str
) -> None:
    text = render_table(many(failed, passed), rows=rows)
    assert len(table_rows(text)) == shown
    assert [row for row in table_rows(text) if " FAIL " in row] == table_rows(text)[: min(failed, 50)]
    assert ("Not shown" in text) == bool(said) and said in text
    assert f"TOTAL: {failed + passed} of {failed + passed} targets scanned" in text and "Gate: " in text


def test_without_a_table_the_numbers_and_the_decision_are_left() -> None:
    assert render_table(many(0, 3), rows="none").splitlines() == [
        "3 of 3 targets scanned, compliance 50 %",
        "",
        "Gate: PASSED by the default threshold",
    ]


@pytest.mark.parametrize("rows", ["full", "failed", "none"])
def test_what_a_run_lacks_is_said_whichever_rows_there_are(rows: str) -> None:
    why = UnmatchedError("SCAN-401", "not_found", "namespace billingg does not exist")
    unmatched = (Unmatched("namespace", "billingg", "", why),)
    lines = render_table(summary(unmatched=unmatched), rows=rows).splitlines()
    for said in (
        "Not scanned, 2 targets: The image has no shell. Use approach debug or image.",
        "  namespace billingg does not exist",
    ):
        assert said in lines
    assert lines.index("Named, and gave no target (1 counts as not scanned):") > 0


def test_the_ends_of_lists_name_only_files_that_hold_the_rest() -> None:
    gone = [
        (make_target(f"gone-{index}"), ScanError("exec_failed", "no", cause=f"Cause {index}", advice="Look."))
        for index in range(21)
    ]
    few, many_causes = (render_table(make_run([], given)) for given in (gone[:20], gone))
    assert "Not scanned: 15 more causes, in summary.md and summary.json" in few
    assert "Not scanned: 16 more causes, in summary.json" in many_causes
    targets = [make_target(f"pod-{index:02}") for index in range(51)]
    documents = [
        (target, make_document(target, make_control(f"c-{target.pod}", "failed", impact=1.0)))
        for target in targets
    ]
    assert render_table(make_run(documents)).splitlines()[-1] == "... and 41 more, in summary.json"


def test_the_worst_come_first_then_what_was_not_scanned_or_not_judged() -> None:
    def judged(name: str, *controls: Any) -> tuple[Any, Any]:
        target = make_target(name, workload=name)
        return target, make_document(target, *controls)

    made = make_run(
        [
            judged("a-passes", *PASSING),
            judged("b-silent", make_control("c-9", "skipped", impact=1.0)),
            judged("d-low", make_control("c-1", "failed", impact=0.2)),
            judged("e-two", *(make_control(f"c-{index}", "failed", impact=1.0) for index in range(2))),
            judged("f-one", make_control("c-1", "failed", impact=1.0)),
            judged("g-error", make_control("c-2", "error")),
        ],
        [(make_target("c-gone", workload="c-gone"), NO_SHELL)],
        threshold=load_threshold(
            {"failed.total.max": 0, "error.total.max": 0, "reviewed.critical.min": 100}, "own.yml"
        ),
    )
    order = [row.split()[0] for row in table_rows(render_table(made))]
    assert order == [
        f"shop/{name}" for name in ("e-two", "f-one", "d-low", "c-gone", "b-silent", "g-error", "a-passes")
    ]


def test_the_size_is_bounded_whatever_the_run_holds() -> None:
    long = {"workload": "w" * 63, "namespace": "n" * 63}
    text = "x" * 900
    made = make_run(
        [],
        [
            (
                make_target(f"{'p' * 240}-{index}", "c" * 63, **long),
                ScanError("exec_failed", text, cause=f"{index} {text}", advice=text),
            )
            for index in range(2000)
        ],
    )
    assert len(render_table(made).encode("utf-8")) < 32_000


def test_long_names_keep_both_ends() -> None:
    targets = [
        make_target(f"a-very-long-workload-name-for-a-deployment-in-production-7d9f8b6c5d-x2x4{index}")
        for index in range(2)
    ]
    lines = render_table(
        make_run([(target, make_document(target, *PASSING)) for target in targets]), 80
    ).splitlines()
    assert re.search(r"a-very.*…\S*x2x40/app", lines[1])
    assert re.search(r"a-very.*…\S*x2x41/app", lines[2])


def test_at_most_ten_reasons_and_equal_ones_together() -> None:
    targets = [make_target(f"pod-{index:02}") for index in range(30)]
    same = make_run([(target, make_document(target, *FAILING)) for target in targets])
    assert "- baseline on 30 targets of shop/api: failed.critical.max: found 1 (c-1), must be at most 0" in (
        render_table(same)
    )
    documents = [
        (target, make_document(target, make_control(f"c-{target.pod}", "failed", impact=1.0)))
        for target in targets
    ]
    lines = render_table(make_run(documents)).splitlines()
    assert lines[-1] == "... and 20 more, in summary.md and summary.json"
    assert sum(line.startswith("- ") for line in lines) == 10
    assert "Gate: FAILED by the default threshold, 30 reasons:" in lines


def test_reasons_of_many_workloads_name_some() -> None:
    targets = [make_target(f"pod-{index}", workload=f"w-{index}") for index in range(5)]
    text = render_table(make_run([(target, make_document(target, *FAILING)) for target in targets]), 160)
    assert "- baseline on 5 targets of shop/w-0, shop/w-1, shop/w-2 and 2 more workloads: " in text


def test_no_target_at_all() -> None:
    lines = render_table(
        make_run([], threshold=load_threshold({"failed.total.max": 0}, "own.yml"))
    ).splitlines()
    assert lines[2].startswith("TOTAL: 0 of 0 targets scanned")
    assert lines[-2:] == ["Gate: FAILED by own.yml, 1 reason:", "- there are no results to judge"]


def test_hostile_names_cannot_steer_the_terminal() -> None:
    hostile = "\x1b[2J\x1b]0;x\x07\r\nGate: PASSED\u202e"
    target = make_target(hostile, hostile, workload=hostile, namespace=hostile)
    control = make_control(hostile, "failed", impact=1.0, title=hostile)
    error = ScanError("exec_failed", hostile, cause=hostile, advice=hostile)
    made = make_run(
        [(target, make_document(target, control))],
        [(make_target("b"), error)],
        threshold=load_threshold({"failed.total.max": 0}, hostile),
    )
    text = render_table(made, 120)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert [line for line in text.splitlines() if line.startswith("Gate:")] == [
        line for line in text.splitlines() if line.startswith("Gate: FAILED")
    ]
    attack_ends_as("H-01-terminal", outcome="shown as visible escapes")
