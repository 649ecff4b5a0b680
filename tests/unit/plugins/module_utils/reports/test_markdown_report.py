# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.markdown import (
    REPORT,
    escape,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.notes import WAIVER, Note
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import ProfileReference, Run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import load_threshold
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_run,
    make_target,
    rendered,
)

GOOD, BAD, BARE = (make_target(f"{name}-1", workload=name) for name in ("good", "bad", "bare"))
NO_SHELL = ScanError(
    "no_such_program",
    "exec: sh: not found",
    cause="The image has no shell.",
    advice="Use approach debug or image.",
)


def summary(**fields: Any) -> Run:
    return make_run(
        [
            (GOOD, make_document(GOOD, make_control("c-1", "passed"))),
            (BAD, make_document(BAD, make_control("c-1", "failed", impact=1.0))),
        ],
        [(BARE, NO_SHELL)],
        **fields,
    )


def test_the_report_says_all_that_matters() -> None:
    lines = rendered(REPORT, summary()).splitlines()
    for line in (
        "# Container scan of demo",
        "**FAILED**: 2 of 3 targets scanned, compliance 50 % (1 Passed, 1 Failed, 0 Not Reviewed, "
        "0 Not Applicable, 0 Profile Error).",
        "Run run-1, started 2026-11-23T10:00:00Z, 2.0 s. Profiles: baseline 1.2.0.",
        "FAILED by the default threshold.",
        "- baseline on shop/bad-1/app: failed.critical.max: found 1 (c-1), must be at most 0",
        "| shop/good (Deployment) | good-1/app | exec | - | PASS | 1 | 0 | 0 | 0 | 0 | 100 % | - | [HDF](hdf/good-1.json) |",
        "| shop/bad (Deployment) | bad-1/app | exec | - | FAIL | 0 | 1 | 0 | 0 | 0 | 0 % | critical | [HDF](hdf/bad-1.json) |",
        "| shop/bare (Deployment) | bare-1/app | exec | - | NOT SCANNED |  |  |  |  |  |  |  | no\\_such\\_program |",
        "| critical | c-1 | Title of c-1 | baseline | 1 |",
        "**no\\_such\\_program** (SCAN-501): The image has no shell.",
        "What will work: Use approach debug or image.",
        "- shop/bare-1/app: exec: sh: not found",
        "## How to read this",
    ):
        assert line in lines, line


def test_every_table_is_rectangular() -> None:
    rows = [line for line in rendered(REPORT, summary()).splitlines() if line.startswith("|")]
    assert len(rows) == 3 + 5
    widths = [len(re.findall(r"(?<!\\)\|", row)) for row in rows]
    assert widths == [6] * 3 + [14] * 5


def test_waiver_notes_and_no_gate() -> None:
    made = replace(summary(threshold=None), waiver_notes=(Note(WAIVER, "c-9", "expired", "c-9: expired"),))
    text = rendered(REPORT, made)
    assert "## Waivers\n\n- c-9: expired\n" in text
    assert "No gate was asked for a decision." in text
    assert "**NOT DECIDED**" in text
    assert "## Waivers" not in rendered(REPORT, summary())


def test_sections_that_have_nothing_to_say_are_left_out() -> None:
    text = rendered(REPORT, make_run([(GOOD, make_document(GOOD, make_control("c-1", "passed")))]))
    assert "**PASSED**" in text
    assert "## Failed controls" not in text
    assert "## Not scanned" not in text
    assert "No target was selected." in rendered(REPORT, make_run([]))


def test_long_lists_are_cut_and_say_so() -> None:
    controls = [make_control(f"c-{index:02}", "failed") for index in range(40)]
    targets = [make_target(f"pod-{index:02}") for index in range(15)]
    text = rendered(
        REPORT, make_run([(GOOD, make_document(GOOD, *controls))], [(target, NO_SHELL) for target in targets])
    )
    assert "\n... and 15 more: see summary.json, failed_controls\n" in text
    assert "\n- ... and 5 more: see summary.json, targets\n" in text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain text, 100 % of (it): a-b/c.d = 'x'!", "plain text, 100 % of (it): a-b/c.d = 'x'!"),
        ("a|b", "a\\|b"),
        ("`code`", "\\`code\\`"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("&lt;", "&amp;lt;"),
        ("[text](url)", "\\[text\\](url)"),
        ("![image](url)", "!\\[image\\](url)"),
        ("*bold* _it_ ~~gone~~", "\\*bold\\* \\_it\\_ \\~\\~gone\\~\\~"),
        ("back\\slash", "back\\\\slash"),
        ("# head", "\\# head"),
        ("- item", "\\- item"),
        ("1. item", "&#8203;1. item"),
        ("1.2.3", "1.2.3"),
        ("two\nlines\r\n| x |", "two lines \\| x \\|"),
        ("https://evil.example", "https:&#8203;//evil.example"),
        ("www.evil.example", "www&#8203;.evil.example"),
        ("@someone", "@&#8203;someone"),
        ("\x1b[31m", "\\\\x1b\\[31m"),
        ("$math$", "\\$math\\$"),
        ("a\u202eb", "a\\\\u202eb"),
    ],
)
def test_what_markdown_would_read_as_markup_is_escaped(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_hostile_names_change_nothing_of_the_structure() -> None:
    hostile = "|`</td><img src=x onerror=y>\n\n# Head\n**PASSED**\n| a | b |\n[x](javascript:y)\x1b"
    target = make_target(hostile, hostile, workload=hostile, namespace=hostile, workload_kind=hostile)
    control = make_control(hostile, "failed", impact=1.0, title=hostile)
    error = ScanError("exec_failed", hostile, cause=hostile, advice=hostile)
    made = make_run(
        [(target, make_document(target, control, profile=hostile))],
        [(make_target(hostile), error)],
        cluster=hostile,
        run_id=hostile,
        threshold=load_threshold({"failed.total.max": 0}, hostile),
        profiles=[ProfileReference(hostile, hostile, hostile)],
    )
    first, *others = made.targets
    made = replace(
        made,
        waiver_notes=(Note(WAIVER, hostile, hostile, hostile),),
        targets=(replace(first, hdf="hdf/x) [y](z\n|<b>"), *others),
    )
    text = rendered(REPORT, made)
    assert "<" not in text
    assert "\x1b" not in text
    lines = text.splitlines()
    heading = re.compile(r"#+ (Container scan of|Gate|Targets|\\\||shop/api|Failed|Not|Waivers|How)")
    assert [line for line in lines if line.startswith("#")] == [line for line in lines if heading.match(line)]
    assert not [line for line in lines if line.startswith("**PASSED")]
    for line in lines:
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in (14, 6), line
    assert not re.search(r"(?<!\\)\]\((?!hdf/)", text)
    attack_ends_as("H-01-markdown", outcome="changes nothing of the structure")
