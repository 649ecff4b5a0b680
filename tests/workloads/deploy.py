# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applies the sample workloads to a cluster and waits until they are as a scan wants to find them.

    python3 tests/workloads/deploy.py --kubeconfig FILE [--kubectl FILE] [--wait SECONDS]

The images must be loaded before (tests/cluster/images/build.py makes them). Applying again changes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

from ansible_collections.securescan.kubernetes.tests.cluster.failure import ClusterError, say
from ansible_collections.securescan.kubernetes.tests.cluster.places import cache

MANIFEST = pathlib.Path(__file__).resolve().parent / "shop.yaml"
NAMESPACE = "shop"
DEPLOYMENTS = ("api", "legacy", "edge")
POD = "duo"
CRASHING = "broken"
_POLL_SECONDS = 0.5
_NAME_LABEL = "app.kubernetes.io/name"


def main(arguments: list[str]) -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(
        description="Deploy the sample workloads of the namespace shop and wait for them."
    )
    parser.add_argument("--kubeconfig", default=os.environ.get("KUBECONFIG"), help="default: KUBECONFIG")
    parser.add_argument(
        "--kubectl", help="default: the one built for the test clusters, else that on the PATH"
    )
    parser.add_argument("--wait", type=float, default=60.0, metavar="SECONDS", help="default: 60")
    options = parser.parse_args(arguments)
    if not options.kubeconfig:
        parser.error("no cluster is named: give --kubeconfig or set KUBECONFIG")
    try:
        kubectl = [
            options.kubectl or _find_kubectl(),
            "--kubeconfig",
            options.kubeconfig,
            "--request-timeout=30s",
        ]
        deploy(kubectl, options.wait)
    except ClusterError as error:
        say(str(error))
        return 1
    return 0


def deploy(kubectl: list[str], seconds: float) -> None:
    """Apply the manifest and wait up to `seconds` until each workload is in its place. Raises ClusterError."""
    start = time.monotonic()
    say(f"Applying {MANIFEST.name} to the namespace {NAMESPACE}")
    # --force replaces the bare pod when its spec has changed: hardly anything of a pod's spec can be patched
    _run([*kubectl, "apply", "--force", "--timeout", "30s", "--filename", str(MANIFEST)])
    shown: dict[str, str] = {}
    while True:
        awaited = _awaited(
            json.loads(_run([*kubectl, "get", "deployments,pods", "-n", NAMESPACE, "-o", "json"]))
        )
        for name, text in awaited.items():
            if shown.get(name) != text:
                say(f"  {time.monotonic() - start:4.1f} s  {name}: {text or 'as wanted'}")
        shown = awaited
        if not any(awaited.values()):
            break
        if time.monotonic() - start > seconds:
            pods = _run([*kubectl, "get", "pods", "-n", NAMESPACE])
            warnings = _run([*kubectl, "get", "events", "-n", NAMESPACE, "--field-selector", "type=Warning"])
            raise ClusterError(f"The workloads were not ready after {seconds:.0f} s:\n{pods}\n{warnings}")
        time.sleep(_POLL_SECONDS)
    say(f"The workloads of {NAMESPACE} are ready after {time.monotonic() - start:.1f} s")


def _awaited(listing: dict) -> dict[str, str]:
    """For each workload what is still missing, empty when nothing is."""
    named = {(item["kind"], item["metadata"]["name"]): item for item in listing["items"]}
    pods = [item for item in listing["items"] if item["kind"] == "Pod"]
    awaited = {
        name: _awaited_of_deployment(named["Deployment", name], _of(pods, name)) for name in DEPLOYMENTS
    }
    ready = {entry["type"]: entry["status"] for entry in named["Pod", POD]["status"].get("conditions", [])}
    awaited[POD] = "" if ready.get("Ready") == "True" else f"not ready{_reasons(_of(pods, POD))}"
    restarts = [status["restartCount"] for status in _container_statuses(_of(pods, CRASHING))]
    awaited[CRASHING] = "" if any(restarts) else f"has not crashed yet{_reasons(_of(pods, CRASHING))}"
    return awaited


def _awaited_of_deployment(deployment: dict, pods: list[dict]) -> str:
    wanted, status = deployment["spec"]["replicas"], deployment["status"]
    ready, updated = status.get("readyReplicas", 0), status.get("updatedReplicas", 0)
    current = status.get("observedGeneration") == deployment["metadata"]["generation"]
    # pods that are still ending count too: a scan would find them
    if current and ready == updated == len(pods) == wanted:
        return ""
    return f"{ready if current else 0} of {wanted} ready{_reasons(pods)}"


def _of(pods: list[dict], name: str) -> list[dict]:
    return [pod for pod in pods if pod["metadata"]["labels"].get(_NAME_LABEL) == name]


def _container_statuses(pods: list[dict]) -> list[dict]:
    return [status for pod in pods for status in pod["status"].get("containerStatuses", [])]


def _reasons(pods: list[dict]) -> str:
    """Why containers wait, such as ErrImagePull when an image was not loaded."""
    reasons = {status["state"].get("waiting", {}).get("reason") for status in _container_statuses(pods)} - {
        None
    }
    return f" ({', '.join(sorted(reasons))})" if reasons else ""


def _find_kubectl() -> str:
    built = sorted(cache().glob("programs/*/bin/kubectl"), key=lambda path: path.stat().st_mtime)
    found = str(built[-1]) if built else shutil.which("kubectl")
    if found is None:
        raise ClusterError("There is no kubectl: bring a test cluster up first, or give --kubectl.")
    return found


def _run(command: list[str]) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
