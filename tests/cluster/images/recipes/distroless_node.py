# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Node without a shell or package manager, not root: unpacked Debian packages, as the distroless images have them."""

from __future__ import annotations

import json

from ..rootfs import Rootfs

BASE = "distroless-static"
CONFIG = {
    "User": "65532:65532",
    "WorkingDir": "/app",
    "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "NODE_ENV=production"],
    "Entrypoint": ["/usr/bin/node"],
    "Cmd": ["/app/server.js"],
}
_LIBRARIES = (
    "libc6",
    "libgcc-s1",
    "libstdc++6",
    "zlib1g",
    "libbrotli1",
    "libc-ares2",
    "libicu72",
    "libnghttp2-14",
    "libssl3",
)
_NODE = (
    "nodejs",
    "libnode108",
    "libuv1",
    "node-acorn",
    "node-busboy",
    "node-cjs-module-lexer",
    "node-undici",
    "node-xtend",
)


def fill(root: Rootfs) -> None:
    root.unpack(*_LIBRARIES, *_NODE, records=True)
    root.trim()
    root.remove_special_modes()
    answer = "(_, reply) => reply.end(require('orders').title)"
    root.write("app/server.js", f"require('http').createServer({answer}).listen(8080);\n")
    root.write("app/node_modules/orders/package.json", json.dumps({"name": "orders", "version": "2.4.1"}))
    root.write("app/node_modules/orders/index.js", "exports.title = 'orders';\n")
    root.run_inside("/usr/bin/node", "--check", "/app/server.js")
