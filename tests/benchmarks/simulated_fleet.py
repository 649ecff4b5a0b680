# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of simulated clusters, scanned by the shipped playbook as an operator does."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import time
from typing import Dict, List, Tuple

HERE = pathlib.Path(__file__).resolve().parent


class SimulatedFleet:
    """Clusters in processes of their own; use it in a `with`."""

    def __init__(self, folder: pathlib.Path, clusters: int, pods: int, seconds: float, reply: bytes) -> None:
        self._folder = folder
        self._names = ["fleet-%d" % number for number in range(clusters)]
        self._arguments = [str(pods), str(seconds)]
        self._reply = folder / "reply"
        self._reply.write_bytes(reply)
        self._processes: List[subprocess.Popen] = []
        self.kubeconfigs: Dict[str, str] = {}

    def __enter__(self) -> SimulatedFleet:
        self._processes = [subprocess.Popen(
            [sys.executable, str(HERE / "simulated_cluster.py"), str(self._folder / name), name, *self._arguments,
             str(self._reply)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for name in self._names]
        self.kubeconfigs = {name: process.stdout.readline().strip()
                            for name, process in zip(self._names, self._processes)}
        return self

    def __exit__(self, *_error: object) -> None:
        for process in self._processes:
            process.stdin.close()
        for process in self._processes:
            process.wait(timeout=20)

    def scan(self, concurrency: int) -> Tuple[float, float, int]:
        """(wall seconds, most memory of all of Ansible's processes together in MB, containers scanned)."""
        hosts = {name: {"ansible_connection": "local", "ansible_python_interpreter": sys.executable,
                        "scan_kubeconfig": path, "scan_output_dir": str(self._folder / "results" / name)}
                 for name, path in self.kubeconfigs.items()}
        inventory = self._folder / "inventory.json"
        inventory.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
        output = self._folder / "output.txt"
        started = time.monotonic()
        with output.open("w") as stream:
            process = subprocess.Popen(
                ["ansible-playbook", "securescan.kubernetes.scan", "-i", str(inventory), "-f", str(len(hosts)),
                 "-e", json.dumps({"scan_namespaces": "shop", "scan_concurrency": concurrency,
                                   "scan_fail_on": "never"})], stdout=stream, stderr=subprocess.STDOUT)
            most = 0.0
            while process.poll() is None:
                most = max(most, _memory_of_tree(process.pid))
                time.sleep(0.1)
        seconds = time.monotonic() - started
        if process.returncode:
            raise SystemExit("the fleet's scan failed:\n%s" % output.read_text()[-3000:])
        scanned = 0
        for name in hosts:
            summary = json.loads((self._folder / "results" / name / "latest" / "summary.json").read_text())
            scanned += summary["target_counts"]["scanned"]
        return seconds, most, scanned


def _memory_of_tree(root: int) -> float:
    """MB of a process and all below it; memory that they share counts once (the kernel's PSS)."""
    parents: Dict[int, int] = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
    family = {root}
    grew = True
    while grew:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        grew = bool(more)
        family |= more
    total = 0
    for pid in family:
        try:
            for line in pathlib.Path("/proc/%d/smaps_rollup" % pid).read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except OSError:
            continue
    return total / 1024
