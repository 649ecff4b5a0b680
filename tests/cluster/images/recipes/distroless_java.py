# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Java without a shell or package manager, not root: unpacked Debian packages, as the distroless images have them.

What only graphics, a compiler or a quicker start would need is left out. Its service is the runtime's own registry of
remote objects: there is no compiler here that could make another.
"""

from __future__ import annotations

from ..archive import ARCHITECTURE
from ..rootfs import Rootfs

BASE = "distroless-static"
_HOME = f"usr/lib/jvm/java-17-openjdk-{ARCHITECTURE}"
CONFIG = {
    "User": "65532:65532",
    "WorkingDir": "/app",
    "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", f"JAVA_HOME=/{_HOME}"],
    "Entrypoint": [f"/{_HOME}/bin/java", "-Xmx16m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"],
    "Cmd": ["--module", "java.rmi/sun.rmi.registry.RegistryImpl", "8080"],
}
_LIBRARIES = ("libc6", "libgcc-s1", "libstdc++6", "zlib1g")


def fill(root: Rootfs) -> None:
    root.unpack(*_LIBRARIES, "openjdk-17-jre-headless", records=True)
    for name in ("lib/server/*.jsa", "lib/ct.sym", "lib/lib*awt*.so", "lib/libmlib_image.so", "man"):
        root.remove(f"{_HOME}/{name}")
    root.trim()
    root.remove_special_modes()
    root.make_folder("app")
