# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real VictoriaLogs, which takes events as Splunk's collector, Elasticsearch, OTLP receivers and syslog servers do, and gives
them back by a query. It checks no tokens, knows neither acknowledgements nor conflicts."""

from __future__ import annotations

import contextlib
import json
import pathlib
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..environment.go_program import built
from ..fake_api_server.certificates import Authority
from .free_port import free_port
from .served_program import served
from .tls_front import TlsFront


@dataclass(frozen=True)
class VictoriaLogs:
    """`url` is reached by TLS; `syslog_port` takes syslog over TLS."""

    url: str
    syslog_port: int
    front: TlsFront
    _port: int

    def query(self, text: str, most: int = 100_000) -> list[dict[str, Any]]:
        data = urllib.parse.urlencode({"query": text, "limit": str(most)}).encode("ascii")
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/select/logsql/query", data, 30) as reply:
            return [json.loads(line) for line in reply.read().splitlines()]

    def flush(self) -> None:
        """What was taken can be found from then on."""
        urllib.request.urlopen(f"http://127.0.0.1:{self._port}/internal/force_flush", timeout=30).close()


@contextlib.contextmanager
def victoria_logs(folder: pathlib.Path, authority: Authority) -> Iterator[VictoriaLogs]:
    server, port, syslog_port = authority.server("localhost"), free_port(), free_port()
    while syslog_port == port:
        syslog_port = free_port()
    command = [
        built("victoria-logs"),
        f"-storageDataPath={folder / 'data'}",
        f"-httpListenAddr=127.0.0.1:{port}",
        f"-syslog.listenAddr.tcp=127.0.0.1:{syslog_port}",
        "-syslog.tls=true",
        f"-syslog.tlsCertFile={server.certificate}",
        f"-syslog.tlsKeyFile={server.key}",
        "-retentionPeriod=100y",
        "-futureRetention=100y",
    ]
    with served(command, port, folder / "victoria-logs.log"), TlsFront(authority, port) as front:
        yield VictoriaLogs(f"https://127.0.0.1:{front.port}", syslog_port, front, port)
