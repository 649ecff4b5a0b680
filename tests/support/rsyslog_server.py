# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real rsyslog that takes RFC 5424 over mutual TLS and writes what it has understood, one JSON object for each message."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..environment.debian_unpacked import unpacked
from ..fake_api_server.certificates import Authority
from .free_port import free_port
from .served_program import served

_SUITE = "bookworm"
_LIBRARIES = ("libestr0", "libfastjson4")
_CONFIG = """
global(
  workDirectory="{folder}" maxMessageSize="64k"
  defaultNetstreamDriverCAFile="{ca}"
  defaultNetstreamDriverCertFile="{certificate}" defaultNetstreamDriverKeyFile="{key}"
)
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")
input(type="imtcp" port="{port}" address="127.0.0.1")
template(name="whole" type="string" string="%jsonmesg%\\n")
action(type="omfile" file="{out}" template="whole" asyncWriting="off" flushOnTXEnd="on")
"""


@dataclass(frozen=True)
class Rsyslog:
    port: int
    out: pathlib.Path

    def messages(self) -> list[dict[str, Any]]:
        """Those that were written as whole lines."""
        if not self.out.exists():
            return []
        text = self.out.read_text(encoding="utf-8", errors="backslashreplace")
        return [json.loads(line) for line in text.split("\n")[:-1]]


@contextlib.contextmanager
def rsyslog(folder: pathlib.Path, authority: Authority) -> Iterator[Rsyslog]:
    program, tls = unpacked("rsyslog", _SUITE), unpacked("rsyslog-openssl", _SUITE)
    libraries = [_library_folder(unpacked(name, _SUITE)) for name in _LIBRARIES]
    server, port, out = authority.server("localhost"), free_port(), folder / "messages.jsonl"
    config = folder / "rsyslog.conf"
    config.write_text(
        _CONFIG.format(
            folder=folder,
            ca=authority.ca,
            certificate=server.certificate,
            key=server.key,
            port=port,
            out=out,
        ),
        encoding="utf-8",
    )
    modules = ":".join(str(_library_folder(one) / "rsyslog") for one in (program, tls))
    command = [
        *(program / "usr" / "sbin" / "rsyslogd", "-n", "-M", modules),
        *("-f", config, "-i", folder / "rsyslog.pid"),
    ]
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, libraries))}
    with served(command, port, folder / "rsyslog.log", environment):
        yield Rsyslog(port, out)


def _library_folder(package: pathlib.Path) -> pathlib.Path:
    (found,) = (package / "usr" / "lib").glob("*-linux-gnu")
    return found
