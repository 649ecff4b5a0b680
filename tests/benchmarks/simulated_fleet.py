# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of simulated clusters, scanned by the shipped playbook as an operator does."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
PLAYBOOK = "securescan.kubernetes.scan"


class SimulatedFleet:
    """Clusters in processes of their own; use it in a `with`."""

    def __init__(self, folder: pathlib.Path, clusters: int, pods: int, seconds: float, reply: bytes) -> None:
        self._folder = folder
        self._names = [f"fleet-{number}" for number in range(clusters)]
        self._arguments = [str(pods), str(seconds)]
        self._reply = folder / "reply"
        self._reply.write_bytes(reply)
        self._processes: list[subprocess.Popen] = []
        self.kubeconfigs: dict[str, str] = {}

    def __enter__(self) -> SimulatedFleet:
        self._processes = [
            subprocess.Popen(
                [
                    sys.executable,
                    str(HERE / "simulated_cluster.py"),
                    str(self._folder / name),
                    name,
                    *self._arguments,
                    str(self._reply),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for name in self._names
        ]
        self.kubeconfigs = {
            name: process.stdout.readline().strip() for name, process in zip(self._names, self._processes)
        }
        return self

    def __exit__(self, *_error: object) -> None:
        for process in self._processes:
            process.stdin.close()
        for process in self._processes:
            process.wait(timeout=120)

    def scan(self, concurrency: int) -> tuple[float, float, int]:
        """(wall seconds, most memory of all of Ansible's processes together in MB, containers scanned)."""
        inventory, most = self._inventory(list(self._names)), 0.0
        started = time.monotonic()
        process = self._start(inventory, len(self._names), scan_concurrency=concurrency, scan_fail_on="never")
        while process.poll() is None:
            most = max(most, memory_of_tree(process.pid))
            time.sleep(0.1)
        seconds = time.monotonic() - started
        self._check(process.returncode)
        scanned = 0
        for name in self._names:
            summary = json.loads((self._folder / "results" / name / "latest" / "summary.json").read_text())
            scanned += summary["target_counts"]["scanned"]
        return seconds, most, scanned

    def idle_cpu(self, hosts: int, forks: int, playbook: str = PLAYBOOK) -> float:
        """Seconds of CPU that Ansible and its workers use for so many inventory hosts of whose containers none is chosen: what a
        host costs before there is anything to do. The hosts share the clusters."""
        inventory = self._inventory([f"idle-{number:02d}" for number in range(hosts)])
        process = self._start(
            inventory, forks, playbook, scan_allow_empty=True, scan_pods=["nobody"], scan_fail_on="never"
        )
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self._check(process.returncode)
        return used.ru_utime + used.ru_stime

    def _inventory(self, names: list[str]) -> pathlib.Path:
        kubeconfigs = list(self.kubeconfigs.values())
        hosts = {
            name: {
                "ansible_connection": "local",
                "ansible_python_interpreter": sys.executable,
                "scan_kubeconfig": kubeconfigs[number % len(kubeconfigs)],
                "scan_output_dir": str(self._folder / "results"),
            }
            for number, name in enumerate(names)
        }
        path = self._folder / "inventory.json"
        path.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
        return path

    def bare_tasks(self, number: int) -> str:
        """A playbook of tasks that do nothing: what Ansible itself takes for them."""
        path = self._folder / "bare.json"
        tasks = [{"ansible.builtin.debug": {"msg": ""}}] * number
        path.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
        return str(path)

    def _start(
        self, inventory: pathlib.Path, forks: int, playbook: str = PLAYBOOK, **variables: object
    ) -> subprocess.Popen:
        with (self._folder / "output.txt").open("w") as stream:
            return subprocess.Popen(
                [
                    "ansible-playbook",
                    playbook,
                    "-i",
                    str(inventory),
                    "-f",
                    str(forks),
                    "-e",
                    json.dumps({"scan_namespaces": "shop", **variables}),
                ],
                stdout=stream,
                stderr=subprocess.STDOUT,
            )

    def _check(self, status: int) -> None:
        if status:
            raise SystemExit(
                "the fleet's scan failed:\n{}".format((self._folder / "output.txt").read_text()[-3000:])
            )


def memory_of_tree(root: int) -> float:
    """MB of a process and all below it; memory that they share counts once (the kernel's PSS)."""
    parents: dict[int, int] = {}
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
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except OSError:
            continue
    return total / 1024
