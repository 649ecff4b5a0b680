# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys and certificates of one cluster, made with the openssl program: two authorities and what they sign."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .debian_packages import path_of
from .failure import ClusterError
from .processes import run

# who asks whether the cluster is well; the audit log leaves this one out
HEALTH_USER = "securescan-test-health"
_DAYS = "730"
_EC_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc")


@dataclass(frozen=True)
class _Leaf:
    """One certificate: file name, who signs it, subject, what it may be used for, and the names it serves under."""

    name: str
    authority: str
    subject: str
    usage: str
    names: str = ""


def create(folder: Path, node: str, service_address: str) -> None:
    """Fill `folder` with NAME.crt and NAME.key for every part of the cluster. Raises ClusterError if openssl fails.

    `node` is the node's name, `service_address` the address of the service "kubernetes" inside the cluster.
    """
    folder.mkdir(mode=0o700)
    _openssl(
        folder, ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "tokens.key"]
    )
    with ThreadPoolExecutor(4) as workers:
        # list() lets the first failure surface
        list(workers.map(lambda name: _make_authority(folder, name), ("ca", "etcd-ca")))
        list(workers.map(lambda leaf: _make_leaf(folder, leaf), _leaves(node, service_address)))
    _openssl(folder, ["pkey", "-in", "tokens.key", "-pubout", "-out", "tokens.pub"])


def _leaves(node: str, service_address: str) -> tuple[_Leaf, ...]:
    serving, calling = "serverAuth", "clientAuth"
    api_names = (
        "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,"
        f"DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:{service_address}"
    )
    return (
        _Leaf("apiserver", "ca", "/CN=kube-apiserver", serving, api_names),
        _Leaf("apiserver-kubelet", "ca", "/O=system:masters/CN=kube-apiserver-kubelet-client", calling),
        _Leaf("apiserver-etcd", "etcd-ca", "/CN=kube-apiserver-etcd-client", calling),
        _Leaf("etcd", "etcd-ca", "/CN=etcd", f"{serving},{calling}", "DNS:localhost,IP:127.0.0.1"),
        _Leaf("admin", "ca", "/O=system:masters/CN=securescan-test-admin", calling),
        _Leaf("health", "ca", f"/O=system:masters/CN={HEALTH_USER}", calling),
        _Leaf("controller-manager", "ca", "/CN=system:kube-controller-manager", calling),
        _Leaf("scheduler", "ca", "/CN=system:kube-scheduler", calling),
        _Leaf("kubelet", "ca", f"/O=system:nodes/CN=system:node:{node}", calling),
        _Leaf(
            "kubelet-serving",
            "ca",
            f"/O=system:nodes/CN=system:node:{node}",
            serving,
            f"DNS:{node},IP:127.0.0.1",
        ),
    )


def _make_authority(folder: Path, name: str) -> None:
    subject = ["-subj", f"/CN=securescan-test-{name}"]
    extensions = ["-addext", "keyUsage=critical,keyCertSign,digitalSignature"]
    _openssl(folder, ["req", "-x509", *_EC_KEY, "-days", _DAYS, *subject, *extensions, *_files(name)])


def _make_leaf(folder: Path, leaf: _Leaf) -> None:
    signer = ["-CA", f"{leaf.authority}.crt", "-CAkey", f"{leaf.authority}.key"]
    extensions = ["basicConstraints=critical,CA:FALSE", f"extendedKeyUsage={leaf.usage}"]
    if leaf.names:
        extensions.append(f"subjectAltName={leaf.names}")
    options = [option for extension in extensions for option in ("-addext", extension)]
    subject = ["-subj", leaf.subject]
    _openssl(
        folder, ["req", "-x509", *_EC_KEY, *signer, "-days", _DAYS, *subject, *options, *_files(leaf.name)]
    )


def _files(name: str) -> list[str]:
    return ["-keyout", f"{name}.key", "-out", f"{name}.crt"]


def _openssl(folder: Path, arguments: list[str]) -> None:
    done = run(path_of("openssl"), *arguments, folder=folder)
    if done.returncode != 0:
        raise ClusterError(f"openssl {' '.join(arguments)} failed: {done.stderr.strip()}")
