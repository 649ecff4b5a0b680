# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of a cluster: each request told to whoever wants to know, all of them counted.

What is told has no query, no header and no body: there the secrets are, and the names of what is looked for.
"""

from __future__ import annotations

import threading
from typing import Callable, Optional

Tell = Optional[Callable[[str], None]]


class RequestLog:
    """Safe to use from several threads.

    :param tell: gets a line for each request and each step of a scan; None where nobody listens
    """

    def __init__(self, tell: Tell = None) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._requests = self._execs = self._sent = self._received = 0

    @property
    def is_told(self) -> bool:
        """Whether somebody listens, so that a line is worth making."""
        return self._tell is not None

    def tell(self, line: str) -> None:
        if self._tell is not None:
            self._tell(line)

    def add_request(self, what: str, outcome: str, *, seconds: float, sent: int, received: int) -> None:
        """
        :param what: who asked, the method and the path
        :param outcome: the status, or the reason of the failure
        :param sent: bytes of the request's body; `received` likewise of the reply's
        """
        self._count(sent, received, requests=1)
        if self._tell is not None:
            self._tell(f"{what} -> {outcome} in {seconds * 1000:.0f} ms, {_bytes(sent, received)}")

    def add_exec(self, what: str, outcome: str, *, seconds: float) -> None:
        """An exec that was asked for; its bytes come with `end_exec`."""
        self._count(0, 0, execs=1)
        if self._tell is not None:
            self._tell(f"{what} -> {outcome} in {seconds * 1000:.0f} ms")

    def end_exec(self, what: str, *, seconds: float, sent: int, received: int) -> None:
        self._count(sent, received)
        if self._tell is not None:
            self._tell(f"{what} closed after {seconds * 1000:.0f} ms, {_bytes(sent, received)}")

    def sums(self) -> str:
        """One line over all that was asked; empty where nothing was."""
        with self._lock:
            if not self._requests and not self._execs:
                return ""
            return (
                f"{self._requests} requests, {self._execs} execs, {_bytes(self._sent, self._received)} "
                "(bodies of requests and replies, and streams of execs)"
            )

    def _count(self, sent: int, received: int, *, requests: int = 0, execs: int = 0) -> None:
        with self._lock:
            self._requests += requests
            self._execs += execs
            self._sent += sent
            self._received += received


def _bytes(sent: int, received: int) -> str:
    return f"{sent} bytes sent, {received} received"
