# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an ephemeral container could not be added to a pod, told apart for the operator."""

from __future__ import annotations

import re
from typing import Set

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
        return ScanError("debug_refused", error.message, tried=error.tried,
                         cause="Pod Security (%s) does not allow the debug container." % level,
                         advice="The target runs as root or with capabilities, which the namespace does not allow any "
                                "more; correct the pod, or scan it by exec if it has a shell.")
    return ScanError("pod_violates_policy", error.message, tried=error.tried,
                     cause="Pod Security (%s) judges the whole pod when a container is added, and the pod itself breaks "
                           "it: it is older than the namespace's level." % level)


def _minds_only(name: str, violations: str) -> bool:
    minded: Set[str] = set()
    for violation in _VIOLATION.findall(violations):
        containers = {quoted for group in _CONTAINERS.findall(violation) for quoted in re.findall(r'"([^"]+)"', group)}
        minded |= containers or {""}  # the pod as such
    return minded == {name}
