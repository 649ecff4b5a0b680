# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods of an access as one text: nothing is lost, and a text that is cut off, altered or a bomb is refused."""

from __future__ import annotations

import base64
import uuid
import zlib

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.objects import PodRef
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.packed_pods import (
    pack_pods,
    unpack_pods,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError

PODS = {
    "shop": tuple(PodRef(f"api-{number}", str(uuid.uuid4())) for number in range(300)),
    "mixed": (PodRef("db-0", str(uuid.uuid4()), "exec"), PodRef("db-1", str(uuid.uuid4()))),
    "helpers": (PodRef("securescan-run-image-1", ""),),
    "empty": (),
}


def packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content)).decode()


def test_nothing_is_lost() -> None:
    assert unpack_pods(pack_pods(PODS)) == PODS
    assert unpack_pods(pack_pods({})) == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "\u00e4",
        pack_pods(PODS)[:-40],
        packed(b""),
        packed(b"x\n{}"),
        packed(b"2\n[]"),
        packed(b'7\n{"a": 1}'),
        packed(b'10\n{"a":["b"]}'),
        packed(b'11\n{"a":["b"]}'),
        packed(b"2\n{}" + b"\1" * 16),
        packed(b"2\n{}\1"),
        packed(b"2\n{}" + bytes(100 << 20)),
        packed(b'9\n{"a":[7]}' + bytes(16)),
        packed(b'20\n{"a":[["b","none"]]}' + bytes(16)),
        None,
        7,
    ],
)
def test_what_is_no_such_text_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="packed_pods"):
        unpack_pods(text)


def test_a_uid_that_is_none_of_an_api_server_is_not_packed() -> None:
    for uid in ("u1", str(uuid.uuid4()).upper()):
        with pytest.raises(ScanError, match="no UUID"):
            pack_pods({"shop": [PodRef("api-1", uid)]})
