# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collections of others, taken out of the package `ansible`, which has them under their names. Fetched once, and kept."""

from __future__ import annotations

import fcntl
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

from .python_environment import CACHE, say

# the newest that has awx.awx, in version 24.6.1
ANSIBLE = "12.3.0"


def collections_folder(name: str) -> pathlib.Path:
    """A folder for ANSIBLE_COLLECTIONS_PATH that has the collection, such as awx.awx.

    :raises subprocess.CalledProcessError: when the package cannot be had
    """
    folder = CACHE / "collections" / f"{name}-{ANSIBLE}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _unpack(name, folder)
    return folder


def version_of(name: str) -> str:
    """Of a collection, as its own manifest says it."""
    folder = collections_folder(name) / "ansible_collections" / name.replace(".", "/")
    manifest = json.loads((folder / "MANIFEST.json").read_text(encoding="utf-8"))
    return str(manifest["collection_info"]["version"])


def _unpack(name: str, folder: pathlib.Path) -> None:
    say(f"==> fetching the collection {name} of ansible {ANSIBLE} (half a minute, once)")
    draft = folder.with_name(f"{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as fetched:
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--only-binary=:all:",
                "--dest",
                fetched,
                f"ansible=={ANSIBLE}",
            ],
            check=True,
            stdout=2,
        )
        (wheel,) = pathlib.Path(fetched).glob("*.whl")
        inside = f"ansible_collections/{name.replace('.', '/')}/"
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(draft, [one for one in archive.namelist() if one.startswith(inside)])
    draft.rename(folder)
