# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is scanned by each approach besides the sample workloads: one pod of each other kind of image, and its packages."""

from __future__ import annotations

from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import container, pod
from ansible_collections.securescan.kubernetes.tests.support.sidecar_fixtures import with_sidecars

NAMESPACE = "parity"
_NONROOT = (65532, 65532)
_LISTENS = {"readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1}}


def _distroless(language: str, *arguments: str) -> dict:
    image = f"securescan.local/distroless-{language}:1"
    return container(language, image=image, user=_NONROOT, args=list(arguments), **_LISTENS)


CONTAINERS = (
    _distroless("python", "-m", "http.server", "--directory", "/app", "8080"),
    _distroless("node", "/app/server.js"),
    _distroless("java", "--module", "java.rmi/sun.rmi.registry.RegistryImpl", "8080"),
    container("apk", image="securescan.local/apk:1", command=("/usr/bin/listener", "8080"), **_LISTENS),
    container("musl", image="securescan.local/musl:1", user=_NONROOT, args=["8080"], **_LISTENS),
    container("rpm", image="securescan.local/rpm:1"),
)
NO_DATABASE = "musl"  # of packages: it is not known what is installed there
NO_SHELL = ("java", "musl", "node", "python")


def manifest() -> dict:
    """The namespace and its pods, one for each container, with a sidecar for scans."""
    named = {"namespace": NAMESPACE}
    return {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "sample", **named}},
            *(
                dict(
                    with_sidecars(pod(one["name"], one, serviceAccountName="sample")),
                    metadata={"name": one["name"], **named},
                )
                for one in CONTAINERS
            ),
        ],
    }


# container -> what its recipe puts in; what a Debian point release may raise is given by its beginning
PACKAGES = {
    "python": [
        {"package": "python3.11-minimal", "expect": {"version": {"matches": r"^3\.11\."}}},
        {"pip": "orders", "expect": {"version": "2.4.1", "paths": "/usr/lib/python3/dist-packages"}},
    ],
    "node": [
        {
            "packages": None,
            "expect": {
                "manager": "dpkg",
                "names": {"include": ["libicu72", "libnode108", "nodejs", "tzdata"]},
            },
        },
        {"package": "nodejs", "expect": {"version": {"matches": r"^18\.20\."}}},
        {"npm": "orders", "expect": {"version": "2.4.1", "paths": "/app/node_modules/orders"}},
        {"npm": "acorn", "expect": {"version": "8.8.1", "paths": "/usr/share/nodejs/acorn"}},
    ],
    "java": [
        {
            "packages": None,
            "expect": {"manager": "dpkg", "names": {"include": ["libstdc++6", "openjdk-17-jre-headless"]}},
        },
        {"package": "openjdk-17-jre-headless", "expect": {"version": {"matches": r"^17\.0\."}}},
    ],
    "apk": [
        {
            "packages": None,
            "expect": {
                "manager": "apk",
                "names": ["alpine-release", "busybox", "listener", "musl"],
                "versions": ["3.17.10-r0", "1.35.0-r31", "1.0-r0", "1.2.3-r6"],
            },
        },
        {"os": None, "expect": {"name": "alpine", "release": "3.17.10"}},
    ],
    "musl": [{"packages": None, "expect": {"names": {"empty": True}}}],
    "rpm": [
        {
            "packages": None,
            "expect": {
                "manager": "rpm",
                "names": ["glibc", "openssl-libs", "tzdata"],
                "versions": ["2.34-1.el9", "3.0.7-1.el9", "2024a-1.el9"],
            },
        }
    ],
}


def package_profile() -> dict:
    """A profile of one control for each container, which is met by that container alone, or cannot be reviewed there."""
    controls = [
        {
            "id": f"packages-of-{name}",
            "title": f"The packages of {name}",
            "impact": "low",
            "desc": "What its recipe puts in.",
            "fix": "None.",
            "tests": tests,
        }
        for name, tests in PACKAGES.items()
    ]
    return {
        "name": "packages-of-samples",
        "title": "Packages of the samples",
        "version": "1.0.0",
        "controls": controls,
    }
