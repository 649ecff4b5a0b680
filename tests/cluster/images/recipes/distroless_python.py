# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python without a shell or package manager, not root: unpacked Debian packages, as the distroless images have them."""

from __future__ import annotations

from ..rootfs import Rootfs

BASE = "distroless-static"
CONFIG = {
    "User": "65532:65532",
    "WorkingDir": "/app",
    "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"],
    "Entrypoint": ["/usr/bin/python3.11"],
    "Cmd": ["-m", "http.server", "--directory", "/app", "8080"],
}
_LIBRARIES = (
    "libc6",
    "zlib1g",
    "libexpat1",
    "libssl3",
    "libbz2-1.0",
    "liblzma5",
    "libffi8",
    "libcrypt1",
    "libuuid1",
)
_PYTHON = ("python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib")


def fill(root: Rootfs) -> None:
    root.unpack(*_LIBRARIES, *_PYTHON, records=True)
    root.trim()
    root.remove_special_modes()
    root.write("app/index.html", "<p>orders</p>\n")
    root.write(
        "usr/lib/python3/dist-packages/orders-2.4.1.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: orders\nVersion: 2.4.1\n",
    )
