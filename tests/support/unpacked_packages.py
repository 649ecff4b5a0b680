# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of Debian packages that tests run and the system does not get: downloaded by apt-get, unpacked into the cache. Nothing
of a package is installed or started."""

from __future__ import annotations

import fcntl
import pathlib
import subprocess
import tempfile

from ansible_collections.securescan.kubernetes.tests.cluster.places import cache


def unpacked(package: str) -> pathlib.Path:
    """The root folder of an unpacked package."""
    folder = cache() / "debian" / package
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{package}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
                if not _downloaded(package, scratch):
                    subprocess.run(["apt-get", "update", "-qq"], check=True, stdin=subprocess.DEVNULL)
                    assert _downloaded(package, scratch), f"apt-get could not download {package}"
                (archive,) = pathlib.Path(scratch).glob("*.deb")
                root = pathlib.Path(scratch) / "root"
                subprocess.run(["dpkg", "-x", str(archive), str(root)], check=True)
                root.rename(folder)
    return folder


def _downloaded(package: str, folder: str) -> bool:
    command = ["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", package]
    done = subprocess.run(command, cwd=folder, check=False, stdin=subprocess.DEVNULL)
    return done.returncode == 0
