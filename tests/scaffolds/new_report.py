# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the skeleton of a report: its file, its entry in the registry, and a test (make new-report).

    python new_report.py CHECKOUT NAME

The skeleton has one line for each target. Its golden file is written by the tests of the golden files.
"""

from __future__ import annotations

import pathlib
import re
import sys

_HEADER = """\
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""
_REPORT = (
    _HEADER
    + '''\
"""A run as {name}: FILL IN for whom it is, and which standard it follows."""

from __future__ import annotations

from typing import TextIO

from ..results.run import Run
from ..safe_text import one_line
from .report import Report


def write_{name}(run: Run, stream: TextIO) -> None:
    """Writes one line for each target."""
    for target in run.targets:
        stream.write(f"{{one_line(target.target_id)}}: {{target.result}}\\n")


REPORT = Report(name="{name}", file_name="{name}.txt", write=write_{name})
'''
)
_TEST = (
    _HEADER
    + '''\
"""The report {name}: rules that its golden file does not show."""

from __future__ import annotations

import io
import pathlib

from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.{name} import REPORT
from ansible_collections.securescan.kubernetes.tests.support.sample_run import write_sample_run


def test_every_target_has_its_line(tmp_path: pathlib.Path) -> None:
    run, stream = write_sample_run(tmp_path), io.StringIO()
    REPORT.write(run, stream)
    assert len(stream.getvalue().splitlines()) == len(run.targets)
'''
)
_NEXT = """\
==> wrote {written}
==> fill in what the report says (FILL IN), then write its golden file and read it:
    SECURESCAN_WRITE_GOLDEN=1 in the environment of tests/unit/plugins/module_utils/reports/test_golden_reports.py
==> then: the other files of "A new report" in docs/contributing.md
"""
_ENGINE = pathlib.PurePath("plugins/module_utils/reports")
_TESTS = pathlib.PurePath("tests/unit/plugins/module_utils/reports")


class ScaffoldError(Exception):
    """What is asked for cannot be written; the text says why."""


def write_report(checkout: pathlib.Path, name: str) -> list[pathlib.Path]:
    """The files that were written.

    :param name: what the option `formats` will call it, also the name of its Python file
    :raises ScaffoldError: the name is not one or is taken, or the registry is not understood
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ScaffoldError(f"{name!r} is not a name; it has small letters, digits and _")
    report, test = checkout / _ENGINE / f"{name}.py", checkout / _TESTS / f"test_{name}_report.py"
    if report.exists():
        raise ScaffoldError(f"{report} exists already")
    registry = checkout / _ENGINE / "registry.py"
    registered = _with_entry(registry.read_text(encoding="utf-8"), name)
    report.write_text(_REPORT.format(name=name), encoding="utf-8")
    test.write_text(_TEST.format(name=name), encoding="utf-8")
    registry.write_text(registered, encoding="utf-8")
    return [report, test, registry]


def _with_entry(registry: str, name: str) -> str:
    """The registry's text with one report more: a line in its import, and a line at the end of REPORTS."""
    imports = re.search(r"^from \. import \(\n((?:    \w+,\n)+)\)", registry, re.MULTILINE)
    end = re.search(r"^    \)\n\}", registry, re.MULTILINE)
    if imports is None or end is None:
        raise ScaffoldError("registry.py is not understood: write the import and the entry by hand")
    lines = sorted([*imports.group(1).splitlines(), f"    {name},"])
    entry = f"        {name}.REPORT,\n"
    text = registry[: end.start()] + entry + registry[end.start() :]
    return text.replace(imports.group(0), "from . import (\n" + "\n".join(lines) + "\n)")


def main(checkout: str, name: str) -> int:
    try:
        written = write_report(pathlib.Path(checkout), name)
    except ScaffoldError as error:
        print(f"==> {error}", file=sys.stderr)
        return 1
    names = ", ".join(str(path.relative_to(checkout)) for path in written)
    print(_NEXT.format(written=names), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
