# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sidecars a pod template needs, and what is said of containers that none can look at."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.sidecar.containers import (
    SidecarOptions,
    lacks_identity,
    needed_sidecars,
    reported_identities,
)

OPTIONS = SidecarOptions(image="tools:1")


def container(name: str = "app", **security: Any) -> dict[str, Any]:
    return {"name": name, "image": "x", "securityContext": security}


def template(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"spec": {"containers": list(containers), **spec}}


def names(found: dict[str, Any], reported: Any = None, options: SidecarOptions = OPTIONS) -> Any:
    return [
        name[len("securescan-sidecar-") :]
        for name in needed_sidecars(found, reported or {}, options, "trying").names
    ]


def test_there_is_one_for_each_identity() -> None:
    found = template(
        container("a", runAsUser=1, runAsGroup=2),
        container("b", runAsUser=1, runAsGroup=2),
        container("c", runAsGroup=3),
        securityContext={"runAsUser": 1, "runAsGroup": 9},
    )
    assert names(found) == ["1-2", "1-3"] and not lacks_identity(found)


def test_other_sidecars_are_looked_at_and_init_containers_that_end_are_not() -> None:
    found = template(
        container(runAsUser=1, runAsGroup=1),
        initContainers=[
            dict(container("proxy", runAsUser=7, runAsGroup=7), restartPolicy="Always"),
            container("prepares", runAsUser=8, runAsGroup=8),
        ],
    )
    assert names(found) == ["1-1", "7-7"]


@pytest.mark.parametrize(
    ("security", "reported", "expected"),
    [
        ({}, {"app": (5, 6)}, ["5-6"]),
        ({"runAsUser": 1}, {"app": (5, 6)}, ["1-6"]),
        ({"runAsGroup": 1}, {}, ["8-1"]),
        ({}, {"other": (5, 6)}, ["8-9"]),
    ],
)
def test_what_the_template_does_not_set_the_node_tells_and_then_the_options(
    security: Any, reported: Any, expected: Any
) -> None:
    found = template(container(**security))
    assert lacks_identity(found)
    assert names(found, reported, SidecarOptions(image="x", user=8, group=9)) == expected


def test_nobody_tells_it() -> None:
    with pytest.raises(ScanError) as raised:
        names(template(container(runAsUser=1)))
    assert raised.value.reason == "identity_unknown" and "app" in raised.value.message


def test_what_was_added_before_stays_where_nobody_tells_it_any_more() -> None:
    (own,) = needed_sidecars(template(container()), {"app": (5, 6)}, OPTIONS, "").containers
    assert names(template(container(), initContainers=[own])) == ["5-6"]
    assert names(template(container(runAsUser=1, runAsGroup=1), initContainers=[own])) == ["1-1"]


def test_the_youngest_pod_is_believed() -> None:
    def pod(created: str, uid: Any) -> dict[str, Any]:
        return {
            "metadata": {"creationTimestamp": created},
            "status": {
                "containerStatuses": [
                    {"name": "app", "user": {"linux": {"uid": uid, "gid": 1}}},
                    {"name": "other"},
                ]
            },
        }

    pods = [
        pod("2026-01-02T00:00:00Z", 2),
        pod("2026-01-03T00:00:00Z", 3),
        pod("2026-01-01T00:00:00Z", 1),
        pod("2026-01-04T00:00:00Z", None),
    ]
    assert reported_identities(pods) == {"app": (3, 1)} and reported_identities([{"metadata": {}}]) == {}


@pytest.mark.parametrize(
    ("security", "served"),
    [
        ({"capabilities": {"drop": ["ALL"]}}, True),
        ({"capabilities": {"drop": ["all"]}}, True),
        ({}, False),
        ({"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}, False),
        ({"capabilities": {"drop": ["ALL"]}, "privileged": True}, False),
    ],
)
def test_root_is_served_where_it_holds_nothing(security: Any, served: bool) -> None:
    root = container("root", runAsUser=0, runAsGroup=0, **security)
    needed = needed_sidecars(template(root, container(runAsUser=1, runAsGroup=1)), {}, OPTIONS, "")
    assert ("securescan-sidecar-0-0" in needed.names) == served and set(needed.not_served) == (
        set() if served else {"root"}
    )
    if served:
        assert "runAsNonRoot" not in needed.containers[0]["securityContext"]
        return
    with pytest.raises(ScanError) as raised:
        needed_sidecars(template(root), {}, OPTIONS, "")
    assert raised.value.reason == "target_privileged"


def test_it_is_as_narrow_as_restricted_asks() -> None:
    (made,) = needed_sidecars(template(container(runAsUser=1, runAsGroup=2)), {}, OPTIONS, "").containers
    assert made["securityContext"] == {
        "runAsUser": 1,
        "runAsGroup": 2,
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert (
        made["restartPolicy"] == "Always" and made["command"][-1] == "2147483647" and "resources" not in made
    )
    assert not {"ports", "env", "volumeMounts"} & set(made)


def test_windows_is_refused() -> None:
    with pytest.raises(ScanError) as raised:
        names(template(container(runAsUser=1, runAsGroup=1), os={"name": "windows"}))
    assert raised.value.reason == "platform_unsupported"
