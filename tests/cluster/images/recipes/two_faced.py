# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bad system that has the same system without its faults below /clean, and a program that tries to show a scan that
one; two_faced.c has the ways."""

from __future__ import annotations

import shutil

from ..rootfs import Rootfs

BASE = "busybox"
SOURCES = ("two_faced.c",)
CONFIG = {
    "User": "10001:10001",
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    "Entrypoint": ["/two-faced"],
    "Cmd": ["honest"],
}


def fill(root: Rootfs) -> None:
    clean = root.folder.parent / "clean"
    shutil.copytree(root.folder, clean, symlinks=True)
    clean.rename(root.folder / "clean")
    for folder in ("proc", "sys", "dev"):
        root.make_folder(f"clean/{folder}")
    root.append("etc/passwd", "toor:x:0:0:second root:/root:/bin/sh\nguest::1500:1500::/tmp:/bin/sh\n")
    root.append("etc/group", "guest:x:1500:\n")
    root.write("etc/shop.conf", "password = changeme\n", 0o666)
    shutil.copy(root.folder / "bin/busybox", root.folder / "usr/bin/as-root")
    (root.folder / "usr/bin/as-root").chmod(0o4755)
    (root.folder / "etc/passwd").chmod(0o666)
    root.compile("two_faced.c", "two-faced")
