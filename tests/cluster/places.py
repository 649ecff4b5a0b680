# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything of the test clusters lies: the cache, the folder of one cluster, and what its daemons see."""

from __future__ import annotations

import os
import re
from pathlib import Path

from .failure import ClusterError

SOURCES = Path(__file__).resolve().parent

# What the daemons of every cluster see, whatever the cluster's name: their mount namespace has its own /run.
INSIDE = Path("/run/cluster")
INSIDE_PROGRAMS = Path("/run/programs")
INSIDE_CONTAINERD_SOCKET = Path("/run/containerd/containerd.sock")
INSIDE_CONTROL_SOCKET = Path("/run/control.sock")


def cache() -> Path:
    """The cache folder: SECURESCAN_CACHE, or .cache/securescan-kubernetes in the home folder."""
    chosen = os.environ.get("SECURESCAN_CACHE")
    return Path(chosen).resolve() if chosen else Path.home() / ".cache" / "securescan-kubernetes"


def clusters() -> Path:
    """The folder that holds one folder for each cluster."""
    return cache() / "clusters"


def cluster_folder(name: str) -> Path:
    """The folder of the cluster `name`, whether it exists or not. Raises ClusterError for a name that cannot be one."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", name):
        raise ClusterError(
            f"{name!r} cannot name a cluster: 1 to 32 lower-case letters, digits and dashes, no dash at the "
            "ends."
        )
    return clusters() / name


def cluster_names() -> list[str]:
    """The names of all clusters that have a folder, sorted."""
    if not clusters().is_dir():
        return []
    return sorted(entry.name for entry in clusters().iterdir() if entry.is_dir())
