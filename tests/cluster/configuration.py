# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration files of the daemons of one cluster, and the folders that they expect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import audit, kubeconfig, network
from .pause import PAUSE_IMAGE
from .places import INSIDE, INSIDE_CONTAINERD_SOCKET, INSIDE_PROGRAMS
from .state import State

# Health checks may be asked without a credential, nothing else.
_AUTHENTICATION: dict[str, Any] = {
    "apiVersion": "apiserver.config.k8s.io/v1",
    "kind": "AuthenticationConfiguration",
    "anonymous": {
        "enabled": True,
        "conditions": [{"path": path} for path in ("/livez", "/readyz", "/healthz")],
    },
}

_CONTAINERD = """\
version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"]

[grpc]
  address = "{socket}"

[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{pause}"

[plugins."io.containerd.cri.v1.runtime"]
  # without the capability CAP_SYS_RESOURCE runc cannot lower the score
  restrict_oom_score_adj = true

[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["{programs}"]
  conf_dir = "{inside}/etc/cni"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  BinaryName = "{runc}"
  SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri"]
  stream_server_address = "127.0.0.1"
  stream_server_port = "{stream_port}"
"""


def write(state: State) -> None:
    """Write all configuration below the cluster's folder; its certificates must be there already."""
    folder = state.folder
    for needed in ("etc/cni", "log", "var/lib/cni", "var/lib/kubelet", "var/lib/containerd", "var/log"):
        (folder / needed).mkdir(parents=True, exist_ok=True)
    etc = folder / "etc"
    _write_json(etc / "audit-policy.json", audit.POLICY)
    _write_json(etc / "authentication.json", _AUTHENTICATION)
    _write_json(etc / "kubelet.json", _kubelet(state))
    _write_json(etc / "cni" / "10-bridge.conflist", _pod_network(state))
    # Every daemon finds the node by its name on loopback; pods have no name server.
    (etc / "hosts").write_text(f"127.0.0.1 localhost\n127.0.0.1 {state.node}\n")
    (etc / "resolv.conf").write_text("")
    (etc / "containerd.toml").write_text(
        _CONTAINERD.format(
            socket=INSIDE_CONTAINERD_SOCKET,
            pause=PAUSE_IMAGE,
            programs=INSIDE_PROGRAMS,
            inside=INSIDE,
            runc=INSIDE / "runc",
            stream_port=state.ports["containerd-stream"],
        )
    )
    for user in ("controller-manager", "scheduler", "kubelet"):
        kubeconfig.write(etc / f"{user}.kubeconfig", state.name, state.server, state.certificates, user)
    kubeconfig.write(state.kubeconfig, f"securescan-{state.name}", state.server, state.certificates, "admin")


def _kubelet(state: State) -> dict[str, Any]:
    pki = f"{INSIDE}/pki"
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": "127.0.0.1",
        "port": state.ports["kubelet"],
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": state.ports["kubelet-health"],
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{pki}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{pki}/kubelet-serving.crt",
        "tlsPrivateKeyFile": f"{pki}/kubelet-serving.key",
        "containerRuntimeEndpoint": f"unix://{INSIDE_CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{state.control_groups}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        "localStorageCapacityIsolation": False,
        # the machine is shared: neither its disk nor its memory is this cluster's to judge
        "evictionHard": dict.fromkeys(
            (
                "memory.available",
                "nodefs.available",
                "nodefs.inodesFree",
                "imagefs.available",
                "imagefs.inodesFree",
            ),
            "0%",
        ),
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "maxPods": 200,
        "serializeImagePulls": False,
        # what these would change belongs to the machine
        "makeIPTablesUtilChains": False,
        "protectKernelDefaults": True,
        "oomScoreAdj": 0,
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        "resolvConf": f"{INSIDE}/etc/resolv.conf",
        # nothing answers there; without an address every pod would get a warning event
        "clusterDNS": [network.subnets(state.slot)[1].replace(".0/24", ".10")],
        "clusterDomain": "cluster.local",
        "kubeAPIQPS": 100,
        "kubeAPIBurst": 200,
    }


def _pod_network(state: State) -> dict[str, Any]:
    # The bridge has its address already (isGateway would switch on forwarding for the whole machine). So pods and the
    # machine reach each other, and pods reach nothing else.
    return {
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {
                "type": "bridge",
                "bridge": network.bridge_name(state.slot),
                "ipam": {"type": "host-local", "ranges": [[{"subnet": network.subnets(state.slot)[0]}]]},
            }
        ],
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
