# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian image made worse on purpose: each line below is something that a profile should find."""

from __future__ import annotations

import shutil

from ..rootfs import Rootfs

BASE = "debian"
CONFIG = {
    "User": "0:0",
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    "Cmd": ["/usr/local/bin/listener", "23"],
}


def fill(root: Rootfs) -> None:
    root.install("telnet")
    root.write("etc/shop.conf", "password = changeme\n", 0o666)
    root.make_folder("srv/exchange", 0o777)
    root.write("srv/orphan", "", uid=4242, gid=4242)
    shutil.copy(root.folder / "usr/bin/find", root.folder / "usr/local/bin/find-as-root")
    (root.folder / "usr/local/bin/find-as-root").chmod(0o4755)
    root.append("etc/passwd", "toor:x:0:0:second root:/root:/bin/bash\nguest:x:1500:1500::/tmp:/bin/bash\n")
    root.append("etc/shadow", "toor:*:20000:0:99999:7:::\nguest::20000:0:99999:7:::\n")
    root.append("etc/group", "guest:x:1500:\n")
    (root.folder / "etc/shadow").chmod(0o644)
    root.set_login_defaults(UMASK="000", PASS_MAX_DAYS="99999", PASS_MIN_DAYS="0")
    root.trim()
