# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real rsyslog that takes RFC 5424 over mutual TLS and writes what it has understood, one JSON object for each message."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..environment.debian_unpacked import unpacked
from ..fake_api_server.certificates import Authority
from .free_port import free_port
from .served_program import listens, served
from .waiting import wait_until

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
module(load="imptcp")
input(type="imptcp" port="{plain}" address="127.0.0.1")
template(name="whole" type="string" string="%jsonmesg%\\n")
action(type="omfile" file="{out}" template="whole" asyncWriting="off" flushOnTXEnd="on")
"""


@dataclass(frozen=True)
class Rsyslog:
    port: int
    out: pathlib.Path

    def messages(self) -> list[dict[str, Any]]:
        """Those that were written as whole lines, without the one by which the file was opened."""
        text = self.out.read_text(encoding="utf-8", errors="backslashreplace")
        return [json.loads(line) for line in text.split("\n")[1:-1]]


@contextlib.contextmanager
def rsyslog(folder: pathlib.Path, authority: Authority) -> Iterator[Rsyslog]:
    program, tls = unpacked("rsyslog", _SUITE), unpacked("rsyslog-openssl", _SUITE)
    libraries = [_library_folder(unpacked(name, _SUITE)) for name in _LIBRARIES]
    server, out = authority.server("localhost"), folder / "messages.jsonl"
    port, plain = free_port(), free_port()
    config = folder / "rsyslog.conf"
    config.write_text(
        _CONFIG.format(
            folder=folder,
            ca=authority.ca,
            certificate=server.certificate,
            key=server.key,
            port=port,
            plain=plain,
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
        _have_file_opened(plain, out)
        yield Rsyslog(port, out)


def _have_file_opened(plain: int, out: pathlib.Path) -> None:
    """This rsyslog closes the descriptor of a TLS connection twice. A file that another thread opens in between is closed the
    second time, and what is written to it then goes into the next connection: it is opened before there is any."""
    wait_until(lambda: listens(plain), "rsyslog to take plain messages")
    with socket.create_connection(("127.0.0.1", plain)) as sock:
        sock.sendall(b"<13>1 - - tests - - - opens the file\n")
    wait_until(lambda: out.exists() and out.read_bytes().endswith(b"\n"), "rsyslog to open its file")


def _library_folder(package: pathlib.Path) -> pathlib.Path:
    (found,) = (package / "usr" / "lib").glob("*-linux-gnu")
    return found
