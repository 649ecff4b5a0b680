# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image of the process that holds a pod's namespaces, compiled here and cached."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from . import debian_packages
from .failure import ClusterError, say
from .images.archive import write_archive
from .places import SOURCES, cache
from .processes import run

PAUSE_IMAGE = "securescan.local/pause:1"
_SOURCE = SOURCES / "pause.c"


def pause_archive() -> Path:
    """The image as a tar; made first where it is not there yet."""
    digest = hashlib.sha256(_SOURCE.read_bytes() + PAUSE_IMAGE.encode()).hexdigest()[:16]
    archive = cache() / "pause" / f"{digest}.tar"
    if archive.exists():
        return archive
    debian_packages.ensure(["gcc"])
    say(f"Making the image {PAUSE_IMAGE}")
    with tempfile.TemporaryDirectory() as scratch:
        rootfs = Path(scratch, "rootfs")
        rootfs.mkdir()
        compiler = debian_packages.path_of("gcc")
        compiled = run(compiler, "-Os", "-static", "-s", "-o", rootfs / "pause", _SOURCE)
        if compiled.returncode != 0:
            raise ClusterError(f"{_SOURCE} could not be compiled: {compiled.stderr.strip()}")
        write_archive(rootfs, archive, PAUSE_IMAGE, {"Entrypoint": ["/pause"], "User": "65535:65535"})
    return archive
