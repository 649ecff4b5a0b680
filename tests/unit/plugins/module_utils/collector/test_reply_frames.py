# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reply's format: strict to the byte, and never more than an error on arbitrary bytes."""

from __future__ import annotations

import base64
import random
import time

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector import collect, frames, request
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    ABSENT,
    OK,
    STATUSES,
    UNREACHED,
    UNSUPPORTED,
    Query,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as

NONCE = "0123456789abcdef"
HEADER = b"securescan-facts 1 0123456789abcdef\n"
QUERIES = (
    Query("file", "/etc/passwd"),
    Query("content", "/etc/motd"),
    Query("passwd"),
    Query("packages"),
    Query("processes"),
    Query("sockets"),
    Query("mounts"),
    Query("sysctl", "kernel.pid_max"),
    Query("environment"),
    Query("os"),
    Query("process_status"),
    Query("walk", "/", (("match", "setuid"),)),
    Query("sha256", "/bin/sh"),
    Query("file", "/none"),
)
TCP = b" 00000000:00000000 00:00000000 00000000   101        0 1 1 0 100 0 0 10 0"


def _frame(name: str, payload: bytes = b"", status: str = OK, encoding: str = "text") -> bytes:
    return b"frame %s %s %s %d\n%s\n" % (
        name.encode(),
        status.encode(),
        encoding.encode(),
        len(payload),
        payload,
    )


def _reply(*parts: bytes) -> bytes:
    return HEADER + b"".join(parts) + b"end %d 0123456789abcdef\n" % len(parts)


def _full_reply() -> bytes:
    return _reply(
        _frame("stat", b"/etc/passwd\n81a4 0 0 1221 1779294449"),
        _frame("q0", b"file\n/etc/passwd"),
        _frame("content", b"aGVsbG8gd29ybGQ=", encoding="base64"),
        _frame("q1.at", b"6 5"),
        _frame("q1"),
        _frame("q2", b"root:shadow:0:0:root:/root:/bin/sh\n"),
        _frame("q3", b"dpkg\nPackage: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1"),
        _frame("q4", b"7\n 1 7\n 1\nLinux version"),
        _frame(
            "q4.status",
            b"Name:\tinit\nState:\tS (sleeping)\nPid:\t1\nPPid:\t0\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0",
        ),
        _frame("q4.cmdline", b"/init\x1e-x\x1eLinux version\nsh\x1eLinux version"),
        _frame("q5", b"little\n/proc/net/tcp:   0: 0100007F:1F90 00000000:0000 0A" + TCP),
        _frame("q6", b"25 1 0:5 / / rw,noatime - overlay overlay rw,lowerdir=/a"),
        _frame("q7"),
        _frame("sysctl", b"/proc/sys/kernel/pid_max:32768"),
        _frame("q8", b"HOME\nPATH"),
        _frame("q9", b"x86_64"),
        _frame("q9.os-release", b"ID=debian\nVERSION_ID=12\n"),
        _frame("q9.redhat-release", b"", ABSENT),
        _frame("q9.alpine-release", b"", ABSENT),
        _frame("q9.debian_version", b"12.11\n"),
        _frame(
            "q10",
            b"Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t\nCapPrm:\t00\nCapEff:\t00\nCapBnd:\t00\nNoNewPrivs:\t1\nSeccomp:\t2\n",
        ),
        _frame("q11.names", b"L2EAPTAK\n!0 0 0 0!", encoding="base64"),
        _frame("q11", b"11 1 /"),
        _frame("q12", b"0" * 64),
        _frame("q13", b"", ABSENT),
        _frame("collector", b"shell=\nprograms= stat "),
    )


def _read(data: bytes) -> collect.Facts:
    return collect.read_facts(request.make_request(QUERIES), data, NONCE)


def test_a_whole_reply_becomes_facts() -> None:
    facts = _read(_full_reply())
    assert [fact.status for fact in facts.values()] == [OK] * 13 + [ABSENT]
    assert facts["content:/etc/motd"].value == b"world"
    assert facts["processes"].value[0]["cmdline"] == ["/init", "-x"]
    assert facts.collector == {
        "version": "1",
        "shell": "sh",
        "programs": ["stat"],
        "shell_protected": "unknown",
        "unexplained_mounts": [],
    }


def test_a_reply_that_was_cut_off_anywhere_is_an_error() -> None:
    data = _full_reply()
    for length in range(len(data)):
        with pytest.raises(ScanError) as caught:
            _read(data[:length])
        assert caught.value.reason == "incomplete_reply", length
    attack_ends_as("H-17-cut-replies", outcome="incomplete_reply")


