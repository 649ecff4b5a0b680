# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spoilt replies of the collector: facts come only from those that are whole by a check that is not the engine's."""

from __future__ import annotations

import time

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.collect import read_facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    STATUSES,
    UNREACHED,
    Facts,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.support.fuzzed_replies import (
    NONCE,
    Mutations,
    Recorded,
    Span,
    no_hang,
    record,
    strict_frames,
)

ROUNDS = 12000
SLOWEST = 0.5  # seconds of CPU for one reply of some kilobytes; some hundred times what it takes
OTHER_NONCE = b"f" * 32


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return record(tmp_path_factory.mktemp("recorded"))


def read(recorded: Recorded, data: bytes) -> Facts | None:
    """The facts, or None where the reply was refused; whatever is raised besides is a crash and fails the test."""
    try:
        facts = read_facts(recorded.request, data, NONCE)
    except ScanError as error:
        assert error.reason in ("incomplete_reply", "invalid_reply")
        return None
    assert list(facts) == [query.key for query in recorded.request.queries], "one fact for each query"
    assert {fact.status for fact in facts.values()} <= set(STATUSES) - {UNREACHED}
    return facts


def units(recorded: Recorded) -> list[Span]:
    spans: list[Span] = []
    assert strict_frames(recorded.reply, NONCE.encode(), spans)
    return spans


def test_the_recorded_reply_is_whole_by_both_readers(recorded: Recorded) -> None:
    assert recorded.check(recorded.reply)
    facts = read(recorded, recorded.reply)
    assert facts is not None
    assert sum(fact.ok for fact in facts.values()) >= len(facts) - 3, dict(facts.unread())


def test_no_beginning_of_a_reply_is_a_reply(recorded: Recorded) -> None:
    for length in range(len(recorded.reply)):
        assert read(recorded, recorded.reply[:length]) is None, length


def test_a_spoilt_reply_gives_facts_or_a_named_error(
    recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    nonce = NONCE.encode()
    tokens = [
        b"\n",
        b"\r\n",
        b" ",
        b"-",
        b"\x00",
        OTHER_NONCE,
        b"frame q0 ok text 0\n\n",
        b"frame q99 ok text 0\n\n",
        b"end 0 %s\n" % nonce,
        b"end 23 %s\n" % nonce,
        b"securescan-facts 1 %s\n" % nonce,
    ]
    mutations = Mutations(20261, units(recorded), tokens)
    whole = read(recorded, recorded.reply)
    accepted = refused = 0
    slowest = 0.0
    with no_hang(600):
        for round_number in range(ROUNDS):
            data = mutations.spoil(recorded.reply)
            started = time.thread_time()
            facts = read(recorded, data)
            slowest = max(slowest, time.thread_time() - started)
            frames = recorded.check(data)
            assert (facts is not None) == (frames is not None), (round_number, data)
            accepted += facts is not None
            refused += facts is None
            if frames is not None and frames == recorded.check(recorded.reply):
                assert facts == whole, "the same frames mean the same, in whatever order they come"
    assert slowest < SLOWEST
    assert len(mutations.made) == 14 and min(mutations.made.values()) > ROUNDS // 50, (
        "each way to spoil was used"
    )
    assert refused > ROUNDS // 4 and accepted > ROUNDS // 10, "both answers are common, or this shows little"
    with capsys.disabled():
        print(
            f" {ROUNDS} spoilt replies of {len(recorded.reply)} bytes: {refused} refused, {accepted} whole "
            f"still; the slowest took {slowest * 1000:.1f} ms of CPU ",
            end="",
        )


def test_a_reply_to_another_request_is_none_to_this(recorded: Recorded) -> None:
    old = recorded.reply.replace(NONCE.encode(), OTHER_NONCE)
    assert strict_frames(old, OTHER_NONCE)
    assert read(recorded, old) is None
    assert read(recorded, old.replace(OTHER_NONCE, NONCE.encode(), 1)) is None, "only its header is new"
