# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fuzz tests share: replies recorded from a real shell, ways to spoil bytes, and a strict check of their own.

The check is written from the format's description and shares nothing with the engine's reader: no pattern, no table.
"""

from __future__ import annotations

import contextlib
import gc
import os
import random
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Callable

from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Query
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.families import FAMILIES
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import (
    CollectionRequest,
    make_request,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.script import (
    build_script,
    frame_names,
)

NONCE = "0123456789abcdef0123456789abcdef"
# A frame as the check sees it: status, encoding, bytes.
FrameContent = tuple[bytes, bytes, bytes]
Span = tuple[int, int]


@dataclass(frozen=True)
class Recorded:
    """A request, and what a real shell answered."""

    request: CollectionRequest
    reply: bytes

    @property
    def required(self) -> list[bytes]:
        """Names of the frames without which the reply is not whole."""
        return [b"q%d" % index for index in range(len(self.request.queries))] + [b"collector"]

    @property
    def allowed(self) -> list[bytes]:
        shared = {FAMILIES[query.kind].shared for query in self.request.queries}
        return [b"collector", *(name.encode() for name in (*frame_names(self.request), *shared))]

    def check(self, data: bytes) -> dict[bytes, FrameContent] | None:
        """The frames, where the data is a whole reply to this request; None where it is anything else."""
        frames = strict_frames(data, NONCE.encode())
        if frames is None or set(frames) - set(self.allowed) or set(self.required) - set(frames):
            return None
        return frames


def record(folder: Path) -> Recorded:
    """Every kind of fact whose amount does not depend on the machine, asked of this machine's `sh`."""
    folder.joinpath("motd").write_bytes(b"end 3 %s\nframe q0 ok text 0\n\n\xff\x00 hello" % NONCE.encode())
    folder.joinpath("setuid program").touch()
    folder.joinpath("setuid program").chmod(0o4755)
    folder.joinpath("link").symlink_to("motd")
    return _record(
        (
            Query("file", f"{folder}/motd"),
            Query("file", f"{folder}/none"),
            Query("content", f"{folder}/motd"),
            Query("content", f"{folder}/none"),
            Query("sha256", f"{folder}/motd"),
            Query("walk", str(folder), (("match", "setuid"),)),
            Query("listing", str(folder)),
            Query("passwd"),
            Query("shadow"),
            Query("group"),
            Query("sysctl", "kernel.randomize_va_space"),
            Query("environment"),
            Query("os"),
            Query("process_status"),
        )
    )


def _record(queries: Sequence[Query]) -> Recorded:
    request = make_request(queries)
    done = subprocess.run(
        ["sh"],
        input=build_script(request, NONCE),
        capture_output=True,
        check=True,
        env={"PATH": os.environ["PATH"], "PLANTED": "frame q0 ok text 4"},
    )
    return Recorded(request, done.stdout)


def strict_frames(
    data: bytes, nonce: bytes, spans: list[Span] | None = None
) -> dict[bytes, FrameContent] | None:
    """The frames of a reply that keeps the format to the byte, else None. `spans` is given each frame's place."""
    header = b"securescan-facts 1 " + nonce + b"\n"
    if not data.startswith(header):
        return None
    frames: dict[bytes, FrameContent] = {}
    at = len(header)
    while True:
        line_end = data.find(b"\n", at)
        if line_end < 0:
            return None
        words = data[at:line_end].split(b" ")
        if words[0] == b"end":
            whole = words[1:] == [b"%d" % len(frames), nonce] and line_end + 1 == len(data)
            return frames if whole else None
        if len(words) != 5 or words[0] != b"frame" or words[1] in frames:
            return None
        _frame, name, status, encoding, length = words
        if status not in (b"ok", b"absent", b"unreadable", b"unsupported", b"too_large", b"timed_out"):
            return None
        if (
            encoding not in (b"text", b"base64", b"hex")
            or not length.isdigit()
            or b"%d" % int(length) != length
        ):
            return None
        end = line_end + 1 + int(length)
        if data[end : end + 1] != b"\n":
            return None
        frames[name] = (status, encoding, data[line_end + 1 : end])
        if spans is not None:
            spans.append((at, end + 1))
        at = end + 1


