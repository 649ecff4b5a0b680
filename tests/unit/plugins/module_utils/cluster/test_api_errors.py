# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What refusals of the API server mean, in words for an operator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.api_errors import (
    api_error,
    describe_request,
    refusal_cause,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.safe_text import server_text


def status(code: int, message: str = "m", **more: Any) -> bytes:
    document: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "message": message,
    }
    return json.dumps(dict(document, **more)).encode()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (400, "invalid_request"),
        (401, "not_authenticated"),
        (403, "not_permitted"),
        (404, "not_found"),
        (405, "invalid_request"),
        (409, "conflict"),
        (410, "not_found"),
        (415, "invalid_request"),
        (422, "invalid_request"),
        (429, "throttled"),
        (500, "server_error"),
        (502, "server_error"),
        (503, "server_error"),
        (504, "server_error"),
        (302, "bad_reply"),
        (418, "bad_reply"),
        (199, "bad_reply"),
    ],
)
def test_a_status_code_has_its_reason(code: int, reason: str) -> None:
    error = api_error(code, {}, status(code, reason="Whatever"), "get pods")
    assert (error.reason, error.status, error.status_reason, error.tried) == (
        reason,
        code,
        "Whatever",
        "get pods",
    )


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (
            'pods "api-1" is forbidden: User "system:serviceaccount:shop:scan" cannot create resource "pods/exec" in API '
            'group "" in the namespace "shop"',
            "RBAC does not let system:serviceaccount:shop:scan create pods/exec in namespace shop.",
        ),
        (
            'nodes is forbidden: User "u" cannot list resource "nodes" in API group "" at the cluster scope',
            "RBAC does not let u list nodes.",
        ),
        ('forbidden: User "u" cannot get path "/metrics"', "RBAC does not let u get /metrics."),
        (
            "pods \"x\" is forbidden: ValidatingAdmissionPolicy 'scan-guard' with binding 'all' denied "
            "request: no",
            "The ValidatingAdmissionPolicy scan-guard (binding all) denied it.",
        ),
        (
            'admission webhook "validate.kyverno.svc-fail" denied the request: because',
            "The admission webhook validate.kyverno.svc-fail denied it.",
        ),
        (
            'Internal error occurred: failed calling webhook "x.y.z": context deadline exceeded',
            "The admission webhook x.y.z did not answer.",
        ),
        (
            'pods "a" is forbidden: violates PodSecurity "restricted:latest": privileged',
            "Pod Security (restricted:latest) does not allow such a pod.",
        ),
        (
            'serviceaccounts "a" is forbidden: exceeded quota: few-accounts, requested: count/serviceaccounts=1',
            "The resource quota few-accounts is used up.",
        ),
        (
            "unable to validate against any security context constraint: []",
            "No security context constraint allows such a pod.",
        ),
        ("something else", ""),
    ],
)
def test_who_refused_is_named(message: str, cause: str) -> None:
    assert refusal_cause(message) == cause
    if cause:
        assert api_error(403, {}, status(403, message), "").cause == cause


def test_a_webhooks_refusal_is_not_permitted_whatever_its_status() -> None:
    message = 'admission webhook "x" denied the request: no'
    assert api_error(400, {}, status(400, message), "").reason == "not_permitted"
    assert api_error(409, {}, status(409, message), "").reason == "not_permitted"


@pytest.mark.parametrize(
    ("headers", "details", "seconds"),
    [
        ({"retry-after": "7"}, None, 7.0),
        ({}, {"retryAfterSeconds": 3}, 3.0),
        ({"retry-after": "soon"}, None, None),
        ({"retry-after": "-1"}, None, None),
        ({"retry-after": "\u0661"}, None, None),
        ({"retry-after": "9" * 400}, None, None),
        ({}, {"retryAfterSeconds": "3"}, None),
        ({}, [], None),
        ({}, None, None),
    ],
)
def test_the_time_to_wait_is_read_from_header_or_details(
    headers: dict[str, str], details: Any, seconds: Any
) -> None:
    assert api_error(429, headers, status(429, details=details), "").retry_after == seconds


def test_replies_that_are_not_from_kubernetes_say_so() -> None:
    error = api_error(503, {}, b"<html>\n<h1>no upstream</h1>" + b"x" * 10000, "")
    assert error.reason == "server_error"
    assert "HTTP 503, not from a Kubernetes API server: <html> <h1>no upstream</h1>" in error.message
    assert len(error.message) < 250
    assert "https://login.test/" in api_error(302, {"location": "https://login.test/"}, b"", "").message
    assert api_error(500, {}, b"[" * 10**5, "").reason == "server_error"


def test_secrets_and_control_characters_do_not_get_through() -> None:
    text = 'Authorization:["Bearer secret-token"]\x1b[31m\r\nX-Evil: yes\u202e' + "y" * 1000
    error = api_error(
        400, {"location": "secret-token"}, status(400, text), "", ["Bearer secret-token", "secret-token"]
    )
    assert "secret" not in str(error)
    assert "***" in error.message
    assert error.message.isprintable()
    assert len(server_text("a" * 10000, limit=100)) == 100


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("GET", "/api/v1/namespaces/shop/pods", "list pods in namespace shop"),
        ("GET", "/api/v1/namespaces/shop/pods/api-1", "get pods api-1 in namespace shop"),
        ("GET", "/api/v1/namespaces/shop/pods/api-1/log", "get pods/log api-1 in namespace shop"),
        (
            "POST",
            "/api/v1/namespaces/shop/serviceaccounts/s/token",
            "create serviceaccounts/token s in namespace shop",
        ),
        (
            "POST",
            "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles",
            "create roles in namespace shop",
        ),
        (
            "PATCH",
            "/api/v1/namespaces/s/pods/a/ephemeralcontainers",
            "patch pods/ephemeralcontainers a in namespace s",
        ),
        ("DELETE", "/api/v1/namespaces/shop", "delete namespaces shop"),
        ("DELETE", "/api/v1/namespaces/shop/pods", "deletecollection pods in namespace shop"),
        ("GET", "/api/v1/namespaces", "list namespaces"),
        ("GET", "/api/v1/nodes/node-1", "get nodes node-1"),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "create selfsubjectaccessreviews"),
        ("GET", "/k8s/clusters/c-1/api/v1/pods", "list pods"),
        ("GET", "/version", "list /version"),
    ],
)
def test_requests_are_told_in_words_of_rbac(method: str, path: str, words: str) -> None:
    assert describe_request(method, path) == words
