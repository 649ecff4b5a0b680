# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a container that a scan has added does not run, told apart for the operator."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Callable

from ..errors import ScanError
from ..network.deadline import Deadline
from ..safe_text import server_text

# How the kubelet words the states of an image that cannot be had (kubelet/images/types.go), whatever the
# reason.
_IMAGE = re.compile(r"Image|Registry|Signature")
_STARTING = frozenset({"", "ContainerCreating", "PodInitializing"})
_NO_PROGRAM = re.compile(r"executable file not found|no such file or directory")
_NOT_FOUND = 127


def wait_until_started(
    pod: Mapping[str, Any],
    state_of: Callable[[Mapping[str, Any]], Mapping[str, Any] | None],
    read_again: Callable[[], Mapping[str, Any]],
    deadline: Deadline,
    *,
    image: str,
    tried: str,
    reason: str,
    pauses: tuple[float, float],
) -> Mapping[str, Any]:
    """Waits until a container runs; its pod as it then is. The scanner is not allowed to watch pods, so the
    pod is read again.

    :param state_of: the container's state in the pod
    :param image: the scanner image, which the container is to run
    :param tried, reason: of the error where it does not start
    :param pauses: seconds before the pod is first read again, and at most
    :raises ScanError: image_pull_failed, `reason`, timed_out, cancelled; as `read_again`
    """
    pause, longest = pauses
    while True:
        state = state_of(pod)
        if state and "running" in state:
            return pod
        failure = start_failure(state, image, tried, reason)
        if failure:
            raise failure
        if deadline.remaining() <= pause:
            raise not_started(state, deadline.seconds, deadline.tried)
        deadline.sleep(pause)
        pause = min(pause * 1.5, longest)
        pod = read_again()


def start_failure(state: Mapping[str, Any] | None, image: str, tried: str, reason: str) -> ScanError | None:
    """Why a container does not run, from its state; None while it may still start.

    :param image: the scanner image, which the container was to run
    :param reason: of the error, where it is not that an image cannot be had
    """
    waiting, ended = (state or {}).get("waiting"), (state or {}).get("terminated")
    if ended is not None:
        return _end_failure(ended, image, tried, reason)
    word = str((waiting or {}).get("reason") or "")
    if word in _STARTING:
        return None
    text = str((waiting or {}).get("message") or "no message")
    message = f"{word}: {server_text(text)}"
    if not _IMAGE.search(word):
        return _failed(reason, message, "sh" if _NO_PROGRAM.search(text) else "", image, tried=tried)
    never = word == "ErrImageNeverPull"
    return ScanError(
        "image_pull_failed",
        message,
        tried=tried,
        advice="Load the image onto the node, or let it be pulled (scanner_image_pull_policy)."
        if never
        else "",
    )


def _end_failure(ended: Mapping[str, Any], image: str, tried: str, reason: str) -> ScanError:
    code, text = ended.get("exitCode"), str(ended.get("message") or "")
    message = "it ended with exit status {} ({}){}".format(
        code, ended.get("reason") or "no reason", ": " + server_text(text) if text else ""
    )
    missing = "sh" if _NO_PROGRAM.search(text) else "sleep" if code == _NOT_FOUND else ""
    return _failed(reason, message, missing, image, tried=tried)


def _failed(reason: str, message: str, missing: str, image: str, *, tried: str) -> ScanError:
    """:param missing: the program that the image lacks, where that is the reason"""
    return ScanError(
        reason,
        message,
        tried=tried,
        cause=f"The image {server_text(image)} has no {missing}." if missing else "",
        advice="Choose an image with a POSIX shell and sleep (scanner_image)." if missing else "",
    )


def not_started(state: Mapping[str, Any] | None, seconds: float, tried: str) -> ScanError:
    """The failure of a container that has not started within these seconds."""
    cause = (
        "The node pulls its image, or is slow to start it."
        if state
        else "The pod's node has not taken notice of it."
    )
    advice = (
        "Raise the timeout, or load the image onto the node before."
        if state
        else "Look at the node and its kubelet, then run again."
    )
    return ScanError(
        "timed_out",
        f"the container has not started within {seconds:g} s",
        tried=tried,
        cause=cause,
        advice=advice,
    )
