# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flux's source-controller and kustomize-controller, as programs beside a cluster: to the API server it is all one where a
controller runs. Their resource definitions come with their Go modules."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
from collections.abc import Iterator

from ..environment.go_program import MODULES, built
from ..environment.sample_cluster import SampleCluster
from .free_port import free_port
from .served_program import served

CONTROLLERS = ("source-controller", "kustomize-controller")


def crds(controller: str) -> pathlib.Path:
    """The folder of a controller's resource definitions."""
    done = subprocess.run(
        ["go", "list", "-mod=readonly", "-m", "-json", f"github.com/fluxcd/{controller}"],
        cwd=MODULES / controller,
        check=True,
        stdout=subprocess.PIPE,
    )
    return pathlib.Path(json.loads(done.stdout)["Dir"]) / "config" / "crd" / "bases"


@contextlib.contextmanager
def flux(cluster: SampleCluster, folder: pathlib.Path) -> Iterator[None]:
    """Both controllers, over all namespaces, listening on loopback only; their definitions go again at the end."""
    definitions = [crds(controller) for controller in CONTROLLERS]
    for definition in definitions:
        cluster.kubectl("apply", "--server-side", "-f", str(definition))
    artifacts = free_port()
    own = {
        "source-controller": [
            f"--storage-path={folder / 'artifacts'}",
            f"--storage-addr=127.0.0.1:{artifacts}",
            f"--storage-adv-addr=127.0.0.1:{artifacts}",
        ],
        "kustomize-controller": [],
    }
    (folder / "artifacts").mkdir()
    try:
        with contextlib.ExitStack() as running:
            for controller in CONTROLLERS:
                health = free_port()
                environment = {
                    **os.environ,
                    "KUBECONFIG": str(cluster.kubeconfig),
                    "RUNTIME_NAMESPACE": "flux-system",
                    "TMPDIR": str(folder),
                }
                command = [
                    built(controller),
                    "--metrics-addr=127.0.0.1:0",
                    f"--health-addr=127.0.0.1:{health}",
                    "--log-level=info",
                    *own[controller],
                ]
                running.enter_context(served(command, health, folder / f"{controller}.log", environment))
            yield
    finally:
        for definition in definitions:
            cluster.kubectl("delete", "--ignore-not-found", "--wait=false", "-f", str(definition))
