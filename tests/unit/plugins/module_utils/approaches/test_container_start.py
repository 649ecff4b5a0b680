# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a container that a scan has added does not run: each by its own name."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.container_start import (
    not_started,
    start_failure,
)

STATES = {
    "no status yet": (None, ""),
    "being made": ({"waiting": {"reason": "ContainerCreating"}}, ""),
    "waiting without a word": ({"waiting": {}}, ""),
    "waiting for the pod": ({"waiting": {"reason": "PodInitializing"}}, ""),
    "a failed pull": ({"waiting": {"reason": "ErrImagePull", "message": "not found"}}, "image_pull_failed"),
    "pulls that failed": ({"waiting": {"reason": "ImagePullBackOff"}}, "image_pull_failed"),
    "an image that may not be pulled": ({"waiting": {"reason": "ErrImageNeverPull"}}, "image_pull_failed"),
    "a garbled name": ({"waiting": {"reason": "InvalidImageName"}}, "image_pull_failed"),
    "a registry": ({"waiting": {"reason": "RegistryUnavailable"}}, "image_pull_failed"),
    "a signature": ({"waiting": {"reason": "SignatureValidationFailed"}}, "image_pull_failed"),
    "its configuration": (
        {"waiting": {"reason": "CreateContainerConfigError", "message": "no"}},
        "debug_failed",
    ),
    "no sh, waiting": (
        {
            "waiting": {
                "reason": "RunContainerError",
                "message": 'exec: "sh": executable file not found in $PATH',
            }
        },
        "debug_failed sh",
    ),
    "no sh, ended": (
        {
            "terminated": {
                "reason": "StartError",
                "exitCode": 128,
                "message": 'exec: "sh": executable file not found in $PATH',
            }
        },
        "debug_failed sh",
    ),
    "no sleep": ({"terminated": {"reason": "Error", "exitCode": 127}}, "debug_failed sleep"),
    "killed": ({"terminated": {"reason": "OOMKilled", "exitCode": 137}}, "debug_failed"),
    "ended": ({"terminated": {"reason": "Completed", "exitCode": 0}}, "debug_failed"),
}


@pytest.mark.parametrize("case", STATES)
def test_why_it_did_not_start(case):
    state, expected = STATES[case]
    error = start_failure(state, "tools:1", "starting it", "debug_failed")
    reason, _space, missing = expected.partition(" ")
    assert (error.reason if error else "") == reason
    if missing:
        assert error.cause == f"The image tools:1 has no {missing}."
    elif error:
        assert " has no " not in error.cause


def test_what_the_node_says_is_one_printable_line():
    text = "a\nb\x1b[31m" + "x" * 5000
    error = start_failure({"waiting": {"reason": "ErrImagePull", "message": text}}, "i", "t", "helper_failed")
    assert "\n" not in error.message and "\x1b" not in error.message and len(error.message) < 600


def test_a_time_out_says_whether_the_node_has_taken_notice():
    assert "taken notice" in not_started(None, 5, "t").cause
    assert "pulls its image" in not_started({"waiting": {"reason": "ContainerCreating"}}, 5, "t").cause
