# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemons of a cluster: the command line of each, and where it says that it is well."""

from __future__ import annotations

from . import network
from .places import INSIDE, INSIDE_PROGRAMS
from .state import State

DAEMONS = ("etcd", "containerd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet")
SERVICE_ACCOUNT_ISSUER = "https://kubernetes.default.svc"

_PKI = f"{INSIDE}/pki"
_ETC = f"{INSIDE}/etc"


def command_lines(state: State) -> dict[str, list[str]]:
    """The command line of each daemon, by its name, with the paths that it sees inside the cluster's namespaces."""
    return {
        "etcd": [f"{INSIDE_PROGRAMS}/server", *_etcd(state)],
        "containerd": [f"{INSIDE_PROGRAMS}/containerd", "--config", f"{_ETC}/containerd.toml"],
        "kube-apiserver": [f"{INSIDE_PROGRAMS}/kube-apiserver", *_apiserver(state)],
        "kube-controller-manager": [
            f"{INSIDE_PROGRAMS}/kube-controller-manager",
            *_controller_manager(state),
        ],
        "kube-scheduler": [f"{INSIDE_PROGRAMS}/kube-scheduler", *_scheduler(state)],
        "kubelet": [f"{INSIDE_PROGRAMS}/kubelet", *_kubelet(state)],
    }


def health_addresses(state: State) -> dict[str, str]:
    """Where each daemon answers 200 when it is well. Containerd has no such address: its socket must take calls."""
    ports = state.ports
    return {
        "etcd": f"http://127.0.0.1:{ports['etcd-health']}/readyz",
        "kube-apiserver": f"{state.server}/readyz",
        "kube-controller-manager": f"https://127.0.0.1:{ports['controller-manager']}/healthz",
        "kube-scheduler": f"https://127.0.0.1:{ports['scheduler']}/readyz",
        "kubelet": f"http://127.0.0.1:{ports['kubelet-health']}/healthz",
    }


def _etcd(state: State) -> list[str]:
    clients, peers, health = (state.ports[what] for what in ("etcd", "etcd-peer", "etcd-health"))
    return [
        "--name=etcd",
        "--data-dir=/var/lib/etcd",
        f"--listen-client-urls=https://127.0.0.1:{clients}",
        f"--advertise-client-urls=https://127.0.0.1:{clients}",
        f"--listen-peer-urls=https://127.0.0.1:{peers}",
        f"--initial-advertise-peer-urls=https://127.0.0.1:{peers}",
        f"--initial-cluster=etcd=https://127.0.0.1:{peers}",
        f"--listen-metrics-urls=http://127.0.0.1:{health}",
        "--client-cert-auth",
        f"--trusted-ca-file={_PKI}/etcd-ca.crt",
        f"--cert-file={_PKI}/etcd.crt",
        f"--key-file={_PKI}/etcd.key",
        "--peer-client-cert-auth",
        f"--peer-trusted-ca-file={_PKI}/etcd-ca.crt",
        f"--peer-cert-file={_PKI}/etcd.crt",
        f"--peer-key-file={_PKI}/etcd.key",
        # alone, it elects itself as soon as it may
        "--heartbeat-interval=20",
        "--election-timeout=200",
        # what a crash of the machine loses, a test cluster can lose
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _apiserver(state: State) -> list[str]:
    return [
        "--bind-address=127.0.0.1",
        f"--secure-port={state.ports['apiserver']}",
        f"--advertise-address={network.bridge_address(state.slot)}",
        "--endpoint-reconciler-type=none",
        f"--etcd-servers=https://127.0.0.1:{state.ports['etcd']}",
        f"--etcd-cafile={_PKI}/etcd-ca.crt",
        f"--etcd-certfile={_PKI}/apiserver-etcd.crt",
        f"--etcd-keyfile={_PKI}/apiserver-etcd.key",
        f"--service-cluster-ip-range={network.subnets(state.slot)[1]}",
        f"--tls-cert-file={_PKI}/apiserver.crt",
        f"--tls-private-key-file={_PKI}/apiserver.key",
        f"--client-ca-file={_PKI}/ca.crt",
        f"--authentication-config={_ETC}/authentication.json",
        f"--service-account-issuer={SERVICE_ACCOUNT_ISSUER}",
        f"--service-account-signing-key-file={_PKI}/tokens.key",
        f"--service-account-key-file={_PKI}/tokens.pub",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        # the node's name is on loopback for every daemon of this cluster; its address is not
        "--kubelet-preferred-address-types=Hostname",
        f"--kubelet-certificate-authority={_PKI}/ca.crt",
        f"--kubelet-client-certificate={_PKI}/apiserver-kubelet.crt",
        f"--kubelet-client-key={_PKI}/apiserver-kubelet.key",
        f"--audit-policy-file={_ETC}/audit-policy.json",
        f"--audit-log-path={INSIDE}/log/audit.log",
        # an answer is sent after its line is in the log; one file, never rotated, so that a count is a count
        "--audit-log-mode=blocking",
        "--audit-log-maxsize=0",
    ]


def _controller_manager(state: State) -> list[str]:
    return [
        "--bind-address=127.0.0.1",
        f"--secure-port={state.ports['controller-manager']}",
        f"--kubeconfig={_ETC}/controller-manager.kubeconfig",
        "--leader-elect=false",
        "--use-service-account-credentials=true",
        # as slow as it is by default, it takes seconds to make an account for each controller
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        f"--service-account-private-key-file={_PKI}/tokens.key",
        f"--root-ca-file={_PKI}/ca.crt",
        # the second round finds the node that the first one missed; a node's taint goes then
        "--node-monitor-period=1s",
        # the default would be made on the machine itself
        "--flex-volume-plugin-dir=/var/lib/kubelet/volume-plugins",
    ]


def _scheduler(state: State) -> list[str]:
    return [
        "--bind-address=127.0.0.1",
        f"--secure-port={state.ports['scheduler']}",
        f"--kubeconfig={_ETC}/scheduler.kubeconfig",
        "--leader-elect=false",
    ]


def _kubelet(state: State) -> list[str]:
    return [
        f"--config={_ETC}/kubelet.json",
        f"--kubeconfig={_ETC}/kubelet.kubeconfig",
        f"--hostname-override={state.node}",
        # an address of the machine that every machine has while this cluster lives; kubelet refuses loopback
        f"--node-ip={network.bridge_address(state.slot)}",
        "--root-dir=/var/lib/kubelet",
    ]
