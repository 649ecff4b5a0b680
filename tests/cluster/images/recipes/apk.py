# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Made as Alpine is: musl, busybox and the database of apk; a service that is linked against musl.

No program of apk can be had from where the other parts come from: the database is written here, in the format of apk 2,
with the records of the files that are really in the image.
"""

from __future__ import annotations

import base64
import hashlib
import platform

from ..rootfs import MUSL_LOADER, Rootfs

BASE = "busybox"
CONFIG = {
    "User": "10001:10001",
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    "Cmd": ["/usr/bin/listener", "8080"],
}
_PACKAGES = {
    ("alpine-release", "3.17.10-r0"): ("etc/alpine-release", "etc/os-release"),
    ("busybox", "1.35.0-r31"): ("bin/busybox",),
    ("listener", "1.0-r0"): ("usr/bin/listener",),
    ("musl", "1.2.3-r6"): (f"lib/{MUSL_LOADER}",),
}


def fill(root: Rootfs) -> None:
    root.install_musl()
    root.compile_with_musl("listener.c", "usr/bin/listener")
    root.trim()
    root.write("etc/alpine-release", "3.17.10\n")
    root.write(
        "etc/os-release",
        'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.17.10\nPRETTY_NAME="Alpine Linux v3.17"\n',
    )
    root.append("etc/passwd", "app:x:10001:10001:application:/nonexistent:/bin/false\n")
    root.append("etc/group", "app:x:10001:\n")
    root.write("etc/apk/arch", f"{platform.machine()}\n")
    root.write("etc/apk/world", "".join(f"{name}\n" for name, _version in _PACKAGES))
    root.write(
        "lib/apk/db/installed",
        "".join(_record(root, *package, paths) for package, paths in _PACKAGES.items()),
    )


def _record(root: Rootfs, name: str, version: str, paths: tuple[str, ...]) -> str:
    """One package: its fields, then each folder (F) with its files (R), their modes (a) and checksums (Z)."""
    files = [root.folder / path for path in paths]
    lines = [f"C:{_checksum(name.encode())}", f"P:{name}", f"V:{version}", f"A:{platform.machine()}"]
    lines += [
        f"S:{sum(file.stat().st_size for file in files)}",
        f"I:{sum(file.stat().st_size for file in files)}",
    ]
    lines += [
        f"T:{name} of the sample image",
        "U:https://alpinelinux.org/",
        "L:MIT",
        f"o:{name}",
        "t:1670000000",
    ]
    for folder in sorted({file.parent for file in files}):
        lines.append(f"F:{folder.relative_to(root.folder)}")
        for file in files:
            if file.parent == folder:
                mode = file.stat().st_mode & 0o7777
                lines += [f"R:{file.name}", f"a:0:0:{mode:o}", f"Z:{_checksum(file.read_bytes())}"]
    return "\n".join(lines) + "\n\n"


def _checksum(data: bytes) -> str:
    """As apk writes a SHA-1: Q1 and base64."""
    return "Q1" + base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()
