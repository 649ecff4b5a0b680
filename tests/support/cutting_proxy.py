# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A way to a server on which connections break: each one after some bytes, in either direction."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from types import TracebackType


class CuttingProxy:
    """with CuttingProxy(port) as proxy: ... proxy.port ... proxy.cuts

    :param least: bytes that a connection lives for at least
    :param most: bytes that it lives for at most
    :param number: how many connections are cut; later ones live
    """

    def __init__(self, port: int, least: int, most: int, number: int = 1000) -> None:
        self.cuts = 0
        self._target, self._least, self._most, self._number = port, least, most, number
        self._random = random.Random(1)  # the same cuts in each test
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> CuttingProxy:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                outer, _address = self._listener.accept()
                inner = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            room = [self._random.randint(self._least, self._most)]
            for source, target in ((outer, inner), (inner, outer)):
                threading.Thread(target=self._copy, args=(source, target, room), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket, room: list[int]) -> None:
        """Until one side ends, or both directions together have had their bytes."""
        with contextlib.suppress(OSError):
            while data := source.recv(16384):
                room[0] -= len(data)
                if room[0] < 0 and self.cuts < self._number:
                    self.cuts += 1
                    break
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
                one.close()
