# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the page report.html takes: to be written from documents, and to open and filter in a real Chromium.

    python page_benchmark.py [DOCUMENTS] [TARGETS]

Writes a run of so many documents of 116 controls (2,000), and its page; then a made-up fleet's page of so many targets (100,000),
which a browser must open within 10 seconds.
"""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
import tempfile
import time

from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.page_source import PageSource
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import open_run
from ansible_collections.securescan.kubernetes.tests.support.report_pages import browse, write_page_file
from ansible_collections.securescan.kubernetes.tests.support.sample_page import sample_controls, sample_source
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_target,
    write_run,
)

OPENS, FILTERS = "10000", "1500"


def write_documents(folder: pathlib.Path, number: int) -> pathlib.Path:
    """The folder of a run with so many documents of about 270 kB, each with other failures."""
    documents = []
    controls = sample_controls()
    for index in range(number):
        target = make_target(f"pod-{index}", workload=f"workload-{index // 2}")
        made = [
            make_control(
                about.id,
                "failed" if hash((index // 2, about.id)) % 19 == 0 else "passed",
                impact=0.7,
                title=about.title,
                desc=about.desc,
                descriptions={"fix": about.fix, "check": "x" * 400},
                code="y" * 1200,
                tags=dict(about.tags),
            )
            for about in controls
        ]
        documents.append((target, make_document(target, *made)))
    return write_run(folder, "run-1", documents)


def memory() -> int:
    """The most that this program has held, in MB. What rusage says would be that of the process before it, too."""
    found = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path("/proc/self/status").read_text())
    return int(found[1]) // 1024 if found else 0


def write_one(folder: str, path: str) -> None:
    """In a process of its own, so that its memory is that of the page."""
    started = time.monotonic()
    write_page_file(pathlib.Path(path), PageSource.of_run(open_run(folder)))
    print(f"its page: {time.monotonic() - started:.1f} s, {memory()} MB at most")


def main() -> int:
    if sys.argv[1:2] == ["write"]:
        write_one(*sys.argv[2:])
        return 0
    documents = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    targets = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        run_folder = write_documents(folder / "run", documents)
        size = sum(path.stat().st_size for path in (run_folder / "hdf").iterdir()) // documents
        print(f"a run of {documents} documents of {size // 1000} kB", flush=True)
        subprocess.run(
            [sys.executable, __file__, "write", str(run_folder), str(folder / "run.html")], check=True
        )
        started = time.monotonic()
        write_page_file(folder / "large.html", sample_source(100, int(targets / 0.78), replicas=1))
        size = (folder / "large.html").stat().st_size
        print(f"a page of {targets} made-up targets: {time.monotonic() - started:.1f} s, {size // 1000} kB")
        said = browse("speed.test.mjs", folder, PAGE="large.html", OPENS=OPENS, FILTERS=FILTERS)
        print(*re.findall(r"opened .*", said), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
