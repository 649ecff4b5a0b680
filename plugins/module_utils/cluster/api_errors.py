# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server's refusals mean: makes one failure with a reason of an HTTP status and a v1 Status."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ..errors import ScanError
from ..network.http_pool import retry_after
from ..safe_text import server_text

_REASONS = {
    400: "invalid_request",
    401: "not_authenticated",
    403: "not_permitted",
    404: "not_found",
    405: "invalid_request",
    406: "invalid_request",
    409: "conflict",
    410: "not_found",
    413: "invalid_request",
    415: "invalid_request",
    422: "invalid_request",
    429: "throttled",
}

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}

# How the API server words a refusal (RBAC's authorizer and the admission plugins of Kubernetes 1.25 to 1.37),
# and what that means for an operator. The last is OpenShift's.
_REFUSALS: tuple[tuple[str, Callable[[Sequence[str]], str]], ...] = (
    (
        r'User "([^"]+)" cannot (\S+) resource "([^"]+)"(?: in API group "[^"]*")?(?: in the namespace "([^"]+)")?',
        lambda found: "RBAC does not let {} {} {}{}.".format(
            found[0], found[1], found[2], f" in namespace {found[3]}" if found[3] else ""
        ),
    ),
    (
        r'User "([^"]+)" cannot (\S+) path "([^"]+)"',
        lambda found: "RBAC does not let {} {} {}.".format(*tuple(found)),
    ),
    (
        r"ValidatingAdmissionPolicy '([^']+)' with binding '([^']+)' denied",
        lambda found: "The ValidatingAdmissionPolicy {} (binding {}) denied it.".format(*tuple(found)),
    ),
    (r'admission webhook "([^"]+)" denied', lambda found: f"The admission webhook {found[0]} denied it."),
    (r'failed calling webhook "([^"]+)"', lambda found: f"The admission webhook {found[0]} did not answer."),
    (
        r'violates PodSecurity "([^"]+)"',
        lambda found: f"Pod Security ({found[0]}) does not allow such a pod.",
    ),
    (r"exceeded quota: ([^,]+)", lambda found: f"The resource quota {found[0]} is used up."),
    (
        r"unable to validate against any security context constraint",
        lambda _found: "No security context constraint allows such a pod.",
    ),
)


_POLICY_DENIES = re.compile(
    r"""admission webhook "[^"]+" denied|"""
    r"""ValidatingAdmissionPolicy '[^']+' with binding '[^']+' denied"""
)


class ApiError(ScanError):
    """A refusal by the API server.

    :ivar status: the HTTP status
    :ivar status_reason: the v1 Status' reason (AlreadyExists, Expired, ...), empty if there was none
    :ivar retry_after: seconds that the server asked us to wait, None if it did not
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        status: int,
        status_reason: str = "",
        retry_after: float | None = None,
        tried: str = "",
        cause: str = "",
    ) -> None:
        super().__init__(reason, message, tried=tried, cause=cause)
        self.status = status
        self.status_reason = status_reason
        self.retry_after = retry_after


def api_error(
    status: int, headers: Mapping[str, str], body: bytes, tried: str, secrets: Sequence[str] = ()
) -> ApiError:
    """The failure for a reply outside 200 to 299. `headers` has lower-case names."""
    document = read_status(body)
    text = status_message(document, body)
    reason = _REASONS.get(status, "server_error" if status >= 500 else "bad_reply")
    if 400 <= status < 500 and _POLICY_DENIES.search(text):
        reason = (
            "not_permitted"  # a webhook or policy can choose any status for its refusal; a policy's is 422
        )
    message = server_text(text, secrets).rstrip(": ") or "no message"
    if document is None:
        message = f"HTTP {status}, not from a Kubernetes API server: {server_text(text, secrets, limit=120)}"
    if 300 <= status < 400:
        message = redirect_text(headers, secrets)
    return ApiError(
        reason,
        message,
        status=status,
        status_reason=str((document or {}).get("reason") or ""),
        retry_after=_retry_after(headers, document),
        tried=tried,
        cause=server_text(refusal_cause(text), secrets),
    )


def redirect_text(headers: Mapping[str, str], secrets: Sequence[str] = ()) -> str:
    """Where a reply of 300 to 399 sends us. `headers` has lower-case names."""
    where = server_text(headers.get("location", ""), secrets) or "nowhere (it names no location)"
    return f"a redirect to {where}, which is not followed"


def read_status(body: bytes) -> Mapping[str, Any] | None:
    """The v1 Status in the body of a reply; None if there is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and document.get("kind") == "Status" else None


def status_message(document: Mapping[str, Any] | None, body: bytes) -> str:
    """The message of a reply: that of the Status, else the body itself."""
    if document is None:
        return body.decode("utf-8", "replace")
    return str(document.get("message") or document.get("reason") or "")


def refusal_cause(text: str) -> str:
    """Who refused: RBAC (with verb and resource), a policy, a webhook or a quota, by name.

    Empty if not known.
    """
    for pattern, tell in _REFUSALS:
        match = re.search(pattern, text)
        if match:
            return tell([group or "" for group in match.groups()])
    return ""


def describe_request(method: str, path: str) -> str:
    """A request in the words of Kubernetes' authorization, such as "list pods in namespace shop"."""
    segments = [segment for segment in path.split("/") if segment]
    while segments and segments[0] not in ("api", "apis"):
        segments.pop(0)  # the base path of a gateway
    rest = segments[2:] if segments[:1] == ["api"] else segments[3:]
    if not rest:
        return f"{_verb(method, False)} {path}"
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    resource, name, sub = rest[0], rest[1] if len(rest) > 1 else "", "/".join(rest[2:])
    words: list[str] = [_verb(method, bool(name)), f"{resource}/{sub}" if sub else resource]
    words += [name] if name else []
    words += [f"in namespace {namespace}"] if namespace else []
    return " ".join(words)


def _verb(method: str, is_named: bool) -> str:
    if method == "GET":
        return "get" if is_named else "list"
    if method == "DELETE":
        return "delete" if is_named else "deletecollection"
    return _VERBS.get(method, method.lower())


def _retry_after(headers: Mapping[str, str], document: Mapping[str, Any] | None) -> float | None:
    asked = retry_after(headers)
    if asked is not None:
        return asked
    details = (document or {}).get("details")
    seconds = details.get("retryAfterSeconds") if isinstance(details, dict) else None
    return float(seconds) if isinstance(seconds, int) and 0 < seconds < 10**6 else None
