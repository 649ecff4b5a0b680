# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One fleet run over a hundred clusters: real ones, and simulated ones of which every fifth is slow, refusing, cutting or dead.

    python tests/benchmarks/fleet_of_a_hundred.py [--real 3] [--simulated 97] [--pods 3] [--forks 10] [--deadline 600]
                                                  [--kubeconfig FILE ...]

Real clusters are made, filled with the sample workloads, and ended; --kubeconfig names some that run already. Prints the wall
time against the deadline, the controller's CPU seconds and most memory, what became of the clusters, and the summary. Ends with 1
where a cluster is not what it was made to be, or the deadline was missed.
"""

from __future__ import annotations

import argparse
import collections
import os
import pathlib
import sys
import tempfile
import threading
import time

from ansible_collections.securescan.kubernetes.tests.benchmarks.simulated_fleet import memory_of_tree
from ansible_collections.securescan.kubernetes.tests.environment.sample_cluster import sample_cluster
from ansible_collections.securescan.kubernetes.tests.support.fleet_of_clusters import FleetOfClusters

_EACH_BAD = 5
_SLOW_SECONDS = 3600.0
# kind -> the states that such a cluster can be in
_STATES = {
    "fine": {"scanned"},
    "slow": {"out_of_time"},
    "refusing": {"refused"},
    "cutting": {"not_scanned"},
    "dead": {"unreachable"},
}
_BAD = ("slow", "refusing", "cutting", "dead")


def main() -> int:
    options = _options()
    made = [sample_cluster(f"fleet-{number}") for number in range(options.real)]
    try:
        with tempfile.TemporaryDirectory() as folder, FleetOfClusters(pathlib.Path(folder)) as fleet:
            kinds = _add_clusters(fleet, options, [str(cluster.kubeconfig) for cluster in made])
            return _run(fleet, options, kinds)
    finally:
        for cluster in made:
            if cluster.made_here:
                cluster.made_here.down()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", type=int, default=3)
    parser.add_argument("--simulated", type=int, default=97)
    parser.add_argument("--pods", type=int, default=3)
    parser.add_argument("--forks", type=int, default=10)
    parser.add_argument("--deadline", type=int, default=600)
    parser.add_argument("--kubeconfig", action="append", default=[])
    return parser.parse_args()


def _add_clusters(fleet: FleetOfClusters, options: argparse.Namespace, real: list[str]) -> dict[str, str]:
    """{cluster: its kind}"""
    kinds = {}
    for number, kubeconfig in enumerate([*real, *options.kubeconfig]):
        name = f"real-{number}"
        fleet.hosts[name] = {"scan_kubeconfig": kubeconfig, "scan_workloads": ["Deployment/api"]}
        kinds[name] = "fine"
    bad = 0
    for number in range(options.simulated):
        kind = "fine"
        if number % _EACH_BAD == _EACH_BAD - 1:
            kind, bad = _BAD[bad % len(_BAD)], bad + 1
        name = f"{kind}-{number:03d}"
        kinds[name] = kind
        if kind in ("fine", "slow"):
            fleet.add_fine(name, options.pods, _SLOW_SECONDS if kind == "slow" else 0.1)
        else:
            {"refusing": fleet.add_refusing, "cutting": fleet.add_cutting, "dead": fleet.add_dead}[kind](name)
    return kinds


def _run(fleet: FleetOfClusters, options: argparse.Namespace, kinds: dict[str, str]) -> int:
    output: list[str] = []
    started, most = time.monotonic(), 0.0
    process = fleet.start(
        "-f",
        str(options.forks),
        fleet_deadline=options.deadline,
        fleet_cluster_deadline=20,
        scan_table="none",
    )
    reader = threading.Thread(target=lambda: output.extend(process.stdout or ()), daemon=True)
    reader.start()
    used = None
    while used is None:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode, used = os.waitstatus_to_exitcode(status), usage
        else:
            most = max(most, memory_of_tree(process.pid))
            time.sleep(0.2)
    seconds = time.monotonic() - started
    reader.join(timeout=10)
    fleet_run = fleet.latest()
    text = "".join(output)
    print(text[text.rindex("FLEET ") :].partition("\n[ERROR]")[0])
    wrong = [
        f"{entry.cluster} is {entry.state}: {entry.error.message if entry.error else ''}"
        for entry in fleet_run.clusters
        if entry.state not in _STATES[kinds[entry.cluster]]
    ]
    counts = collections.Counter(entry.state for entry in fleet_run.clusters)
    cpu = used.ru_utime + used.ru_stime
    print(
        f"clusters      {len(kinds)}: {', '.join(f'{number} {state}' for state, number in sorted(counts.items()))}"
    )
    print(f"wall time     {seconds:.0f} s of {options.deadline} s, with {options.forks} forks")
    print(f"CPU           {cpu:.0f} s of the controller, {cpu / len(kinds):.2f} s for each cluster")
    print(f"memory        {most:.0f} MB at most, of all of Ansible's processes")
    print("\n".join(wrong) or "each cluster is what it was made to be")
    return 1 if wrong or seconds > options.deadline else 0


if __name__ == "__main__":
    sys.exit(main())
