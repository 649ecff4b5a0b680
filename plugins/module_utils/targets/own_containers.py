# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the containers are told that scans, or operators for scans, put into pods: by their name, and by what they run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PREFIX = "securescan-"
# Waits until its time is over or it is told to end. Its first argument: seconds.
IDLE = ("sh", "-c", "trap 'exit 0' TERM; sleep \"$1\" & wait $!", "securescan")


def is_own_sidecar(kind: str, spec: Mapping[str, Any]) -> bool:
    """Whether a container of a pod (its kind: container, init, ephemeral) is a sidecar that `scan_sidecar` makes: by name, and
    by doing nothing but wait. An application that merely has such a name is none."""
    return (
        kind == "init"
        and spec.get("restartPolicy") == "Always"
        and str(spec.get("name", "")).startswith(PREFIX)
        and tuple((spec.get("command") or [])[: len(IDLE)]) == IDLE
    )


def own_sidecars(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The sidecars for scans in a v1 PodSpec."""
    return [container for container in spec.get("initContainers") or [] if is_own_sidecar("init", container)]
