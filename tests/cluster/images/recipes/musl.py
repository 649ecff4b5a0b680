# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that are linked against musl and nothing else: no shell, no package manager or database, not root."""

from __future__ import annotations

from ..rootfs import Rootfs

BASE = None
CONFIG = {
    "User": "65532:65532",
    "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
    "Entrypoint": ["/app/listener"],
}


def fill(root: Rootfs) -> None:
    root.install_musl()
    root.compile_with_musl("listener.c", "app/listener")
    root.trim()
    root.write(
        "etc/passwd",
        "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/nonexistent:/sbin/nologin\n",
    )
    root.write("etc/group", "root:x:0:\nnonroot:x:65532:\n")
    root.make_folder("root", 0o700)
    root.make_folder("tmp", 0o1777)
