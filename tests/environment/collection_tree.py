# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the checkout where Ansible finds a collection; prints the folder.

    python3 collection_tree.py [DESTINATION]

Ansible wants .../ansible_collections/securescan/kubernetes, and the checkout may stand anywhere. A copy of what git
tracks (and of new files it does not ignore) is kept in build/collections; only what changed is copied again.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def listed_files() -> set[str]:
    """Paths below the checkout that belong to the collection, tracked or new."""
    names = (
        subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
        )
        .stdout.decode()
        .split("\0")
    )
    return {name for name in names if name and (ROOT / name).is_file()}


def mirror(destination: pathlib.Path) -> None:
    """Makes `destination` hold exactly the listed files; unchanged ones (size and time) are left alone."""
    wanted = listed_files()
    for name in wanted:
        source, copy = ROOT / name, destination / name
        stat = source.stat()
        if copy.exists() and (copy.stat().st_size, copy.stat().st_mtime_ns) == (
            stat.st_size,
            stat.st_mtime_ns,
        ):
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, copy)
    for folder, folders, files in os.walk(destination, topdown=False):
        base = pathlib.Path(folder)
        for name in files:
            if str((base / name).relative_to(destination)) not in wanted and "__pycache__" not in folder:
                (base / name).unlink()
        for name in folders:
            if not any((base / name).iterdir()):
                (base / name).rmdir()


def main() -> int:
    base = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "collections"
    destination = base / "ansible_collections" / "securescan" / "kubernetes"
    destination.mkdir(parents=True, exist_ok=True)
    mirror(destination)
    print(destination.resolve())
    return 0


if __name__ == "__main__":
    sys.exit(main())
