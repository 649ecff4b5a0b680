# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Helper pods: each image once, on a node that has it, by what the node calls it; and what volumes hide is not told."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches import (
    image_helper,
    refusals,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.image_and_volumes import (
    volume_mounts,
    without_volumes,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.api_errors import api_error
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    OK,
    UNSUPPORTED,
    Fact,
    Facts,
    Query,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import make_request
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import (
    SelectedTarget,
    Target,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod import PodSnapshot

PULLED = "registry/app@sha256:%s" % ("a" * 64)
LOADED = "sha256:%s" % ("b" * 64)


def selected(
    name: str, image_id: str, node: str = "n1", user: tuple[int, int] = (10001, 10002), **changes: Any
) -> SelectedTarget:
    pod: dict[str, Any] = {
        "metadata": {"name": name, "namespace": "shop", "uid": "u-" + name},
        "spec": {
            "nodeName": node,
            "containers": [{"name": "app", "volumeMounts": [{"name": "v", "mountPath": "/etc/app/"}]}],
        },
        "status": {
            "containerStatuses": [
                {"name": "app", "imageID": image_id, "user": {"linux": {"uid": user[0], "gid": user[1]}}}
            ]
        },
    }
    target = Target("c", "shop", "Pod", name, name, "u-" + name, "app", image_id=image_id, node=node)
    return SelectedTarget(target, PodSnapshot.from_object(pod), **changes)


@pytest.mark.parametrize(
    ("image_id", "reference"),
    [
        (PULLED, PULLED),
        ("docker-pullable://" + PULLED, PULLED),
        (LOADED, LOADED),
        ("docker://" + LOADED, LOADED),
    ],
)
def test_an_image_is_named_by_its_digest(image_id: str, reference: str) -> None:
    assert image_helper.image_reference(selected("a", image_id).target) == reference


@pytest.mark.parametrize("image_id", ["", "registry/app:1", "garbage"])
def test_a_tag_is_never_taken_for_what_runs(image_id: str) -> None:
    with pytest.raises(ScanError) as raised:
        image_helper.image_reference(selected("a", image_id).target)
    assert raised.value.reason == "image_unknown"


def test_each_image_is_mounted_once_on_a_node_that_has_it() -> None:
    targets = [
        selected(f"p{number}", f"sha256:{number % 20:064x}", f"n{number % 2}") for number in range(100)
    ]
    helpers = image_helper.plan_helpers(targets)
    references = [mounted.reference for helper in helpers for mounted in helper.images]
    assert len(references) == len(set(references)) == 20
    assert all(len(helper.images) <= image_helper.IMAGES_PER_HELPER for helper in helpers)
    for helper in helpers:
        for mounted in helper.images:
            assert helper.node in {
                each.target.node for each in targets if each.target.image_id == mounted.reference
            }
    assert len({image_helper.helper_name("run", helper.number) for helper in helpers}) == len(helpers) == 4


def test_the_user_is_the_targets_but_never_root() -> None:
    (helper,) = image_helper.plan_helpers([selected("a", LOADED, user=(0, 0))])
    assert (helper.images[0].uid, helper.images[0].gid) == (image_helper.NOBODY, image_helper.NOBODY)
    for order in (1, -1):
        (helper,) = image_helper.plan_helpers(
            [
                selected("a", LOADED, user=(0, 0)),
                selected("b", LOADED, user=(7, 8)),
                selected("c", LOADED, user=(5, 6)),
            ][::order]
        )
        assert (helper.images[0].uid, helper.images[0].gid) == (5, 6)


def test_what_cannot_be_mounted_is_not_planned() -> None:
    assert (
        image_helper.plan_helpers(
            [
                selected("a", ""),
                selected("b", PULLED, node=""),
                selected("w", PULLED, operating_system="windows"),
            ]
        )
        == []
    )


def test_a_helper_pod_holds_no_privilege_and_no_token() -> None:
    (helper,) = image_helper.plan_helpers([selected("a", PULLED), selected("b", LOADED)])
    options = image_helper.ImageOptions("helpers", "tools:1", pull_secrets=("s",))
    owner = {"apiVersion": "v1", "kind": "ServiceAccount", "name": "o", "uid": "u"}
    pod = image_helper.helper_pod("h", helper, options, labels={"l": "v"}, owner=owner, lifetime=600)
    spec = pod["spec"]
    assert spec["automountServiceAccountToken"] is False and spec["activeDeadlineSeconds"] == 600
    assert [volume["image"]["reference"] for volume in spec["volumes"]] == [PULLED, LOADED]
    assert pod["metadata"]["ownerReferences"] == [owner] and spec["imagePullSecrets"] == [{"name": "s"}]
    for container in spec["containers"]:
        assert container["securityContext"] == {
            "runAsUser": 10001,
            "runAsGroup": 10002,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        (mount,) = container["volumeMounts"]
        assert mount == {"name": container["name"], "mountPath": "/image", "readOnly": True}


@pytest.mark.parametrize(
    ("status", "message", "reason"),
    [
        (
            422,
            'Pod "h" is invalid: spec.volumes[0]: Required value: must specify a volume type',
            "image_volumes_unsupported",
        ),
        (403, 'pods "h" is forbidden: violates PodSecurity "restricted:latest": x', "helper_refused"),
        (403, 'pods "h" is forbidden: exceeded quota: full, requested: pods=1', "helper_refused"),
        (404, 'namespaces "helpers" not found', "helper_refused"),
        (429, "too many", "throttled"),
        (500, "etcd", "server_error"),
    ],
)
def test_refusals_are_told_apart(status: int, message: str, reason: str) -> None:
    body = ('{{"kind": "Status", "message": "{}"}}'.format(message.replace('"', '\\"'))).encode()
    assert refusals.creation_refusal(api_error(status, {}, body, "create pods"), "helpers").reason == reason


def test_what_lies_below_a_volume_is_not_told_by_the_image() -> None:
    queries = [Query("file", path) for path in ("/etc/app", "/etc/app/x", "/etc/application", "/etc")]
    queries += [Query("passwd"), Query("walk", "/etc", (("match", "setuid"),))]
    found = {query.key: Fact(OK, "seen") for query in queries}
    found[queries[-1].key] = Fact(
        OK, {"entries": [{"path": "/etc/app/su"}, {"path": "/etc/su"}], "complete": True}
    )
    mounts = volume_mounts(selected("a", LOADED).pod.object(), "app")
    facts = without_volumes(Facts(found), make_request(queries), mounts)
    assert [facts.get_fact(query).status for query in queries] == [UNSUPPORTED, UNSUPPORTED, OK, OK, OK, OK]
    assert "volume at /etc/app" in facts.get_fact(queries[0]).cause
    assert facts.get_fact(queries[-1]).value["entries"] == [{"path": "/etc/su"}]
    assert found["file:/etc/app"].status == OK, (
        "the facts that other containers of the image share are as they were"
    )
    assert (
        without_volumes(Facts(found), make_request(queries), ["/etc/passwd"]).get_fact(Query("passwd")).status
        == UNSUPPORTED
    )
    assert (
        without_volumes(Facts(found), make_request(queries), ["/"]).get_fact(queries[2]).status == UNSUPPORTED
    )
