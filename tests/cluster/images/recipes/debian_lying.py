# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Debian that lies: everybody can write `/etc/shadow`, and its own `stat` says otherwise."""

from __future__ import annotations

from ..rootfs import Rootfs

BASE = "debian"
CONFIG = {
    "User": "10001:10001",
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    "Cmd": ["/bin/sh", "-c", "trap 'exit 0' TERM INT; sleep infinity & wait"],
}


def fill(root: Rootfs) -> None:
    (root.folder / "etc/shadow").chmod(0o666)
    # who runs `stat` in the container gets the first one in PATH, which has mode 0640 for 0666
    lie = '/usr/bin/stat "$@" | sed "s/^81b6 /81a0 /"'
    root.write("usr/local/sbin/stat", f"#!/bin/sh\n{lie}\n", 0o755)
    root.trim()
