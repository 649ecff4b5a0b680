# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the end of a fleet run costs: adding up, comparing, deciding and reporting, over two nights of run folders.

    python tests/benchmarks/fleet_end.py [CLUSTERS TARGETS ...]     pairs of numbers; the default is 10 1000, 100 100, 100 1000

Prints for each pair the seconds and the most memory of the process that ends the second night. The goal for 10,000 results is
at most 20 s and 300 MB. The run folders have a summary each, made of the one of a real scan; no document is read.
"""

from __future__ import annotations

import copy
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
from typing import Any

TREE = pathlib.Path(__file__).resolve().parents[2]
SAMPLE = TREE / "tests" / "unit" / "documentation" / "demo_summary.json"
_CHANGED = 100  # of so many targets one has changed since the night before
_MB = 1024


def main() -> int:
    numbers = [int(word) for word in sys.argv[1:]] or [10, 1000, 100, 100, 100, 1000]
    print(f"{'clusters':>9} {'targets':>8} {'in all':>8} {'seconds':>8} {'MB':>6}  changes")
    for clusters, targets in zip(numbers[::2], numbers[1::2]):
        with tempfile.TemporaryDirectory() as folder:
            output = pathlib.Path(folder)
            for night in (1, 2):
                write_night(output, night, clusters, targets)
                if night == 1:
                    run_end(output, night)
            done = run_end(output, 2)
            size = f"{clusters:>9} {targets:>8} {clusters * targets:>8}"
            print(f"{size} {done['seconds']:>8.1f} {done['mb']:>6.0f}  {done['changes']}", flush=True)
    return 0


def run_end(output: pathlib.Path, night: int) -> dict[str, Any]:
    """Ends a night in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--end", str(output), f"night-{night}"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def end(output: str, fleet_run_id: str) -> int:
    from ansible_collections.securescan.kubernetes.plugins.module_utils.options.fleet_run import (
        scan_fleet_run_spec,
    )
    from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
    from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.fleet_run import (
        run_scan_fleet_run,
    )

    params = {name: rule.get("default") for name, rule in scan_fleet_run_spec().items()}
    started = time.monotonic()
    result = run_scan_fleet_run(
        {
            **params,
            "state": "ended",
            "output_dir": output,
            "fleet_run_id": fleet_run_id,
            "formats": ["json", "csv", "markdown"],
        },
        TaskContext(check_mode=False, environ={}),
    )
    seconds = time.monotonic() - started
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MB
    print(json.dumps({"seconds": seconds, "mb": most, "changes": result["changes"]}))
    return 0


def write_night(output: pathlib.Path, night: int, clusters: int, targets: int) -> None:
    """The fleet run of a night, as it is before its end: a manifest, and an entry and a run for each cluster."""
    from ansible_collections.securescan.kubernetes.plugins.module_utils.results.cluster_entry import (
        ClusterEntry,
    )
    from ansible_collections.securescan.kubernetes.plugins.module_utils.results.fleet_folder import (
        FleetFolder,
    )
    from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import open_run
    from ansible_collections.securescan.kubernetes.tests.support.sample_fleet import make_fleet

    sample = json.loads(SAMPLE.read_text(encoding="utf-8"))
    folder = FleetFolder(output, f"night-{night}")
    folder.create()
    entries = []
    for number in range(clusters):
        name = f"cluster-{number:04d}"
        run_dir = output / name / f"run-{night}"
        run_dir.mkdir(parents=True)
        summary = summary_of(sample, name, night, targets)
        (run_dir / "summary.json").write_text(json.dumps(summary, indent=2), encoding="utf-8")
        entry = ClusterEntry.of_run(name, name, {}, open_run(str(run_dir)), f"{name}/run-{night}")
        folder.write_entry(entry)
        entries.append(entry)
    started = f"2026-11-2{night}T10:00:00Z"
    folder.write(make_fleet(entries, folder.fleet_run_id, finished="", gate=None, started=started))


def summary_of(sample: dict[str, Any], cluster: str, night: int, targets: int) -> dict[str, Any]:
    """A summary of so many targets, each with a workload of its own; of some a control fails that did not the night before."""
    models = [target for target in sample["targets"] if target["outcome"] == "scanned"]
    made = []
    for number in range(targets):
        target = copy.copy(models[number % len(models)])
        target.update(cluster=cluster, workload=f"app-{number:05d}", pod=f"app-{number:05d}-0")
        target["target_id"] = "/".join(
            target[key] for key in ("cluster", "namespace", "workload_kind", "workload", "pod", "container")
        )
        target["result"] = "fail" if target["result"] == "not_judged" else target["result"]
        if number % _CHANGED == night:
            target["failed"] = {**target["failed"], "container-baseline": ["cb-changed"]}
        made.append(target)
    counts = {"selected": targets, "scanned": targets, "not_scanned": 0, "not_judged": 0}
    gate = {**sample["gate"], "targets": [], "reasons": sample["gate"]["reasons"][:5]}
    return {
        "deadlines_sha256": "",
        **sample,
        "cluster": cluster,
        "cluster_uid": f"uid-{cluster}",
        "run_id": f"run-{night}",
        "targets": made,
        "not_reviewed": [],
        "target_counts": {**sample["target_counts"], **counts},
        "gate": gate,
    }


if __name__ == "__main__":
    sys.exit(end(*sys.argv[2:]) if sys.argv[1:2] == ["--end"] else main())
