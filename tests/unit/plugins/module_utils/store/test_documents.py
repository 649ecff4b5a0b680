# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents in a store are what they were, to the byte."""

from __future__ import annotations

import json

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.documents import (
    pack,
    pack_numbers,
    pack_piece,
    unpack,
    unpack_numbers,
)


def document(run_id: str, moment: str, took: float) -> bytes:
    tests = [
        {"code_desc": f"test {n}", "start_time": moment, "run_time": took, "status": "passed"}
        for n in range(300)
    ]
    scan = {"run_id": run_id, "started": moment, "duration": took}
    return json.dumps({"results": tests, "scan": scan}, separators=(",", ":")).encode() + b"\n"


def test_documents_that_differ_in_times_have_the_same_template_and_come_back_to_the_byte() -> None:
    first, second = (
        document("run-1", "2026-11-23T10:00:00Z", 0.25),
        document("run-2", "2026-11-24T10:00:01Z", 1e-05),
    )
    one, other = pack(first), pack(second)
    assert one.template_sha256 == other.template_sha256
    pieces = [pack_piece(piece) for piece in one.pieces]
    assert unpack(pieces, one.holes, one.sha256, "one") == first
    assert unpack(pieces, other.holes, other.sha256, "other") == second
    assert len(other.holes) < 150


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b'{"run_id":"a\0"}',
        b'{"run_id":"a","run_id":"b"}',
        b'"started":"',
        b"\xff\xfe\0\n",
        b'{"duration":1,"x":"\\n"}\n',
    ],
)
def test_any_bytes_come_back(data: bytes) -> None:
    packed = pack(data)
    assert unpack([pack_piece(piece) for piece in packed.pieces], packed.holes, packed.sha256, "x") == data


def test_a_document_that_somebody_changed_in_the_store_is_an_error() -> None:
    packed, other = pack(document("run-1", "2026-11-23T10:00:00Z", 1.0)), pack(b"{}")
    with pytest.raises(ScanError, match="not the one that was put there"):
        unpack([pack_piece(piece) for piece in other.pieces], packed.holes, packed.sha256, "x")


def test_controls_are_pieces_of_their_own() -> None:
    data = b'{"profiles":[{"controls":[{"id":"a","x":1},{"id":"b","x":2}]}]}'
    assert [bytes(piece) for piece in pack(data).pieces] == [
        b'{"profiles":[{"controls":[',
        b'{"id":"a","x":1},',
        b'{"id":"b","x":2}]}]}',
    ]
    assert unpack_numbers(pack_numbers([1, 70_000, 3])) == [1, 70_000, 3]
    with pytest.raises(ScanError, match="damaged"):
        unpack_numbers(b"x")
