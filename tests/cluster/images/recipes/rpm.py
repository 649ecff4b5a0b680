# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An rpm database and no rpm program, as the micro images of the Red Hat family are; a busybox serves as its tools."""

from __future__ import annotations

from ..rootfs import Rootfs

BASE = "busybox"
CONFIG = {
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    "Cmd": ["sh", "-c", "trap 'exit 0' TERM INT; sleep 2147483647 & wait"],
}


def fill(root: Rootfs) -> None:
    root.write(
        "usr/lib/os-release",
        'NAME="Sample Enterprise Linux"\nID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.4"\n'
        'PRETTY_NAME="Sample Enterprise Linux 9.4"\n',
    )
    root.write("etc/redhat-release", "Sample Enterprise Linux release 9.4\n")
    root.install_rpm_records({"glibc": "2.34", "openssl-libs": "3.0.7", "tzdata": "2024a"})
