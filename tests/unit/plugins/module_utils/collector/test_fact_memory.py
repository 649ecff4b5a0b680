# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer that was read before is not read again, and an answer that differs anywhere is."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector import collect, fact_memory
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.collect import read_facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.fact_memory import FactMemory
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Fact, Query
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.frames import Frame
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import CollectionRequest

NONCES = ("0" * 32, "1" * 32)
REQUEST = CollectionRequest((Query("passwd"), Query("content", "/etc/motd")))
PASSWD = b"root:shadow:0:0:root:/root:/bin/sh\n"


@pytest.fixture(autouse=True)
def memory(monkeypatch):
    made = FactMemory()
    monkeypatch.setattr(collect, "_memory", made)
    return made


def reply(nonce: str, passwd: bytes = PASSWD, motd: bytes = b"hello", at: bytes = b"0 5") -> bytes:
    frames = (
        (b"collector", b"shell=sh\nprograms=\n"),
        (b"q0", passwd),
        (b"content", motd),
        (b"q1", b""),
        (b"q1.at", at),
    )
    text = b"".join(b"frame %s ok text %d\n%s\n" % (name, len(body), body) for name, body in frames)
    return b"securescan-facts 1 %s\n%send %d %s\n" % (nonce.encode(), text, len(frames), nonce.encode())


def test_equal_answers_give_the_same_fact():
    first, second = (read_facts(REQUEST, reply(nonce), nonce) for nonce in NONCES)
    assert first["passwd"].ok and first["passwd"] is second["passwd"]
    assert first["passwd"].answer_number > 0


@pytest.mark.parametrize("changed", [PASSWD + b"toor:shadow:0:0::/:/bin/sh\n", b""])
def test_an_answer_that_differs_is_read(changed):
    first = read_facts(REQUEST, reply(NONCES[0]), NONCES[0])
    second = read_facts(REQUEST, reply(NONCES[1], passwd=changed), NONCES[1])
    assert (
        second["passwd"] != first["passwd"]
        and second["passwd"].answer_number != first["passwd"].answer_number
    )


def test_a_frame_that_only_belongs_to_the_answer_counts_too():
    """The query's own frame is the same, what was read with it is not."""
    first = read_facts(REQUEST, reply(NONCES[0]), NONCES[0])
    second = read_facts(REQUEST, reply(NONCES[1], motd=b"HELLO"), NONCES[1])
    again = read_facts(REQUEST, reply(NONCES[1], at=b"0 4"), NONCES[1])
    assert first["content:/etc/motd"] != second["content:/etc/motd"]
    assert len({facts["content:/etc/motd"].answer_number for facts in (first, second, again)}) == 3


def test_a_fact_that_is_made_from_another_has_no_number():
    fact = read_facts(REQUEST, reply(NONCES[0]), NONCES[0])["passwd"]
    assert dataclasses.replace(fact, value=[]).answer_number == 0


def test_a_fact_is_never_changed_after_it_was_handed_out(memory):
    fact, frame = Fact("ok", []), Frame("q0", "ok", "text", b"x")
    kept = memory.keep(Query("passwd"), frame, {}, fact)
    assert (fact.answer_number, kept) == (0, fact) and kept.answer_number > 0
    assert memory.recall(Query("passwd"), frame, {"q0": frame}) is kept


def test_what_is_remembered_is_bounded(memory, monkeypatch):
    monkeypatch.setattr(fact_memory, "_MAX_BYTES", 1000)
    frames = [Frame(f"q{number}", "ok", "text", b"x" * 300) for number in range(10)]
    for frame in frames:
        memory.keep(Query("passwd"), frame, {}, Fact("ok", []))
    known = [frame for frame in frames if memory.recall(Query("passwd"), frame, {frame.name: frame})]
    assert known == frames[-3:]


def test_a_large_answer_is_not_remembered(memory):
    frame = Frame("q0", "ok", "text", b"x" * (256 * 1024 + 1))
    assert memory.keep(Query("passwd"), frame, {}, Fact("ok", [])).answer_number == 0
    assert memory.recall(Query("passwd"), frame, {"q0": frame}) is None