@pytest.mark.parametrize(
    "data",
    [
        b"sh: syntax error\n",
        _full_reply() + b"\n",
        b"\n" + _full_reply(),
        _full_reply().replace(b"\n", b"\r\n"),
        _full_reply().replace(b"facts 1 ", b"facts 2 "),
        _full_reply().replace(b"0123456789abcdef", b"fedcba9876543210"),
        _full_reply()[:-17] + b"fedcba9876543210\n",
        _reply(_frame("q0")) + _reply(),
        _reply(_frame("q0"), _frame("q0")),
        _reply(_frame("Q0")),
        _reply(_frame("q0", status="good")),
        _reply(_frame("q0", status=UNREACHED)),
        _reply(_frame("q0", encoding="zip")),
        _reply(b"frame q0 ok text 5\nabc\n"),
        _reply(b"frame q0 ok text 1\nabc\n"),
        _reply(b"frame q0 ok text -1\n\n"),
        _reply(b"frame q0 ok text 01\na\n"),
        _reply(b"frame q0 ok text 9999999999999\na\n"),
        _reply(b"frame q0 ok text 1 \na\n"),
        HEADER + _frame("q0") + b"end 2 0123456789abcdef\n",
        HEADER + b"x" * 500,
        HEADER + b"frame" + b"q" * 300 + b" ok text 0\n\n",
        HEADER + b"end 0 0123456789abcdef 1\n",
        _full_reply().replace(b"frame q2 ", b"frame q99 ", 1),
        _full_reply().replace(b"frame q9.os-release", b"frame q9.os_rel_ease", 1),
    ],
)
def test_any_other_deviation_is_an_error(data: bytes) -> None:
    with pytest.raises(ScanError) as caught:
        _read(data)
    assert caught.value.reason in ("invalid_reply", "incomplete_reply")


def test_a_query_without_an_answer_is_an_error() -> None:
    with pytest.raises(ScanError, match="no answer for file:/etc/passwd") as caught:
        _read(_reply(_frame("collector")))
    assert caught.value.reason == "incomplete_reply"
    with pytest.raises(ScanError, match="how it was made"):
        collect.read_facts(request.make_request([]), _reply(), NONCE)


def test_content_cannot_forge_frames() -> None:
    forged = _frame("q1", b"forged") + b"end 1 0123456789abcdef\n"
    facts = collect.read_facts(
        request.make_request([Query("content", "/a"), Query("content", "/b")]),
        _reply(_frame("q0", forged), _frame("q1", b"true"), _frame("collector")),
        NONCE,
    )
    assert [fact.value for fact in facts.values()] == [forged, b"true"]


@pytest.mark.parametrize(
    "name",
    ["q0", "q1", "q2", "q3", "q4", "q4.status", "q4.cmdline", "q5", "q6", "q8", "q10", "q11.names", "q12"],
)
@pytest.mark.parametrize("payload", [b"\0", b"???", b":::::::\n", b"\xff" * 50, b"9" * 5000, b"Pid:\t1\n"])
def test_content_that_is_not_understood_costs_only_its_fact(name: str, payload: bytes) -> None:
    parsed = dict(frames.parse_frames(_full_reply(), NONCE).frames)
    parsed[name] = frames.Frame(name, OK, "text", payload)
    data = _reply(
        *(_frame(frame.name, frame.payload, frame.status, frame.encoding) for frame in parsed.values())
    )
    facts = list(_read(data).values())
    hit = int(name[1:].split(".", maxsplit=1)[0])
    assert all(fact.status in (OK, ABSENT) for index, fact in enumerate(facts) if index != hit)
    # names of variables and bytes of files may be anything; all else must say what is wrong
    if name not in ("q1", "q8"):
        assert (
            facts[hit].status not in (OK, ABSENT)
            and facts[hit].cause
            and facts[hit].cause.isprintable() is not None
        )


@pytest.mark.parametrize(
    "payload", [b"a", b"ab", b"a===", b"====", b"YQ==YQ==", b"Y!Q=", b"\xff\xff\xff\xff", b"YQ=\0"]
)
def test_broken_base64_costs_its_fact(payload: bytes) -> None:
    facts = collect.read_facts(
        request.make_request([Query("content", "/a")]),
        _reply(_frame("q0", payload, encoding="base64"), _frame("collector")),
        NONCE,
    )
    assert facts["content:/a"].status == UNSUPPORTED


