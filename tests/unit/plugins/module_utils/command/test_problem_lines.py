# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line for each problem, whatever names and messages are like."""

from __future__ import annotations

import io
import pathlib

from ansible_collections.securescan.kubernetes.plugins.module_utils.command.problem_lines import (
    _line,
    write_problem_lines,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_run import write_sample_run


def test_no_text_makes_another_field_or_another_line() -> None:
    line = _line("high", "shop/a: b/c", "x\n: y", "first\nsecond\x1b[31m: third" + "z" * 900)
    assert line.startswith("high: shop/a:b/c: x :y: first second\\x1b[31m: third")
    assert line.count("\n") == 1 and len(line) < 600


def test_each_line_of_a_run_has_its_four_fields(tmp_path: pathlib.Path) -> None:
    stream = io.StringIO()
    write_problem_lines(write_sample_run(tmp_path), stream)
    lines = stream.getvalue().splitlines()
    assert lines
    for line in lines:
        severity, place, _control, _message = line.split(": ", 3)
        assert severity in ("critical", "high", "medium", "low", "none", "error") and place.count("/") >= 1
