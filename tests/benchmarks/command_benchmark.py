# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`securescan deploy/api` beside `ansible-playbook ... scan` of the same container: seconds and memory of the whole processes.

    python command_benchmark.py OUTPUT [--once]

Rounds are interleaved, so that a busy machine burdens both alike; the ratio is of the same rounds. Writes a list of {name, value,
unit, goal, met}, as benchmarks.py does; what is the playbook's has no goal.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from ansible_collections.securescan.kubernetes.tests.environment.sample_cluster import sample_cluster

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROUNDS = 10
NAMESPACE, WORKLOAD = "shop", "api"


def cost(command: list[str], environ: dict[str, str], folder: pathlib.Path) -> tuple[float, float]:
    """Seconds and MB (of the largest process) of a command that is allowed to end with a failed gate."""
    started = time.perf_counter()
    running = subprocess.Popen(
        command, env=environ, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    err = running.stderr.read() if running.stderr else b""
    _pid, status, usage = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if running.returncode not in (0, 2, 3):
        raise SystemExit(f"{command[0]} ended with {running.returncode}: {err[-2000:]!r}")
    return seconds, usage.ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--once", action="store_true")
    options = parser.parse_args()
    cluster = sample_cluster("bench")
    names = [item["metadata"]["name"] for item in cluster.get("pods", "-n", NAMESPACE)["items"]]
    pod = next(name for name in names if name.startswith(f"{WORKLOAD}-"))
    environ = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig), "SECURESCAN_PYTHON": sys.executable}
    ours: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        # both keep their byte code, as on a machine where they were used before; not in the collection's copy
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        environ.update(PYTHONPYCACHEPREFIX=str(folder / "bytecode"), PWD=name)
        (folder / "inventory.ini").write_text("bench ansible_connection=local\n", encoding="utf-8")
        command = [str(ROOT / "bin" / "securescan"), f"pod/{pod}", "-n", NAMESPACE, "--approach", "exec"]
        play = [
            str(pathlib.Path(sys.executable).parent / "ansible-playbook"),
            "securescan.kubernetes.scan",
            *("-i", "inventory.ini"),
            *(
                "-e",
                json.dumps({"scan_namespaces": [NAMESPACE], "scan_pods": [pod], "scan_approach": "exec"}),
            ),
        ]
        cost(command, environ, folder)
        cost(play, {**environ, "K8S_AUTH_KUBECONFIG": str(cluster.kubeconfig)}, folder)
        for _round in range(1 if options.once else ROUNDS):
            ours.append(cost(command, environ, folder))
            theirs.append(cost(play, {**environ, "K8S_AUTH_KUBECONFIG": str(cluster.kubeconfig)}, folder))
    seconds = statistics.median(one[0] for one in ours)
    ratio = statistics.median(mine[0] / other[0] for mine, other in zip(ours, theirs))
    memory = max(one[1] for one in ours)
    less_memory = statistics.median(mine[1] / other[1] for mine, other in zip(ours, theirs))
    rows = [
        {"name": "securescan, one container, whole process", "value": seconds, "unit": "s", "goal": 1.2},
        {"name": "the same over ansible-playbook", "value": ratio, "unit": "ratio", "goal": 0.5},
        {"name": "the same, memory", "value": memory, "unit": "MB", "goal": 100.0},
        {
            "name": "the same, memory over ansible-playbook's largest process",
            "value": less_memory,
            "unit": "ratio",
            "goal": 1.0,
        },
    ]
    for row in rows:
        row["met"] = row["value"] <= row["goal"]
        print("{name}: {value:.2f} {unit} (goal {goal})".format(**row))
    beside = [
        {"name": "ansible-playbook", "value": statistics.median(one[0] for one in theirs), "unit": "s"},
        {"name": "ansible-playbook, memory", "value": max(one[1] for one in theirs), "unit": "MB"},
    ]
    for row in beside:
        print("{name}: {value:.2f} {unit}".format(**row))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps([*rows, *beside], indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
