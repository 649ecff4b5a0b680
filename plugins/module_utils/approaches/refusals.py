# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server means when it refuses an ephemeral container or a helper pod."""

from __future__ import annotations

import re

from ..errors import ScanError

# How the API server words these (Kubernetes 1.25 to 1.37).
_POD_SECURITY = re.compile(r'violates PodSecurity "([^"]+)": (.*)', re.DOTALL)
_VIOLATION = re.compile(r"\(([^()]*)\)")
_CONTAINERS = re.compile(r'\bcontainers? ((?:"[^"]+"(?:, )?)+)')
_RBAC = re.compile(r'User "[^"]+" cannot ')
_TAKEN = "may not be changed"
_NO_SUCH_RESOURCE = ("could not find the requested resource", "ephemeral containers are disabled", "unknown")


def is_name_taken(error: ScanError) -> bool:
    """Whether the patch failed because another run has added a container of that name meanwhile."""
    return error.reason == "conflict" or (error.reason == "invalid_request" and _TAKEN in error.message)


def patch_refusal(error: ScanError, name: str) -> ScanError:
    """Why the API server did not add the ephemeral container of that name; other failures as they are."""
    refused = _POD_SECURITY.search(error.message)
    if refused:
        return _pod_security_refusal(error, name, refused.group(1), refused.group(2))
    if error.reason == "not_found":
        if any(words in error.message for words in _NO_SUCH_RESOURCE):
            return ScanError("debug_unsupported", error.message, tried=error.tried)
        return ScanError("pod_gone", error.message, tried=error.tried)
    if error.reason == "not_permitted" and not _RBAC.search(error.message):
        return ScanError("debug_refused", error.message, tried=error.tried, cause=error.cause)
    return error


def _pod_security_refusal(error: ScanError, name: str, level: str, violations: str) -> ScanError:
    """Pod Security judges the whole pod again, and names the containers that it minds."""
    if _minds_only(name, violations):
        return ScanError(
            "debug_refused",
            error.message,
            tried=error.tried,
            cause=f"Pod Security ({level}) does not allow the debug container.",
            advice="The target runs as root or with capabilities, which the namespace does not allow any "
            "more; correct the pod, or scan it by exec if it has a shell.",
        )
    return ScanError(
        "pod_violates_policy",
        error.message,
        tried=error.tried,
        cause=f"Pod Security ({level}) judges the whole pod when a container is added, and the pod itself "
        "breaks "
        "it: it is older than the namespace's level.",
    )


def _minds_only(name: str, violations: str) -> bool:
    minded: set[str] = set()
    for violation in _VIOLATION.findall(violations):
        containers = {
            quoted for group in _CONTAINERS.findall(violation) for quoted in re.findall(r'"([^"]+)"', group)
        }
        minded |= containers or {""}  # the pod as such
    return minded == {name}


# An API server without image volumes drops the field that it does not know, and is left with a volume of no
# kind.
_NO_IMAGE_VOLUMES = re.compile(
    r"volumes\[\d+\]: Required value: must specify a volume type|strict decoding error|"
    r"volumes\[\d+\]\.image: Forbidden"
)
_NAMESPACE = re.compile(r'namespaces? "[^"]+" not found|namespace \S+ because it is being terminated')


def creation_refusal(error: ScanError, namespace: str) -> ScanError:
    """What the API server's refusal of a helper pod in that namespace means; other failures as they are."""
    if error.reason == "invalid_request" and _NO_IMAGE_VOLUMES.search(error.message):
        return ScanError("image_volumes_unsupported", error.message, tried=error.tried)
    if _NAMESPACE.search(error.message):
        return ScanError(
            "helper_refused",
            error.message,
            tried=error.tried,
            cause=f"The namespace for helper pods, {namespace}, is not there.",
            advice="Create it, or name another (helper_namespace).",
        )
    if error.reason in ("not_permitted", "invalid_request"):
        return ScanError("helper_refused", error.message, tried=error.tried, cause=error.cause)
    return error
