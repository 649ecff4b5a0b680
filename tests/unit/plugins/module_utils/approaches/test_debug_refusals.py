# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why no debug container came: each kind of refusal by its own name."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.debug_refusals import (
    is_name_taken,
    not_started,
    patch_refusal,
    start_failure,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.api_errors import api_error

OURS = "securescan-24694eb4bd-1"
FORBIDDEN = 'pods "a" is forbidden: violates PodSecurity "restricted:latest": '
# as the API server (1.37) words them
PATCHES = {
    "the pod's other container": (403, FORBIDDEN + 'allowPrivilegeEscalation != false (container "careless" must set '
                                  "securityContext.allowPrivilegeEscalation=false)", "pod_violates_policy"),
    "the pod as such": (403, FORBIDDEN + "host namespaces (hostNetwork=true)", "pod_violates_policy"),
    "the pod and ours": (403, FORBIDDEN + 'runAsUser=0 (containers "app", "%s" must not set runAsUser=0)' % OURS,
                         "pod_violates_policy"),
    "a volume, and ours": (403, FORBIDDEN + 'restricted volume types (volume "v" uses restricted volume type "hostPath"), '
                           'runAsUser=0 (container "%s" must not set runAsUser=0)' % OURS, "pod_violates_policy"),
    "ours alone": (403, FORBIDDEN + 'unrestricted capabilities (container "%s" must set '
                   'securityContext.capabilities.drop=["ALL"]), runAsUser=0 (container "%s" must not set runAsUser=0)'
                   % (OURS, OURS), "debug_refused"),
    "a policy": (422, "pods \"a\" is forbidden: ValidatingAdmissionPolicy 'none' with binding 'none' denied request: no",
                 "debug_refused"),
    "a webhook": (403, 'admission webhook "validate.kyverno.svc-fail" denied the request: block-ephemeral-containers',
                  "debug_refused"),
    "a quota": (403, 'pods "a" is forbidden: exceeded quota: full, requested: pods=1, used: pods=1, limited: pods=1',
                "debug_refused"),
    "rights": (403, 'pods "a" is forbidden: User "system:serviceaccount:shop:securescan-x" cannot patch resource '
               '"pods/ephemeralcontainers" in API group "" in the namespace "shop"', "not_permitted"),
    "an old cluster": (404, "the server could not find the requested resource", "debug_unsupported"),
    "a pod that is gone": (404, 'pods "a" not found', "pod_gone"),
    "too much traffic": (429, "too many requests", "throttled"),
}


def refusal(status, message):
    return api_error(status, {}, b'{"kind": "Status", "message": %s}' % quoted(message), "patch pods/ephemeralcontainers a")


def quoted(text):
    return ('"%s"' % text.replace('"', '\\"')).encode()


@pytest.mark.parametrize("case", PATCHES)
def test_refused_patches(case):
    status, message, reason = PATCHES[case]
    error = patch_refusal(refusal(status, message), OURS)
    assert error.reason == reason
    assert error.tried and error.cause and error.advice


def test_a_policy_is_named():
    status, message, _reason = PATCHES["a policy"]
    assert "ValidatingAdmissionPolicy none" in patch_refusal(refusal(status, message), OURS).cause


def test_a_name_that_another_run_has_taken():
    taken = 'Pod "a" is invalid: spec.ephemeralContainers: Forbidden: existing ephemeral containers "x" may not be changed'
    assert is_name_taken(refusal(422, taken)) and is_name_taken(refusal(409, "the object has been modified"))
    assert not is_name_taken(refusal(422, 'Pod "a" is invalid: metadata.uid: Invalid value'))
    assert not is_name_taken(refusal(403, taken))


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
    "its configuration": ({"waiting": {"reason": "CreateContainerConfigError", "message": "no"}}, "debug_failed"),
    "no sh, waiting": ({"waiting": {"reason": "RunContainerError", "message": 'exec: "sh": executable file not found in $PATH'}},
                       "debug_failed sh"),
    "no sh, ended": ({"terminated": {"reason": "StartError", "exitCode": 128,
                                     "message": 'exec: "sh": executable file not found in $PATH'}}, "debug_failed sh"),
    "no sleep": ({"terminated": {"reason": "Error", "exitCode": 127}}, "debug_failed sleep"),
    "killed": ({"terminated": {"reason": "OOMKilled", "exitCode": 137}}, "debug_failed"),
    "ended": ({"terminated": {"reason": "Completed", "exitCode": 0}}, "debug_failed"),
}


@pytest.mark.parametrize("case", STATES)
def test_why_it_did_not_start(case):
    state, expected = STATES[case]
    error = start_failure(state, "tools:1", "starting it")
    reason, _space, missing = expected.partition(" ")
    assert (error.reason if error else "") == reason
    if missing:
        assert error.cause == "The image tools:1 has no %s." % missing
    elif error:
        assert " has no " not in error.cause


def test_what_the_node_says_is_one_printable_line():
    error = start_failure({"waiting": {"reason": "ErrImagePull", "message": "a\nb\x1b[31m" + "x" * 5000}}, "i", "t")
    assert "\n" not in error.message and "\x1b" not in error.message and len(error.message) < 600


def test_a_time_out_says_whether_the_node_has_taken_notice():
    assert "taken notice" in not_started(None, 5, "t").cause
    assert "pulls its image" in not_started({"waiting": {"reason": "ContainerCreating"}}, 5, "t").cause
