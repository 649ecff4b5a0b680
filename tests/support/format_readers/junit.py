# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gate.junit.xml as junitparser reads it."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator

import junitparser

from .format_reader import FormatReader, Words

_CONTROL = re.compile(r"control: (\S+) \(\w+\) ")
# Cases that say that there are no results.
_OF_TARGET = ("scanned", "document", "judged")


def cases(path: pathlib.Path) -> Iterator[tuple[str, str, str, str]]:
    """(suite, class, name, outcome) of each case. The numbers of the suites are those of their cases."""
    report = junitparser.JUnitXml.fromfile(str(path))
    numbers = (report.tests, report.failures, report.errors, report.skipped)
    report.update_statistics()
    assert numbers == (report.tests, report.failures, report.errors, report.skipped)
    for suite in report:
        for case in suite:
            outcomes = [f"{type(one).__name__.lower()}: {one.message}" for one in case.result]
            said = f"passed ({case.system_out})" if case.system_out else "passed"
            yield suite.name, case.classname, case.name, "; ".join(outcomes) or said


def _short(outcome: str) -> str:
    """Without what differs from control to control."""
    kind, _colon, message = outcome.partition(": ")
    if kind != "skipped":
        return re.sub(r"\(Attested .*", "(Attested)", kind)
    return f"skipped: {re.sub(r'^waived .*', 'waived', message)}"


def read(path: pathlib.Path) -> Words:
    words: Words = {}
    for suite, classname, name, outcome in cases(path):
        control = _CONTROL.match(name)
        if control:
            words[suite, classname.rpartition(".")[2], control.group(1)] = _short(outcome)
    return words


def targets(path: pathlib.Path) -> dict[str, str]:
    return {
        suite: f"{outcome.partition(':')[0]} of the case {name}"
        for suite, _classname, name, outcome in cases(path)
        if name in _OF_TARGET and outcome.startswith("error")
    }


READER = FormatReader("junit", "junitparser 5", read, targets)
