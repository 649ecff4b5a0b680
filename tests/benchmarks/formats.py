# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a large run takes in each format of reports, and how much memory.

    python formats.py [RESULTS] [FORMAT ...]

Writes a run of so many documents of 116 controls (10,000), then each format of the registry, or those that are named, each in a
process of its own: milliseconds of CPU for each result, those of the clock, and the most memory. All beside a floor of the same
run: reading each verdict, which every format does. The same for a tenth of the run shows whether memory grows with it.

The documents of a run of 10,000 take about 3 GB of disk, and so does a format that repeats their texts.
"""

from __future__ import annotations

import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile
import time
from dataclasses import replace

from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.registry import REPORTS
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.report import write_report
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.gate import decide
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import TargetCounts, open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_folder import RunFolder
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.target_record import TargetRecord
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import (
    DEFAULT_THRESHOLD,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.verdicts import run_verdicts
from ansible_collections.securescan.kubernetes.tests.benchmarks.page_benchmark import memory, write_documents

FLOOR = "(read)"
# So many documents have other results; those of the others are copies.
DIFFERENT = 200
GOAL = 2.0


def write_run(folder: pathlib.Path, number: int) -> pathlib.Path:
    """A run of so many results, decided by the default gate."""
    path = write_documents(folder, min(number, DIFFERENT))
    run = open_run(str(path))
    known = run.targets
    targets = []
    for index in range(number):
        record = known[index % len(known)]
        if index >= len(known):
            record = copied(path, record, index)
        targets.append(record)
    larger = replace(run, targets=tuple(targets), target_counts=TargetCounts.of(targets))
    decision = decide(DEFAULT_THRESHOLD, larger.documents(), larger.expected_targets())
    RunFolder(str(path.parent), path.name).write_summary(larger.with_gate(decision))
    return path


def copied(folder: pathlib.Path, record: TargetRecord, index: int) -> TargetRecord:
    """Another target with the same results, and its document."""
    pod, workload = f"pod-{index}", f"workload-{index // 2}"
    target_id = record.target_id.replace(f"/{record.workload}/{record.pod}/", f"/{workload}/{pod}/")
    data = (folder / record.hdf).read_bytes()
    for old, new in ((record.target_id, target_id), (record.pod, pod), (record.workload, workload)):
        data = data.replace(f'"{old}"'.encode(), f'"{new}"'.encode())
    name = f"hdf/copy-{index}.json"
    (folder / name).write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    return replace(record, hdf=name, hdf_sha256=sha256, pod=pod, workload=workload, target_id=target_id)


def measure(folder: str, name: str, output: str) -> None:
    """In a process of its own, so that its memory is that of the format."""
    run = open_run(folder)
    opened = memory()
    started, used = time.monotonic(), time.process_time()
    size = 0
    if name == FLOOR:
        for target in run_verdicts(run):
            size += len(target.controls)
    else:
        path = write_report(REPORTS[name], run, pathlib.Path(output))
        files = path.iterdir() if path.is_dir() else [path]
        size = sum(file.stat().st_size for file in files)
    each = 1000 / len(run.targets)
    found = {"ms": (time.process_time() - used) * each, "wall": (time.monotonic() - started) * each}
    print(json.dumps({**found, "memory": memory() - opened, "bytes": size}))


def measured(folder: pathlib.Path, name: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as output:
        command = [sys.executable, __file__, "measure", str(folder), name, output]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> int:
    if sys.argv[1:2] == ["measure"]:
        measure(*sys.argv[2:])
        return 0
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    names = sys.argv[2:] or list(REPORTS)
    with tempfile.TemporaryDirectory() as folder:
        large = write_run(pathlib.Path(folder, "large"), number)
        small = write_run(pathlib.Path(folder, "small"), number // 10)
        floor = measured(large, FLOOR)
        print(
            f"{number} results of 116 controls; reading them: {floor['ms']:.2f} ms each ({floor['wall']:.2f})",
            flush=True,
        )
        print(
            f"{'format':16} {'ms':>6} {'clock':>8} {'of floor':>9} {'MB':>5} {'MB of a tenth':>14} {'kB each':>8}"
        )
        slow = []
        for name in names:
            found, less = measured(large, name), measured(small, name)
            if found["ms"] > GOAL:
                slow.append(name)
            print(
                f"{name:16} {found['ms']:6.2f} {found['wall']:8.2f} {found['ms'] / floor['ms']:9.1f} {found['memory']:5.0f} "
                f"{less['memory']:14.0f} {found['bytes'] / number / 1000:8.1f}",
                flush=True,
            )
    print(f"goal: {GOAL} ms; above it: {', '.join(slow) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
