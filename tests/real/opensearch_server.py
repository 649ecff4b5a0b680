# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real OpenSearch of one node, from its jars, behind TLS: it has no security plugin here, so it checks no credential."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..environment.python_environment import CACHE, say
from ..fake_api_server.certificates import Authority
from ..support.free_port import free_port
from ..support.served_program import served
from ..support.tls_front import TlsFront

_SOURCES = pathlib.Path(__file__).parent / "opensearch"
VERSION = re.findall(r"<version>(\d+\.\d+\.\d+)</version>", (_SOURCES / "pom.xml").read_text())[0]
_START_SECONDS = 180.0


@dataclass(frozen=True)
class OpenSearch:
    """`url` is reached by TLS."""

    url: str
    front: TlsFront
    _port: int

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer to a request as an administrator."""
        data = None if body is None else json.dumps(body).encode("ascii")
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{path}", data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.loads(reply.read())

    def make_data_stream(self, pattern: str) -> None:
        template = {
            "index_patterns": [pattern],
            "data_stream": {},
            "template": {
                "settings": {"number_of_replicas": 0},
                "mappings": {
                    "properties": {
                        "@timestamp": {"type": "date"},
                        "event": {"properties": {"severity": {"type": "long"}}},
                    }
                },
            },
        }
        self.ask("PUT", "/_index_template/scans", template)

    def count(self, index: str) -> int:
        self.ask("POST", f"/{index}/_refresh")
        return int(self.ask("GET", f"/{index}/_count")["count"])


@contextlib.contextmanager
def opensearch(folder: pathlib.Path, authority: Authority) -> Iterator[OpenSearch]:
    built, port, transport = _built(), free_port(), free_port()
    while transport == port:
        transport = free_port()
    (folder / "config").mkdir(parents=True)
    command = [
        *("java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
        *("-cp", f"{built / 'classes'}:{built / 'lib'}/*", "OpenSearchNode"),
        *(folder, str(port), str(transport)),
    ]
    with (
        served(command, port, folder / "opensearch.log", seconds=_START_SECONDS),
        TlsFront(authority, port) as front,
    ):
        yield OpenSearch(f"https://127.0.0.1:{front.port}", front, port)


def _built() -> pathlib.Path:
    """The jars and our main, fetched and compiled once."""
    content = b"".join(path.read_bytes() for path in sorted(_SOURCES.iterdir()))
    folder = CACHE / "opensearch" / hashlib.sha256(content).hexdigest()[:16]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            say(f"==> fetching OpenSearch {VERSION} (half a minute, once)")
            draft = folder.with_name("draft")
            shutil.rmtree(draft, ignore_errors=True)
            shutil.copytree(_SOURCES, draft)
            fetch = ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={draft / 'lib'}"]
            subprocess.run(fetch, cwd=draft, check=True, stdout=2, stdin=subprocess.DEVNULL)
            subprocess.run(
                ["javac", "-cp", "lib/*", "-d", "classes", "OpenSearchNode.java"],
                cwd=draft,
                check=True,
                stdout=2,
            )
            draft.rename(folder)
    return folder
