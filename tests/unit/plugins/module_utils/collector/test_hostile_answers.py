# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No kind of fact takes more time with the length of a hostile answer than it must."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Query
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.families import FAMILIES
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.family import (
    Answer,
    NotOkError,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.frames import (
    BadContentError,
    Frame,
)
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.cpu_time import cpu_seconds

LENGTH = 48 * 1024
# Seconds of CPU. A time that grows with the square of the length would be some seconds.
SLOWEST = 0.7
BEGINNINGS = (
    b"",
    b"+/usr/lib/python3\n",
    b"A=",
    b"little\n/proc/net/tcp: 1: ",
    b"!1 1 60000 /",
    b"!1 1 1 ",
    b"real /\n",
    b"0123456789abcdef 81a4 0 0 1 1 1 ",
    b"0123456789abcdef\n",
    b"Name:\t",
    b"1\n1\n\nx\n",
    b"root:x:0:0:",
    b"Package: a\nStatus: ",
    b"release ",
    b"36 35 98:0 / ",
)
FILLS = (
    b" ",
    b"a",
    b"0",
    b"-0",
    b"-",
    b"\n",
    b"a b ",
    b"=",
    b".egg",
    b"-0-py0",
    b"\\",
    b"'",
    b":",
    b"/",
    b"find: ",
    b"\\040",
    b"\0",
    b"\xff",
    b"1 ",
    b"\na",
)


class SameFrames(Mapping[str, Frame]):
    """Every frame that is asked for, with the same content."""

    def __init__(self, payload: bytes) -> None:
        self.payload = payload

    def __getitem__(self, name: str) -> Frame:
        return Frame(name, "ok", "text", self.payload)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __contains__(self, name: object) -> bool:
        return True


SUBJECTS = {
    "python_packages": "/usr/lib/python3",
    "sysctl": "kernel.x",
    "environment_value": "A",
    "command": '["a"]',
    "walk": "/etc",
    "listing": "/etc",
    "readable": "/etc/x",
    "file": "/etc/x",
    "content": "/etc/x",
    "sha256": "/etc/x",
}


@pytest.mark.parametrize("kind", FAMILIES)
def test_a_hostile_answer_of_48_kib_is_read_in_a_moment(kind: str) -> None:
    query, slowest, worst = Query(kind, SUBJECTS.get(kind, "")), 0.0, ""
    for beginning in BEGINNINGS:
        for fill in FILLS:
            payload = beginning + (fill * (LENGTH // len(fill)))[:-1] + b"!"

            def read(payload: bytes = payload) -> None:
                with contextlib.suppress(BadContentError, NotOkError):
                    FAMILIES[kind].read(Answer(0, SameFrames(payload)), query)

            seconds = cpu_seconds(read, SLOWEST)
            if seconds > slowest:
                slowest, worst = seconds, f"{beginning!r} and {fill!r}"
    print(f"{kind}: {slowest:.3f} s, {worst}")
    assert slowest < SLOWEST, worst
    attack_ends_as("15-parsers", outcome="time grows with the length, no faster")
