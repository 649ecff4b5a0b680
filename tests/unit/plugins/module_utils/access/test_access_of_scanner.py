# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scanner's side: token lifetimes, what the access covers, and the successors of pods that were replaced."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.objects import PodRef
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.packed_pods import pack_pods
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.renewal import successors
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.scanner import (
    ScannerAccess,
    remaining_lifetime,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import Target
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod import PodSnapshot
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import SelectedTarget
from ansible_collections.securescan.kubernetes.plugins.module_utils.times import api_time

UIDS = [str(uuid.UUID(int=number)) for number in range(1, 4)]
NOBODY, LATER = pack_pods({}), "2126-01-01T00:00:00Z"


def selected(pod, uid, workload="api", container="app", state="running"):
    target = Target(
        cluster="c",
        namespace="shop",
        workload_kind="Deployment",
        workload=workload,
        pod=pod,
        pod_uid=uid,
        container=container,
        state=state,
    )
    return SelectedTarget(
        target,
        PodSnapshot.from_object(
            {"metadata": {"name": pod, "namespace": "shop", "uid": uid}, "spec": {}, "status": {}}
        ),
    )


def paired(lost, current, reached):
    return [
        (old.target.pod, new.target.pod, new.target.container)
        for old, new in successors(lost, current, reached)
    ]


def test_a_successor_is_a_new_running_container_of_the_same_name_and_workload():
    lost = selected("api-1", "u1")
    others = [
        selected("api-2", "u2"),
        selected("api-3", "u3", workload="other"),
        selected("api-4", "u4", container="b"),
        selected("api-5", "u5", state="waiting"),
    ]
    assert paired([lost], others, {"u1", "u2"}) == []
    assert paired([lost], [*others, selected("api-6", "u6")], {"u1", "u2"}) == [("api-1", "api-6", "app")]


def test_no_more_successors_than_were_lost_and_no_one_twice():
    lost = [selected("api-1", "u1"), selected("api-2", "u2")]
    new = [selected(f"api-{number}", f"u{number}") for number in (3, 4, 5)]
    assert paired(lost, new, {"u1", "u2"}) == [("api-1", "api-3", "app"), ("api-2", "api-4", "app")]
    assert paired(lost, new[:1], {"u1", "u2"}) == [("api-1", "api-3", "app")]


def test_a_pod_that_keeps_its_name_and_one_that_came_too_late_are_found():
    same_name = selected("db-0", "new")
    assert paired([selected("db-0", "old")], [same_name], {"old"}) == [("db-0", "db-0", "app")]
    # lost because it came after the access was made: it is its own successor
    assert paired([same_name], [same_name], {"old"}) == [("db-0", "db-0", "app")]


@pytest.mark.parametrize(("left", "expected"), [(3600, 3600), (599, 600), (-5, 600)])
def test_a_token_ends_with_its_access_but_never_before_the_apis_minimum(left, expected):
    lifetime = remaining_lifetime(datetime.now(timezone.utc) + timedelta(seconds=left, milliseconds=500))
    assert max(600, expected - 60) <= lifetime <= expected, "the clock goes on meanwhile"


@pytest.mark.parametrize(
    "access",
    [
        {},
        {"run_id": "r"},
        {"run_id": "r", "namespaces": [{}]},
        {"run_id": "r", "packed_pods": NOBODY, "namespaces": [{"namespace": "n", "expires": LATER}]},
        {"run_id": "r", "packed_pods": pack_pods({"n": ()}), "namespaces": [{"namespace": "n"}]},
        {
            "run_id": "r",
            "packed_pods": pack_pods({"n": ()}),
            "namespaces": [{"namespace": "n", "expires": "tomorrow"}],
        },
        {"run_id": "r", "packed_pods": "no", "namespaces": [{"namespace": "n", "expires": LATER}]},
        {"run_id": "r", "packed_pods": None, "namespaces": [{"namespace": "n", "expires": LATER}]},
    ],
)
def test_a_garbled_access_is_refused(access, client, connection):
    with pytest.raises(ScanError) as caught:
        ScannerAccess(client, connection, access)
    assert caught.value.reason == "bad_option"


def test_what_the_access_does_not_cover_is_refused_without_a_request(client, connection):
    access = {
        "run_id": "r",
        "packed_pods": pack_pods({"shop": [PodRef("api-1", UIDS[0])]}),
        "namespaces": [{"namespace": "shop", "expires": api_time(datetime.now(timezone.utc))}],
    }
    scanner = ScannerAccess(client, connection, access)
    for target, reason in (
        (selected("api-1", UIDS[1]), "pod_replaced"),
        (selected("api-2", UIDS[2]), "pod_replaced"),
    ):
        with pytest.raises(ScanError) as caught:
            scanner.for_target(target.target)
        assert caught.value.reason == reason
    assert (client.requests, scanner.requests) == (0, 0)
    assert scanner.pod_uids == {UIDS[0]}
