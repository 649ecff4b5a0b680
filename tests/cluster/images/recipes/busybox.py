# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A static busybox with its applets as links: no package database, no os-release, as its makers publish it."""

from __future__ import annotations

from ..rootfs import Rootfs

BASE = None
CONFIG = {
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    "Cmd": ["sh", "-c", "trap 'exit 0' TERM INT; sleep 2147483647 & wait"],
}


def fill(root: Rootfs) -> None:
    root.unpack("busybox-static")
    root.trim()
    for folder in ("sbin", "usr/bin", "usr/sbin", "home", "proc", "srv/www", "sys", "var/spool/mail"):
        root.make_folder(folder)
    root.make_folder("root", 0o700)
    root.make_folder("tmp", 0o1777)
    root.run_inside("/bin/busybox", "--install", "-s")
    root.write(
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\n"
        "daemon:x:1:1:daemon:/usr/sbin:/bin/false\n"
        "mail:x:8:8:mail:/var/spool/mail:/bin/false\n"
        "www-data:x:33:33:www-data:/srv/www:/bin/false\n"
        "nobody:x:65534:65534:nobody:/home:/bin/false\n",
    )
    root.write(
        "etc/group", "root:x:0:\ndaemon:x:1:\nmail:x:8:\nshadow:x:42:\nwww-data:x:33:\nnogroup:x:65534:\n"
    )
    accounts = ("root", "daemon", "mail", "www-data", "nobody")
    root.write("etc/shadow", "".join(f"{name}:*:20000:0:99999:7:::\n" for name in accounts), 0o640, gid=42)
    root.write("srv/www/index.html", "<p>shop</p>\n")