def test_a_huge_hostile_reply_takes_no_more_time_than_its_size() -> None:
    """Many queries over shared frames, and processes that are each the child of the one before."""
    queries = [Query("file", f"/f{number}") for number in range(1000)]
    queries += [Query("content", f"/c{number}") for number in range(500)]
    queries += [Query("sysctl", f"kernel.p{number}") for number in range(300)]
    queries += [Query("walk", "/", (("match", "setuid"), ("seconds", number + 1))) for number in range(100)]
    process = "Name:\tsh\nState:\tS\nPid:\t%d\nPPid:\t%d\nUid:\t0\t0\nGid:\t0\t0"
    pids = range(2, 20000)
    names = base64.b64encode(b"".join(b"/x%d\0" % number for number in range(30000)) + b"=0\n") + b"!0 0 0 0!"
    frames_of_all = [
        _frame("stat", b"\n".join(b"/f%d\n81a4 0 0 1 1" % number for number in range(100_000))),
        *(_frame(f"q{number}", b"file\n/f%d" % number) for number in range(1000)),
        _frame("content", b"!" + b"A" * 2_000_000, encoding="base64"),
        *(_frame(f"q{number}") + _frame(f"q{number}.at", b"0 1") for number in range(1000, 1500)),
        _frame("sysctl", b"\n".join(b"/proc/sys/kernel/p%d:1" % number for number in range(50_000))),
        *(_frame(f"q{number}") for number in range(1500, 1800)),
        *(_frame(f"q{number}", b"1800 1 /") for number in range(1800, 1900)),
        _frame("q1800.names", names, encoding="base64"),
        _frame("q1900", b"2\n%s\n\nL" % b" ".join(b"%d" % pid for pid in pids)),
        _frame("q1900.status", "\n".join(process % (pid, pid - 1) for pid in pids).encode()),
        _frame("q1900.cmdline", b"L\n" * len(pids)),
        _frame("collector"),
    ]
    data = HEADER + b"".join(frames_of_all)
    data += b"end %d 0123456789abcdef\n" % data.count(b"\nframe ", len(HEADER) - 1)
    wanted = request.make_request([*queries, Query("processes")])
    began = time.process_time()
    facts = collect.read_facts(wanted, data, NONCE)
    assert time.process_time() - began < 5
    assert (
        facts["processes"].value == [] and facts["file:/f7"].ok and facts["content:/c1"].status == UNSUPPORTED
    )


def test_mutated_replies_never_crash_and_never_shrink() -> None:
    data, random_numbers = _full_reply(), random.Random(20261123)
    began, outcomes = time.process_time(), {"facts": 0, "error": 0}
    for _round in range(2000):
        try:
            facts = _read(_mutate(data, random_numbers))
        except ScanError as error:
            assert error.reason in ("incomplete_reply", "invalid_reply")
            outcomes["error"] += 1
        else:
            assert list(facts) == [query.key for query in QUERIES]
            assert all(
                fact.status in STATUSES and (fact.ok or fact.status == ABSENT or fact.cause)
                for fact in facts.values()
            )
            outcomes["facts"] += 1
    assert min(outcomes.values()) > 100
    assert time.process_time() - began < 20


def _mutate(data: bytes, numbers: random.Random) -> bytes:
    mutated = bytearray(data)
    for _change in range(numbers.choice((1, 1, 1, 2, 5))):
        at = numbers.randrange(len(mutated) or 1)
        kind = numbers.randrange(6)
        if kind == 0:
            mutated[at : at + 1] = bytes([numbers.randrange(256)])
        elif kind == 1:
            del mutated[at : at + numbers.choice((1, 2, 10, 100))]
        elif kind == 2:
            mutated[at:at] = bytes(numbers.randrange(256) for _number in range(numbers.choice((1, 3, 30))))
        elif kind == 3:
            mutated[at : at + 1] = bytes(
                [mutated[at] ^ (1 << numbers.randrange(8))] if at < len(mutated) else b""
            )
        elif kind == 4:
            lines: list[bytes] = bytes(mutated).split(b"\n")
            other = numbers.randrange(len(lines))
            lines.insert(numbers.randrange(len(lines)), lines[other])
            mutated = bytearray(b"\n".join(lines))
        else:
            digits = [place for place, byte in enumerate(mutated) if 48 <= byte <= 57]
            if digits:
                mutated[numbers.choice(digits)] = 48 + numbers.randrange(10)
    return bytes(mutated)