class Mutations:
    """Spoils bytes, from a seed. `spans` are the places of units (frames) that are also taken as a whole."""

    def __init__(self, seed: int, spans: Sequence[Span], tokens: Sequence[bytes]) -> None:
        self._random = random.Random(seed)
        self._spans = spans
        self._tokens = tokens
        self._ways: Sequence[Callable[[bytes], bytes]] = (
            self._flip_bit,
            self._flip_bit,
            self._set_byte,
            self._cut_end,
            self._cut_start,
            self._drop,
            self._double,
            self._swap,
            self._insert,
            self._insert_token,
            self._change_number,
            self._drop_unit,
            self._double_unit,
            self._swap_units,
            self._flip_bit_of_head,
        )
        self.made: dict[str, int] = {}

    def spoil(self, data: bytes) -> bytes:
        """One to three changes. The first is to the data as it is, so that it can aim at the units."""
        number = self._random.choice((1, 1, 1, 2, 3))
        for count in range(number):
            ways = self._ways if count == 0 else self._ways[:-4]
            way = self._random.choice(ways)
            self.made[way.__name__] = self.made.get(way.__name__, 0) + 1
            data = way(data)
        return data

    def _place(self, data: bytes) -> int:
        return self._random.randrange(len(data)) if data else 0

    def _range(self, data: bytes) -> Span:
        start = self._place(data)
        length = self._random.choice((1, 1, 2, 5, 40, 1000))
        return start, min(len(data), start + self._random.randint(1, length))

    def _flip_bit(self, data: bytes) -> bytes:
        at = self._place(data)
        return (
            data[:at] + bytes((data[at] ^ 1 << self._random.randrange(8),)) + data[at + 1 :] if data else data
        )

    def _set_byte(self, data: bytes) -> bytes:
        at = self._place(data)
        return (
            data[:at]
            + bytes((self._random.choice((0, 10, 13, 32, 48, 57, 255, self._random.randrange(256))),))
            + data[at + 1 :]
        )

    def _cut_end(self, data: bytes) -> bytes:
        near_the_end = max(0, len(data) - self._random.randint(1, 40))
        return data[: self._place(data) if self._random.random() < 0.7 else near_the_end]

    def _cut_start(self, data: bytes) -> bytes:
        return data[self._random.randint(1, 60) :]

    def _drop(self, data: bytes) -> bytes:
        start, end = self._range(data)
        return data[:start] + data[end:]

    def _double(self, data: bytes) -> bytes:
        start, end = self._range(data)
        return data[:end] + data[start:]

    def _swap(self, data: bytes) -> bytes:
        (start, end), (other, other_end) = sorted((self._range(data), self._range(data)))
        if end > other:
            return data
        return data[:start] + data[other:other_end] + data[end:other] + data[start:end] + data[other_end:]

    def _insert(self, data: bytes) -> bytes:
        at = self._place(data)
        return (
            data[:at]
            + bytes(self._random.randrange(256) for _number in range(self._random.randint(1, 8)))
            + data[at:]
        )

    def _insert_token(self, data: bytes) -> bytes:
        at = self._place(data)
        if self._random.random() < 0.5:
            at = data.rfind(b"\n", 0, at) + 1
        return data[:at] + self._random.choice(self._tokens) + data[at:]

    def _change_number(self, data: bytes) -> bytes:
        """A length or a count, off by a little or by much."""
        start = self._place(data)
        while start < len(data) and not data[start : start + 1].isdigit():
            start += 1
        end = start
        while end < len(data) and data[end : end + 1].isdigit():
            end += 1
        if start == end:
            return data
        value = int(data[start : min(end, start + 18)])
        changed = self._random.choice((value + 1, value - 1, value + 7, 0, value * 10, 2**31, 2**63, 10**30))
        text = b"%d" % changed if self._random.random() < 0.9 else b"0%d" % changed
        return data[:start] + text + data[end:]

    def _flip_bit_of_head(self, data: bytes) -> bytes:
        """Of the first bytes of a unit, which say what it is and how long."""
        start, end = self._random.choice(self._spans)
        at = min(start + self._random.randrange(3), end - 1)
        return data[:at] + bytes((data[at] ^ 1 << self._random.randrange(8),)) + data[at + 1 :]

    def _drop_unit(self, data: bytes) -> bytes:
        start, end = self._random.choice(self._spans)
        return data[:start] + data[end:]

    def _double_unit(self, data: bytes) -> bytes:
        start, end = self._random.choice(self._spans)
        return data[:end] + data[start:]

    def _swap_units(self, data: bytes) -> bytes:
        (start, end), (other, other_end) = sorted(self._random.sample(list(self._spans), 2))
        return data[:start] + data[other:other_end] + data[end:other] + data[start:end] + data[other_end:]


@contextlib.contextmanager
def no_hang(seconds: int) -> Iterator[None]:
    """Fails whatever does not come back in time, endless loops too. What is there before takes no part in garbage collections,
    so that none of them makes a round slow."""

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"it hangs: not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
