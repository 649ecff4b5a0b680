# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why no debug container came: each kind of refusal by its own name."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.refusals import (
    is_name_taken,
    patch_refusal,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.api_errors import api_error

OURS = "securescan-24694eb4bd-1"
FORBIDDEN = 'pods "a" is forbidden: violates PodSecurity "restricted:latest": '
# as the API server (1.37) words them
PATCHES = {
    "the pod's other container": (
        403,
        FORBIDDEN + 'allowPrivilegeEscalation != false (container "careless" must set '
        "securityContext.allowPrivilegeEscalation=false)",
        "pod_violates_policy",
    ),
    "the pod as such": (403, FORBIDDEN + "host namespaces (hostNetwork=true)", "pod_violates_policy"),
    "the pod and ours": (
        403,
        FORBIDDEN + f'runAsUser=0 (containers "app", "{OURS}" must not set runAsUser=0)',
        "pod_violates_policy",
    ),
    "a volume, and ours": (
        403,
        FORBIDDEN + 'restricted volume types (volume "v" uses restricted volume type "hostPath"), '
        f'runAsUser=0 (container "{OURS}" must not set runAsUser=0)',
        "pod_violates_policy",
    ),
    "ours alone": (
        403,
        FORBIDDEN + f'unrestricted capabilities (container "{OURS}" must set '
        f'securityContext.capabilities.drop=["ALL"]), runAsUser=0 (container "{OURS}" must not set runAsUser=0)',
        "debug_refused",
    ),
    "a policy": (
        422,
        "pods \"a\" is forbidden: ValidatingAdmissionPolicy 'none' with binding 'none' denied request: no",
        "debug_refused",
    ),
    "a webhook": (
        403,
        'admission webhook "validate.kyverno.svc-fail" denied the request: block-ephemeral-containers',
        "debug_refused",
    ),
    "a quota": (
        403,
        'pods "a" is forbidden: exceeded quota: full, requested: pods=1, used: pods=1, limited: pods=1',
        "debug_refused",
    ),
    "rights": (
        403,
        'pods "a" is forbidden: User "system:serviceaccount:shop:securescan-x" cannot patch resource '
        '"pods/ephemeralcontainers" in API group "" in the namespace "shop"',
        "not_permitted",
    ),
    "an old cluster": (404, "the server could not find the requested resource", "debug_unsupported"),
    "a pod that is gone": (404, 'pods "a" not found', "pod_gone"),
    "too much traffic": (429, "too many requests", "throttled"),
}


def refusal(status, message):
    return api_error(
        status, {}, b'{"kind": "Status", "message": %s}' % quoted(message), "patch pods/ephemeralcontainers a"
    )


def quoted(text):
    return ('"{}"'.format(text.replace('"', '\\"'))).encode()


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
