# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job from nothing: a cluster, sample workloads, one scan by playbook, and a look at what it left.

Exits 0 when the demo showed what it is meant to show (the gate of the sample workloads is meant to fail), else 1.
"""

from __future__ import annotations

import collections
import json
import pathlib
import shutil
import subprocess
import sys
import time
from urllib.parse import parse_qs, urlsplit

from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.table import render_table
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import open_run
from ansible_collections.securescan.kubernetes.tests.environment.sample_cluster import (
    SampleCluster,
    sample_cluster,
)

NAMESPACE = "shop"
HELPERS = "securescan-helpers"
SCANNER_IMAGE = "securescan.local/busybox:1"
WAIVERS = pathlib.Path(__file__).resolve().parents[1] / "workloads" / "waivers.yml"
LABELS = "app.kubernetes.io/managed-by=securescan.kubernetes"
GATE_FAILED = 2  # ansible-playbook's exit status when a host failed


def say(text: str) -> None:
    print(f"==> {text}", flush=True)


def write_inventory(output: pathlib.Path, kubeconfig: pathlib.Path) -> pathlib.Path:
    """One host: the cluster. Everything runs on this machine."""
    inventory = output / "inventory.json"
    output.mkdir(parents=True, exist_ok=True)
    inventory.write_text(
        json.dumps(
            {
                "all": {
                    "hosts": {
                        "demo": {
                            "ansible_connection": "local",
                            "ansible_python_interpreter": sys.executable,
                            "scan_kubeconfig": str(kubeconfig),
                        }
                    }
                }
            },
            indent=2,
        )
        + "\n",
        encoding="utf-8",
    )
    return inventory


def run_scan(inventory: pathlib.Path, output: pathlib.Path) -> int:
    variables = {
        "scan_namespaces": NAMESPACE,
        "scan_output_dir": str(output),
        "scan_waivers": str(WAIVERS),
        "scan_approach": "auto",
        "scan_scanner_image": SCANNER_IMAGE,
        "scan_helper_namespace": HELPERS,
    }
    command = ["ansible-playbook", "securescan.kubernetes.scan", "-i", str(inventory)]
    for name, value in variables.items():
        command += ["-e", f"{name}={value}"]
    say(" ".join(command))
    return subprocess.run(command, check=False).returncode


def make_helper_namespace(cluster: SampleCluster) -> None:
    """Where the helper pods of the approach image run; nothing with a privilege can be made there."""
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": HELPERS, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
    }
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(namespace))


def leftovers(cluster: SampleCluster) -> list[str]:
    """Objects with our label that are still in the cluster."""
    kinds = "serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings,secrets,configmaps,pods"
    return cluster.kubectl("get", kinds, "--all-namespaces", "-l", LABELS, "-o", "name").split()


def unexpected(summary: dict, gate_status: int) -> list[str]:
    """What the demo is meant to show and did not."""
    found = {}
    for target in summary["targets"]:
        found.setdefault(target["workload"], []).append(target)
    problems = []
    if gate_status != GATE_FAILED:
        problems.append(
            f"the gate was meant to fail the play (exit status {GATE_FAILED}), it ended with {gate_status}"
        )
    for target in found.get("api", [{}]):
        if target.get("outcome") != "scanned" or target["counts"]["failed"]:
            problems.append("the compliant workload did not pass: {}".format(target.get("target_id")))
    for target in found.get("legacy", [{}]):
        if target.get("outcome") != "scanned" or not target["counts"]["failed"]:
            problems.append("the badly configured workload did not fail: {}".format(target.get("target_id")))
    for workload, approach in (("edge", "debug"), ("broken", "image")):
        for target in found.get(workload, [{}]):
            if (
                target.get("outcome") != "scanned"
                or target["approach"] != approach
                or not target["counts"]["passed"]
            ):
                problems.append(
                    "{} was not scanned by {}: {}".format(workload, approach, target.get("target_id"))
                )
    return problems


def miscounted(summary: dict, cluster: SampleCluster) -> list[str]:
    """Says how many execs the API server saw, and what is wrong with that: no container is entered twice, nor by others."""
    execs = cluster.exec_requests()
    if execs is None:
        say("audit log: this cluster's is not ours to read, so the execs were not counted")
        return []
    entered = collections.Counter(
        (event["objectRef"]["name"], parse_qs(urlsplit(event["requestURI"]).query)["container"][0])
        for event in execs
    )
    by_others = sorted(
        {event["user"]["username"] for event in execs if ":securescan-" not in event["user"]["username"]}
    )
    targets = {(target["pod"], target["container"]): target["approach"] for target in summary["targets"]}
    say(
        f"audit log: {len(execs)} execs, {sum(entered[target] for target in targets)} of them into the "
        f"{len(targets)} scanned containers themselves, the others into debug containers and "
        f"helper pods; by others than the scanner: {len(by_others)}"
    )
    problems = ["execs by others: {}".format(", ".join(by_others))] if by_others else []
    problems += [
        "{}/{} was entered {} times".format(*target, entered[target])
        for target, approach in targets.items()
        if entered[target] > 1 or (approach == "exec" and not entered[target])
    ]
    return problems


def main() -> int:
    started = time.monotonic()
    output = pathlib.Path(sys.argv[1])
    cluster = sample_cluster("demo")
    make_helper_namespace(cluster)
    inventory = write_inventory(output, cluster.kubeconfig)
    cluster.forget_audit()
    gate_status = run_scan(inventory, output)
    latest = output / "demo" / "latest"
    summary = json.loads((latest / "summary.json").read_text(encoding="utf-8"))
    problems = unexpected(summary, gate_status) + miscounted(summary, cluster)
    left = leftovers(cluster)
    problems += [f"left behind: {name}" for name in left]
    print()
    sys.stdout.write(render_table(open_run(str(latest)), shutil.get_terminal_size((100, 24)).columns))
    print()
    say(
        "left in the cluster: %s"
        % (", ".join(left) or "nothing; the scan's ServiceAccount is gone and with it its token")
    )
    say(f"results: {latest.resolve()}")
    say("look further: %s" % (latest / "summary.md"))
    say(
        f"              {latest}/hdf/*.json open in MITRE Heimdall; `saf view summary -i FILE` reads them too"
    )
    say("              make cluster-down NAME=demo removes the cluster")
    for problem in problems:
        say(f"UNEXPECTED: {problem}")
    say(
        "demo {} in {:.0f} s (the gate is meant to fail: the sample workloads hold a badly configured one)".format(
            "did not show what it is meant to show" if problems else "complete", time.monotonic() - started
        )
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
