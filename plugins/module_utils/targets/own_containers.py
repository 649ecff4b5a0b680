# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognises the containers that scans, or operators for scans, have added to pods: by their name and their
command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PREFIX = "securescan-"
# Waits for some seconds (its first argument), or until it gets SIGTERM.
IDLE = ("sh", "-c", "trap 'exit 0' TERM; sleep \"$1\" & wait $!", "securescan")


def is_own_sidecar(kind: str, spec: Mapping[str, Any]) -> bool:
    """Whether a container is a sidecar that `scan_sidecar` made: it has our name, and it only waits.

    An application that merely has such a name is not one.

    :param kind: container, init or ephemeral
    :param spec: a v1 Container
    """
    return (
        kind == "init"
        and spec.get("restartPolicy") == "Always"
        and str(spec.get("name", "")).startswith(PREFIX)
        and tuple((spec.get("command") or [])[: len(IDLE)]) == IDLE
    )


def own_sidecars(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The sidecars for scans in a v1 PodSpec."""
    return [container for container in spec.get("initContainers") or [] if is_own_sidecar("init", container)]
