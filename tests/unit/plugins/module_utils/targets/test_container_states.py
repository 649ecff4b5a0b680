# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers that do not run are targets all the same, with a state and a reason."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.tests.support.sample_pods import (
    RUNNING,
    Api,
    pod,
    select,
)

UNSCHEDULED = {
    "phase": "Pending",
    "conditions": [
        {"type": "Ready", "status": "False", "reason": "X"},
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"},
    ],
}


def status(state, phase="Running"):
    return {"phase": phase, "containerStatuses": [{"name": "app", "state": state}]}


@pytest.mark.parametrize(
    ("pod_status", "expected"),
    [
        (status(RUNNING), ("running", "")),
        (status({"waiting": {"reason": "CrashLoopBackOff"}}), ("waiting", "CrashLoopBackOff")),
        (status({"waiting": {"reason": "ImagePullBackOff"}}, "Pending"), ("waiting", "ImagePullBackOff")),
        (status({"waiting": {}}), ("waiting", "")),
        (status({}), ("waiting", "")),
        (
            status({"terminated": {"exitCode": 0, "reason": "Completed"}}, "Succeeded"),
            ("terminated", "Completed"),
        ),
        (status({"terminated": {"exitCode": 137, "reason": "OOMKilled"}}), ("terminated", "OOMKilled")),
        (status(RUNNING, "Failed"), ("running", "")),
        (UNSCHEDULED, ("waiting", "Unschedulable")),
        ({"phase": "Pending"}, ("waiting", "Pending")),
        ({"phase": "Failed", "reason": "Evicted"}, ("terminated", "Evicted")),
        ({"phase": "Failed"}, ("terminated", "Failed")),
        ({"phase": "Succeeded"}, ("terminated", "Succeeded")),
        ({"phase": "Running"}, ("unknown", "NoStatus")),
        ({}, ("unknown", "NoStatus")),
    ],
)
def test_state_and_reason(pod_status, expected):
    each = pod("a")
    each["status"] = pod_status
    (selected,) = select(Api(pods=[each]), finished_pods=True)
    assert (selected.target.state, selected.target.state_reason) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (RUNNING, ("running", "Terminating")),
        ({"terminated": {"reason": "Error"}}, ("terminated", "Error")),
        ({"waiting": {}}, ("waiting", "Terminating")),
    ],
)
def test_a_pod_that_is_being_deleted(state, expected):
    (selected,) = select(
        Api(pods=[pod("a", state=state, metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})])
    )
    assert (selected.target.state, selected.target.state_reason) == expected


def test_an_init_and_an_ephemeral_container_have_states_of_their_own():
    each = pod(
        "a",
        initContainers=[{"name": "setup", "image": "i"}],
        ephemeralContainers=[{"name": "debug", "image": "d"}],
    )
    each["status"]["initContainerStatuses"] = [
        {"name": "setup", "state": {"terminated": {"reason": "Completed"}}}
    ]
    found = {
        selected.target.container: (selected.target.state, selected.target.state_reason)
        for selected in select(Api(pods=[each]), container_kinds=("container", "init", "ephemeral"))
    }
    assert found == {
        "app": ("running", ""),
        "setup": ("terminated", "Completed"),
        "debug": ("unknown", "NoStatus"),
    }
