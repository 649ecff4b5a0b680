# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""yaml-language-server as an editor has it: files are opened, problems and completions come back."""

from __future__ import annotations

import contextlib
import json
import pathlib
import subprocess
from collections.abc import Iterator
from typing import Any

from .node_programs import node_command

_SETTINGS = {
    "yaml": {"validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}},
    "http": {"proxyStrictSSL": True},
    "editor": {"tabSize": 2},
    "files": {"associations": {}},
}


class LanguageServer:
    """A client of the protocol over the server's standard input and output."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._last = 0
        self.version = ""

    def begin(self, folder: pathlib.Path) -> None:
        said = self._ask(
            "initialize",
            {
                "processId": None,
                "rootUri": folder.as_uri(),
                "workspaceFolders": [{"uri": folder.as_uri(), "name": folder.name}],
                "capabilities": {"workspace": {"configuration": True}, "textDocument": {}},
            },
        )
        self.version = said.get("serverInfo", {}).get("version", "")
        self._send({"method": "initialized", "params": {}})

    def problems(self, path: pathlib.Path) -> list[str]:
        """What it marks in a file: the line, counted from 1, and the message."""
        uri = self._open(path)
        while True:
            message = self._read()
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri:
                found = message["params"]["diagnostics"]
                return [f"{one['range']['start']['line'] + 1}: {one['message']}" for one in found]

    def completions(self, path: pathlib.Path, line: int, column: int) -> list[str]:
        """What it offers at a place of a file that was opened; both numbers are counted from 0."""
        place = {"textDocument": {"uri": path.as_uri()}, "position": {"line": line, "character": column}}
        said = self._ask("textDocument/completion", place)
        return [item["label"] for item in (said["items"] if isinstance(said, dict) else said)]

    def _open(self, path: pathlib.Path) -> str:
        document = {"uri": path.as_uri(), "languageId": "yaml", "version": 1, "text": path.read_text("utf-8")}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        return path.as_uri()

    def _ask(self, method: str, params: dict[str, Any]) -> Any:
        self._last += 1
        number = self._last
        self._send({"id": number, "method": method, "params": params})
        while True:
            message = self._read()
            if message.get("id") == number and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        """The next message. What the server asks its editor is answered."""
        assert self._process.stdout
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _colon, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, "the language server has ended"
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        if "id" in message and "method" in message:
            asked = message.get("params", {}).get("items", [])
            answer: Any = [_SETTINGS.get(item.get("section", "")) for item in asked] or None
            self._send({"id": message["id"], "result": answer})
        return message


@contextlib.contextmanager
def language_server(folder: pathlib.Path) -> Iterator[LanguageServer]:
    """A server whose workspace is the folder."""
    process = subprocess.Popen(
        [*node_command("yaml-language-server", "yaml-language-server"), "--stdio"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        server = LanguageServer(process)
        server.begin(folder)
        yield server
    finally:
        process.kill()
        process.wait()
