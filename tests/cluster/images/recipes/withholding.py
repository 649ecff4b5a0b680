# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian image with shells that keep things back, each in a folder of its own, which a pod puts first in its PATH."""

from __future__ import annotations

from ..rootfs import Rootfs

BASE = "debian"
CONFIG = {
    "User": "10001:10001",
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    "Cmd": ["/bin/dash", "-c", "trap 'exit 0' TERM INT; sleep infinity & wait"],
}

# Every fact that the script reports becomes one that cannot be read.
_WITHHOLD = r"""#!/bin/dash
/usr/bin/sed -u 's#^put() {#put() { case $1 in q[0-9]*|content|stat) set -- "$1" unreadable text no;; esac#' |
    exec /bin/dash "$@"
"""
_HANG = "#!/bin/dash\nexec /usr/bin/sleep 100000\n"


def fill(root: Rootfs) -> None:
    root.make_folder("withhold", 0o755)
    root.write("withhold/sh", _WITHHOLD, 0o755)
    root.make_folder("hang", 0o755)
    root.write("hang/sh", _HANG, 0o755)
    root.trim()
