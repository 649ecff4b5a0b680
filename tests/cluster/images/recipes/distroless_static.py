# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No shell, no package manager, one static program, not root; made of unpacked Debian packages."""

from __future__ import annotations

from ..rootfs import Rootfs

BASE = None
CONFIG = {
    "User": "65532:65532",
    "WorkingDir": "/home/nonroot",
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    "Entrypoint": ["/app/listener"],
}


def fill(root: Rootfs) -> None:
    root.unpack("base-files", "netbase", "tzdata", records=True)
    root.trim()
    root.write(
        "usr/lib/os-release",
        'PRETTY_NAME="Distroless"\nNAME="Debian GNU/Linux"\nID="debian"\nVERSION_ID="12"\n'
        'VERSION="Debian GNU/Linux 12 (bookworm)"\nHOME_URL="https://www.debian.org/"\n',
    )
    root.write(
        "etc/passwd",
        "root:x:0:0:root:/root:/sbin/nologin\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n"
        "nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n",
    )
    root.write("etc/group", "root:x:0:\nnobody:x:65534:\ntty:x:5:\nstaff:x:50:\nnonroot:x:65532:\n")
    root.make_folder("root", 0o700)
    root.make_folder("home/nonroot", 0o700, uid=65532, gid=65532)
    root.make_folder("tmp", 0o1777)
    root.compile("listener.c", "app/listener")
