# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of npm, pinned by a package.json and its lock file: installed once, outside the tree."""

from __future__ import annotations

import fcntl
import hashlib
import pathlib
import shutil
import subprocess
import tempfile

from .python_environment import CACHE, say

PINS = ("package.json", "package-lock.json")


def npm_packages(pins: pathlib.Path) -> pathlib.Path:
    """The folder node_modules of the packages that the folder `pins` pins. The packages' own install scripts do not run.

    :raises subprocess.CalledProcessError: when they cannot be had
    """
    digest = hashlib.sha256(b"\0".join((pins / name).read_bytes() for name in PINS)).hexdigest()[:16]
    folder = CACHE / "npm" / f"{pins.name}-{digest}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            say(f"==> installing the npm packages of {pins.name} (once)")
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}.part.") as name:
                part = pathlib.Path(name) / "packages"
                part.mkdir()
                for pin in PINS:
                    shutil.copy(pins / pin, part / pin)
                subprocess.run(
                    ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
                    cwd=part,
                    stdin=subprocess.DEVNULL,
                    stdout=2,
                    check=True,
                )
                part.rename(folder)
    return folder / "node_modules"
