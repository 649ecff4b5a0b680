# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated cluster of many pods, as a process of its own: answers each exec with a recorded reply after a while.

    python simulated_cluster.py FOLDER NAME PODS SECONDS REPLY_FILE

Prints the path of its kubeconfig when it is ready, and serves until its standard input ends.
"""

from __future__ import annotations

import json
import pathlib
import re
import sys
import time

from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import STDOUT, ExecStreams
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer

_NONCE = re.compile(rb"securescan-facts \S+ ([0-9a-f]{16,})")
_CHUNK = 32 * 1024


class RecordedCollector:
    """Answers the collector's script with a reply that was recorded from a real container, under the script's nonce."""

    def __init__(self, reply: bytes, seconds: float) -> None:
        self._reply = reply
        self._seconds = seconds
        self._nonce = _NONCE.search(reply).group(1)

    def __call__(self, argv: list[str], streams: ExecStreams) -> int:
        script = b""
        while chunk := streams.stdin.read(65536):
            script += chunk
        time.sleep(self._seconds)
        reply = self._reply.replace(self._nonce, _NONCE.search(script).group(1))
        for start in range(0, len(reply), _CHUNK):
            streams.write(STDOUT, reply[start : start + _CHUNK])
        return 0


def main() -> int:
    folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
    pods, seconds, reply = int(sys.argv[3]), float(sys.argv[4]), pathlib.Path(sys.argv[5]).read_bytes()
    folder.mkdir(parents=True, exist_ok=True)
    program = RecordedCollector(reply, seconds)
    with FakeApiServer(Authority(folder)) as server:
        for number in range(pods):
            server.add_pod("shop", f"pod-{number:04d}", {"app": program}, node=f"node-{number % 10}")
        content = server.kubeconfig()
        content["clusters"][0]["name"] = content["contexts"][0]["context"]["cluster"] = name
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(json.dumps(content), encoding="utf-8")
        print(kubeconfig, flush=True)
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
