# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads image tars into the containerd of one cluster, where kubelet finds them."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from .failure import ClusterError
from .places import INSIDE_CONTAINERD_SOCKET
from .processes import run
from .state import State

KUBERNETES_NAMESPACE = "k8s.io"


def load(state: State, archives: Iterable[str]) -> list[str]:
    """Load image tars (docker-archive or OCI); the names of the images in them. Raises ClusterError for a bad tar."""
    loaded = []
    for archive in archives:
        names = _names(Path(archive))
        done = run(
            *(Path(state.programs, "ctr"), "--address", state.inside(INSIDE_CONTAINERD_SOCKET)),
            *("--namespace", KUBERNETES_NAMESPACE, "images", "import", archive),
        )
        if done.returncode != 0:
            raise ClusterError(
                f"{archive} could not be loaded: {done.stderr.strip()}", state.log("containerd")
            )
        loaded.extend(names)
    return loaded


def _names(archive: Path) -> list[str]:
    try:
        with tarfile.open(archive) as tar:
            members = tar.getnames()
            if "manifest.json" in members:
                images = json.load(_stream(tar, "manifest.json"))
                return [name for image in images for name in image["RepoTags"] or []]
            images = json.load(_stream(tar, "index.json"))["manifests"]
            return [image["annotations"]["io.containerd.image.name"] for image in images]
    except (OSError, tarfile.TarError, KeyError, ValueError) as problem:
        raise ClusterError(
            f"{archive} is no tar of named images: {type(problem).__name__}: {problem}"
        ) from problem


def _stream(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    stream = tar.extractfile(name)
    if stream is None:
        raise ValueError(f"{name} is no file")
    return stream
