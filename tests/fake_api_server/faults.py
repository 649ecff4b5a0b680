# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which the fake server can misbehave."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable

# What the server does by kind of fault; behind it the fields of Fault that are used.
KINDS = {
    "slow": "waits before it answers, then is well",  # seconds
    "interim": "sends this before its answer, such as interim replies; the answer is well",  # text
    "meanwhile": "something happens in the cluster first; the answer is well",  # action
    "silence": "takes the request, lets something happen and never answers; an exec: after the handshake",  # action
    "status": "answers with an HTTP status and a v1 Status",  # status, reason, text, ...
    "plain_status": "answers with an HTTP status and plain text",  # status, text, retry_after
    "html": "answers 200 with an HTML page, as login pages do",
    "redirect": "answers 302 to another server",  # text: the location
    "reflect": "answers 400 and repeats the request's headers in the message",
    "cut": "closes the connection after so many bytes of the answer; an exec: of its frames",  # after
    "cut_handshake": "exec: closes the connection after so many bytes of the handshake",  # after
    "garbage": "answers with bytes that are no HTTP; an exec: no WebSocket frames",  # text
    "flood": "sends without end",
    "no_status": "exec: closes without the program's status",
    "no_close_frame": "exec: ends the connection without a close frame",
    "final_status": "exec: ends with this text on the error channel",  # text
    "v4_only": "exec: knows v4.channel.k8s.io only",
    "spdy_only": "exec: knows no WebSocket",
    "no_subprotocol": "exec: agrees to the WebSocket but to no subprotocol",
    "other_subprotocol": "exec: chooses a subprotocol that nobody offered",
    "wrong_accept": "exec: answers the handshake with a wrong key",
    "huge_frame": "exec: announces a frame of 2^62 bytes",
    "masked_frame": "exec: sends a masked frame",
    "wrong_channel": "exec: sends data on channel 9",
    "fragments": "exec: splits messages into fragments of three bytes, pings between them",
    "ping_flood": "exec: sends nothing but pings",
    "deaf": "exec: never reads what the client sends",
}


@dataclass
class Fault:
    """One switch. It applies to requests whose "METHOD /path?query" matches `on`, `times` times (None: always)."""

    kind: str
    on: str = ""
    times: int | None = None
    status: int = 500
    reason: str = ""
    text: str = ""
    retry_after: int | None = None
    seconds: float = 1.0
    after: int = 0
    action: Callable[[], object] = lambda: None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault {self.kind!r}")

    def take(self, line: str) -> bool:
        """Whether it applies to this request, which then counts."""
        if self.times == 0 or not re.search(self.on, line):
            return False
        if self.times is not None:
            self.times -= 1
        return True
