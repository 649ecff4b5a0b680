# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an ephemeral container could not be added to a pod, or did not start, told apart for the operator."""

from __future__ import annotations

import re
from typing import Any, Mapping, Optional, Set

from ..cluster.server_text import clean_text
from ..errors import ScanError

# How the API server words these (Kubernetes 1.25 to 1.37).
_POD_SECURITY = re.compile(r'violates PodSecurity "([^"]+)": (.*)', re.DOTALL)
_VIOLATION = re.compile(r"\(([^()]*)\)")
_CONTAINERS = re.compile(r'\bcontainers? ((?:"[^"]+"(?:, )?)+)')
_RBAC = re.compile(r'User "[^"]+" cannot ')
_TAKEN = "may not be changed"
_NO_SUCH_RESOURCE = ("could not find the requested resource", "ephemeral containers are disabled", "unknown")
# How the kubelet words the states of an image that cannot be had (kubelet/images/types.go), whatever the reason.
_IMAGE = re.compile(r"Image|Registry|Signature")
_STARTING = frozenset({"", "ContainerCreating", "PodInitializing"})
_NO_PROGRAM = re.compile(r"executable file not found|no such file or directory")
_NOT_FOUND = 127


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


def start_failure(state: Optional[Mapping[str, Any]], image: str, tried: str) -> Optional[ScanError]:
    """Why a container does not run, from its state; None while it may still start."""
    waiting, ended = (state or {}).get("waiting"), (state or {}).get("terminated")
    if ended is not None:
        return _end_failure(ended, image, tried)
    reason = str((waiting or {}).get("reason") or "")
    if reason in _STARTING:
        return None
    text = str((waiting or {}).get("message") or "no message")
    message = "%s: %s" % (reason, clean_text(text))
    if not _IMAGE.search(reason):
        return _failed(message, "sh" if _NO_PROGRAM.search(text) else "", image, tried)
    never = reason == "ErrImageNeverPull"
    return ScanError("image_pull_failed", message, tried=tried,
                     advice="Load the image onto the node, or let it be pulled (debug_image_pull_policy)." if never else "")


def _end_failure(ended: Mapping[str, Any], image: str, tried: str) -> ScanError:
    code, text = ended.get("exitCode"), str(ended.get("message") or "")
    message = "it ended with exit status %s (%s)%s" % (code, ended.get("reason") or "no reason",
                                                       ": " + clean_text(text) if text else "")
    return _failed(message, "sh" if _NO_PROGRAM.search(text) else "sleep" if code == _NOT_FOUND else "", image, tried)


def _failed(message: str, missing: str, image: str, tried: str) -> ScanError:
    """:param missing: the program that the image lacks, where that is the reason"""
    return ScanError("debug_failed", message, tried=tried,
                     cause="The image %s has no %s." % (clean_text(image), missing) if missing else "",
                     advice="Choose an image with a POSIX shell and sleep (debug_image)." if missing else "")


def not_started(state: Optional[Mapping[str, Any]], seconds: float, tried: str) -> ScanError:
    """The failure of a container that has not started within so many seconds."""
    cause = ("The node pulls its image, or is slow to start it." if state
             else "The pod's node has not taken notice of it.")
    advice = ("Raise the timeout, or load the image onto the node before." if state
              else "Look at the node and its kubelet, then run again.")
    return ScanError("timed_out", "the debug container has not started within %g s" % seconds, tried=tried, cause=cause,
                     advice=advice)
