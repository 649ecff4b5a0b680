# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WebSocket framing without a network."""

from __future__ import annotations

import random
import struct

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.network import websocket_frames as frames
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as


def server_frame(opcode: int, payload: bytes, final: bool = True) -> bytes:
    length = len(payload)
    head = bytes(((0x80 if final else 0) | opcode,))
    if length < 126:
        return head + bytes((length,)) + payload
    if length < 1 << 16:
        return head + b"\x7e" + struct.pack("!H", length) + payload
    return head + b"\x7f" + struct.pack("!Q", length) + payload


def read(data: bytes, step: int = 0) -> list[tuple[int, bytes]]:
    reader = frames.FrameReader()
    found = []
    for start in range(0, len(data), step or len(data) or 1):
        reader.feed(data[start : start + (step or len(data))])
        found += list(reader.messages())
    return found


def unmask(frame: bytes) -> bytes:
    """What a server makes of a client's frame (the payload only), byte by byte as RFC 6455 says it."""
    length = frame[1] & 0x7F
    start = {126: 4, 127: 10}.get(length, 2)
    mask = frame[start : start + 4]
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(frame[start + 4 :]))


@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 125, 126, 127, 65535, 65536, 70001])
def test_encoded_frames_are_what_rfc_6455_says(length: int) -> None:
    payload = random.Random(length).randbytes(length)
    frame = frames.encode_frame(frames.BINARY, payload)
    assert frame[0] == 0x82
    assert frame[1] & 0x80, "a client has to mask"
    assert unmask(frame) == payload


@pytest.mark.parametrize("step", [0, 1, 2, 7])
def test_messages_come_whole_however_the_bytes_arrive(step: int) -> None:
    data = (
        server_frame(frames.BINARY, b"one")
        + server_frame(frames.PING, b"hey")
        + server_frame(frames.BINARY, b"")
        + server_frame(frames.BINARY, b"x" * 300)
        + server_frame(frames.CLOSE, b"\x03\xe8bye")
    )
    assert read(data, step) == [
        (frames.BINARY, b"one"),
        (frames.PING, b"hey"),
        (frames.BINARY, b""),
        (frames.BINARY, b"x" * 300),
        (frames.CLOSE, b"\x03\xe8bye"),
    ]


def test_fragments_are_joined_and_control_frames_may_lie_between() -> None:
    data = (
        server_frame(frames.BINARY, b"ab", final=False)
        + server_frame(frames.PING, b"p")
        + server_frame(frames.CONTINUATION, b"cd", final=False)
        + server_frame(frames.CONTINUATION, b"ef")
    )
    assert read(data) == [(frames.PING, b"p"), (frames.BINARY, b"abcdef")]


@pytest.mark.parametrize(
    ("data", "needle"),
    [
        (b"\x82\x81\x00\x00\x00\x00x", "masked"),
        (b"\xc2\x00", "unknown kind"),
        (b"\x81\x02hi", "unknown kind"),
        (b"\x83\x00", "unknown kind"),
        (b"\x82\x7f" + struct.pack("!Q", 1 << 62), "more than"),
        (b"\x82\x7f" + struct.pack("!Q", frames.MESSAGE_LIMIT + 1), "more than"),
        (b"\x89\x7e\x00\x7e", "control frame"),
        (b"\x09\x00", "control frame"),
        (server_frame(frames.CONTINUATION, b"x"), "wrong order"),
        (server_frame(frames.BINARY, b"x", final=False) + server_frame(frames.BINARY, b"y"), "wrong order"),
    ],
)
def test_what_a_server_must_not_send_is_refused(data: bytes, needle: str) -> None:
    with pytest.raises(ScanError) as caught:
        read(data)
    assert caught.value.reason == "bad_reply"
    assert needle in caught.value.message
    attack_ends_as("H-17-frames", outcome="refused")


def test_a_length_is_refused_before_its_payload_is_kept() -> None:
    reader = frames.FrameReader()
    reader.feed(b"\x82\x7f" + struct.pack("!Q", frames.MESSAGE_LIMIT + 1))
    with pytest.raises(ScanError):
        list(reader.messages())


def test_fragments_together_keep_the_limit() -> None:
    reader = frames.FrameReader()
    part = b"x" * (frames.MESSAGE_LIMIT // 2)
    reader.feed(
        server_frame(frames.BINARY, part, final=False) + server_frame(frames.CONTINUATION, part, final=False)
    )
    assert list(reader.messages()) == []
    reader.feed(server_frame(frames.CONTINUATION, b"x"))
    with pytest.raises(ScanError):
        list(reader.messages())


def test_a_close_frame_gives_its_code_and_reason() -> None:
    assert frames.decode_close(b"") == (1005, "")
    assert frames.decode_close(b"\x03\xf3broken \xff") == (1011, "broken \ufffd")


def test_mutated_streams_give_messages_or_a_named_error() -> None:
    """10,000 mutations of a good stream: no crash, no hang, nothing kept beyond the limit."""
    good = (
        server_frame(frames.BINARY, b"\x01hello")
        + server_frame(frames.BINARY, b"\x02" + b"e" * 200, final=False)
        + server_frame(frames.CONTINUATION, b"tail")
        + server_frame(frames.PING, b"p")
        + server_frame(frames.BINARY, b'\x03{"status":"Success"}')
        + server_frame(frames.CLOSE, b"\x03\xe8")
    )
    outcomes = {"fine": 0, "refused": 0}
    for seed in range(10000):
        rng = random.Random(seed)
        data = bytearray(good)
        for _number in range(rng.randint(1, 5)):
            where = rng.randrange(len(data))
            kind = rng.randrange(3)
            if kind == 0:
                data[where] = rng.randrange(256)
            elif kind == 1:
                del data[where : where + rng.randint(1, 4)]
            else:
                data[where:where] = rng.randbytes(rng.randint(1, 4))
        try:
            assert sum(len(payload) for _opcode, payload in read(bytes(data), rng.choice((0, 1, 5)))) <= len(
                data
            )
            outcomes["fine"] += 1
        except ScanError as error:
            assert error.reason == "bad_reply"
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 100, outcomes
