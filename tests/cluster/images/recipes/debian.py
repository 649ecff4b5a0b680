# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hardened small Debian: dpkg and apt, no setuid or setgid program, every account locked, a user of its own."""

from __future__ import annotations

from ..rootfs import Rootfs

BASE = None
CONFIG = {
    "User": "10001:10001",
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    # a plain `sleep` as the first process of a container would ignore TERM
    "Cmd": ["/bin/sh", "-c", "trap 'exit 0' TERM INT; sleep infinity & wait"],
}


def fill(root: Rootfs) -> None:
    root.debootstrap()
    root.append("etc/passwd", "app:x:10001:10001:application:/nonexistent:/usr/sbin/nologin\n")
    root.append("etc/group", "app:x:10001:\n")
    root.append("etc/shadow", "app:!:20000:7:60:7:::\n")
    root.append("etc/gshadow", "app:!::\n")
    root.set_login_defaults(UMASK="027", PASS_MAX_DAYS="60", PASS_MIN_DAYS="7")
    root.compile("listener.c", "usr/local/bin/listener")
    root.remove_special_modes()
    root.trim()
