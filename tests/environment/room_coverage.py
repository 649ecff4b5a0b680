# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit tests' coverage of lines and branches, room by room.

    python room_coverage.py [PYTEST_ARGUMENT ...]

What runs in a process of its own (programs of tests, ansible-doc) is not counted.
"""

from __future__ import annotations

import collections
import json
import pathlib
import subprocess
import sys
import tempfile

from ansible_collections.securescan.kubernetes.tests.unit.architecture.imports import room_of
from ansible_collections.securescan.kubernetes.tests.unit.architecture.layers import ROOMS

_TRACED_THREADS = "ansible_collections.securescan.kubernetes.tests.environment.traced_threads"


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="coverage-") as folder:
        report = pathlib.Path(folder) / "coverage.json"
        config = pathlib.Path(folder) / "coveragerc"
        config.write_text(f"[run]\nbranch = true\nparallel = true\ndata_file = {folder}/coverage\n")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2"),
                *("-p", _TRACED_THREADS),
                *("--cov=plugins", f"--cov-config={config}", f"--cov-report=json:{report}", "--cov-report="),
                *(arguments or ["-m", "not in_container", "tests/unit"]),
            ],
            check=False,
        )
        if report.exists():
            print("\n".join(_lines(json.loads(report.read_text(encoding="utf-8"))["files"])))
    return done.returncode


def _lines(files: dict[str, dict[str, dict[str, int]]]) -> list[str]:
    covered: collections.Counter[str] = collections.Counter()
    there: collections.Counter[str] = collections.Counter()
    for name, entry in files.items():
        room = room_of(name.partition("plugins/")[2])
        summary = entry["summary"]
        covered[room] += summary["covered_lines"] + summary["covered_branches"]
        there[room] += summary["num_statements"] + summary["num_branches"]
    shown = [
        f"{100 * covered[room.path] / there[room.path]:5.1f} %  {room.path}"
        for room in ROOMS
        if there[room.path]
    ]
    return ["", "covered  room", *shown, f"{100 * sum(covered.values()) / sum(there.values()):5.1f} %  all"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
