# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hardened scanner image: what scanner_image/Containerfile makes, made of Debian's static busybox.

Nobody is allowed to read its one program, so the kernel lets no other process of the same user touch those that run it.
"""

from __future__ import annotations

from ..rootfs import Rootfs

BASE = None
CONFIG = {"Env": ["PATH=/bin"], "Cmd": ["sh", "-c", "trap 'exit 0' TERM INT; sleep 2147483647 & wait"]}


def fill(root: Rootfs) -> None:
    root.unpack("busybox-static")
    root.trim()
    root.run_inside("/bin/busybox", "--install", "-s", "/bin")
    for path in root.folder.iterdir():
        if path.name not in ("bin", "dev"):
            root.remove(path.name)
    for folder in ("proc", "sys", "tmp"):
        root.make_folder(folder)
    (root.folder / "bin/busybox").chmod(0o111)
