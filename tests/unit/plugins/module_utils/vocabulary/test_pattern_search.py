# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Searches of patterns in hostile texts end in time, whatever the pattern, and what was not searched is not known."""

from __future__ import annotations

import random
import re
import sys
import threading
import time

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary import pattern_search
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.pattern_cost import (
    search_steps,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.pattern_search import (
    LINE_LIMIT,
    NotSearchedError,
    SearchTime,
    find_line,
    searching,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.patterns import check_pattern
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as

# (pattern, line): each takes from seconds to years when Python searches for it.
SLOW = (
    (r"\s*#?\s*umask\s+0?27\s*$", " " * LINE_LIMIT),
    (r"\w+\s*\w+\s*=", "a" * LINE_LIMIT),
    (r".*ssh.*PermitRootLogin.*no", "ssh PermitRootLogin " * (LINE_LIMIT // 20)),
    (r"(a|aa){1,200}$", "a" * 200 + "b"),
    (r"(a{1,50}){1,50}$", "a" * 200 + "b"),
)
# Most seconds that a line which is searched in this process takes; measured at 0.03, and machines are slower.
LINE_SECONDS = 0.5


@pytest.mark.parametrize(("pattern", "line"), SLOW)
def test_a_slow_search_ends_in_time_and_its_result_is_not_known(pattern: str, line: str) -> None:
    check_pattern(pattern)
    own, begun = SearchTime(1.0), time.monotonic()
    with pytest.raises(NotSearchedError):
        own.find_line(pattern, "\n".join([line] * 60))
    assert time.monotonic() - begun < 30
    attack_ends_as("15-search", outcome="ends at its deadline, not known")


@pytest.mark.parametrize(("pattern", "_line"), SLOW)
def test_an_honest_line_is_searched_by_the_same_patterns(pattern: str, _line: str) -> None:
    honest = {
        SLOW[0][0]: "\tumask 027",
        SLOW[1][0]: "PATH =",
        SLOW[2][0]: "match ssh PermitRootLogin no",
        SLOW[3][0]: "aaa",
        SLOW[4][0]: "aaa",
    }
    with searching():
        assert find_line(pattern, f"nothing\n{'x' * 80}\n{honest[pattern]}") == 3
        assert find_line(pattern, "nothing, of course\n" * 1000) is None


def test_other_threads_go_on_while_a_text_is_searched() -> None:
    pauses: list[float] = []
    done = threading.Event()

    def tick() -> None:
        last = time.monotonic()
        while not done.is_set():
            time.sleep(0.01)
            now = time.monotonic()
            pauses.append(now - last)
            last = now

    ticking = threading.Thread(target=tick)
    ticking.start()
    for pattern, line in SLOW:
        own = SearchTime(0.5)
        with pytest.raises(NotSearchedError):
            own.find_line(pattern, line)
        own.close()
    done.set()
    ticking.join()
    print(f"the longest pause of another thread: {max(pauses):.3f} s")
    assert max(pauses) < 10  # a search in this process would take hours


def test_cancel_ends_a_search_at_once_and_nothing_of_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern_search, "_TEXT_SECONDS", 60.0)
    cancel = threading.Event()
    own = SearchTime(60.0, cancel)
    threading.Timer(0.3, cancel.set).start()
    begun = time.monotonic()
    with pytest.raises(ScanError, match="cancelled"):
        own.find_line(*SLOW[1])
    assert time.monotonic() - begun < 30
    assert own._process is None


def test_the_kernel_ends_the_other_process_though_nobody_waits_for_it() -> None:
    process = pattern_search.SearchProcess()
    inner = process._process
    with pytest.raises(ScanError, match="gone"):
        process.search(*_slow_request(), time.monotonic() + 1.0, _raise_gone)
    assert inner.wait(timeout=60) < 0


def _slow_request() -> tuple[str, list[str]]:
    return SLOW[1][0], [SLOW[1][1]]


def _raise_gone() -> None:
    raise ScanError("cancelled", "gone")


def test_one_text_that_takes_too_long_leaves_time_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern_search, "_TEXT_SECONDS", 0.5)
    with searching(60.0):
        for _time in range(2):  # the second time costs nothing
            with pytest.raises(NotSearchedError, match=r"within 0|within 1"):
                find_line(*SLOW[1])
        assert find_line(SLOW[1][0], "a" * 100 + " = 1") == 1


def test_the_time_of_one_target_is_bounded_over_all_its_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern_search, "_TEXT_SECONDS", 0.5)
    begun = time.monotonic()
    with searching(1.0):
        for number in range(60):
            with pytest.raises(NotSearchedError):
                find_line(SLOW[1][0], f"{number} {SLOW[1][1][:-4]}")
        with pytest.raises(NotSearchedError, match="used up"):
            find_line("a", "b")
    print(f"seconds for 60 hostile texts: {time.monotonic() - begun:.2f}")
    assert time.monotonic() - begun < 25


def test_without_a_python_program_the_slow_lines_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python3")
    with pytest.raises(NotSearchedError, match="cannot be started"):
        find_line(r"a*a*a*b", "a" * LINE_LIMIT)
    assert find_line(r"a*a*a*b", "ab") == 1


def test_odd_texts_reach_the_other_process_whole() -> None:
    line = "\ud800 \u2028 \x00 é " + "a" * 3000
    with searching():
        assert find_line(r"\ud800 \u2028 \x00 é a*a*a*$", "x\n" + line) == 2
        assert find_line(r"a*a*b", line + "b") == 1


CHARACTERS = ("a", "b", r"\s", r"\w", "[ab]", "[^a]", ".", r"\d", " ", "-", "(?i:a)", r"[\w.]", "é")
REPEATS = ("*", "+", "?", "{1,3}", "{2,9}", "{2}", "*?", "+?", "{0,40}")


def _random_pattern(chance: random.Random, depth: int = 0) -> str:
    parts = []
    for _number in range(chance.randrange(1, 5)):
        kind = chance.random()
        if kind < 0.25 and depth < 2:
            inner = _random_pattern(chance, depth + 1)
            if chance.random() < 0.4:
                inner += "|" + _random_pattern(chance, depth + 1)
            part = chance.choice(("(", "(?:", "(?=", "(?!")) + inner + ")"
        else:
            part = chance.choice(CHARACTERS)
        if chance.random() < 0.6 and not part.startswith(("(?=", "(?!")):
            part += chance.choice(REPEATS)
        parts.append(part)
    if depth == 0:
        return chance.choice(("", "", "^", r"\b")) + "".join(parts) + chance.choice(("", "$", "x", r"\s*$"))
    return "".join(parts)


def _hostile_lines(chance: random.Random, length: int) -> list[str]:
    pieces = ["a", "ab", " ", "a ", "1", "b", "aab-", "é", "a" * 7 + "b", " " * 5 + "a"]
    lines = [(piece * length)[: length - 1] + chance.choice("!x") for piece in pieces]
    lines.append("".join(chance.choice("ab 1-é") for _ in range(length)))
    return lines


def test_the_bound_of_a_pattern_is_never_too_low() -> None:
    """Random patterns and lines that suit them: what is searched in this process takes a moment only."""
    chance = random.Random(15)
    tried, here, slowest, steps_at = 0, 0, 0.0, ""
    until = time.process_time() + 4
    while time.process_time() < until:
        pattern = _random_pattern(chance)
        try:
            check_pattern(pattern)
        except ValueError:
            continue
        tried += 1
        length = pattern_search._length_searched_here(pattern)
        if length < 1:
            continue
        here += 1
        search = re.compile(pattern, re.MULTILINE).search
        for line in _hostile_lines(chance, length):
            begun = time.process_time()
            search(line)
            seconds = time.process_time() - begun
            if seconds > slowest:
                slowest, steps_at = seconds, f"{pattern!r} on {line[:20]!r}, {length} characters"
            assert seconds < LINE_SECONDS, f"{pattern!r} on {line[:40]!r}: {seconds:.2f} s"
    print(f"{tried} patterns, {here} searched here, the slowest line {slowest:.3f} s: {steps_at}")
    assert here > tried / 2 > 20


@pytest.mark.parametrize(
    ("pattern", "least"),
    [
        (r"^\s*PermitRootLogin\s+no\s*$", 4096),
        (r"PermitRootLogin\s+no", 1024),
        (r"^(?!(RuntimeDefault|Localhost)$)", 4096),
        (r"^(runtime/default$|localhost/)", 4096),
        (r"([0-9]{1,3}\.){3}[0-9]{1,3}", 2048),
        (r"(?i)pass(word|wd)?", 4096),
        (r"^[ \t]*(auth|account)[ \t]+(required|requisite)[ \t]+pam_\w+\.so", 4096),
    ],
)
def test_usual_patterns_are_searched_in_this_process(pattern: str, least: int) -> None:
    assert pattern_search._length_searched_here(pattern) >= least


def test_a_character_beyond_ascii_is_of_one_kind() -> None:
    """What the bound takes for granted: no character is both a word's and a space, in Python's own classes."""
    for code in range(128, sys.maxunicode + 1):
        character = chr(code)
        assert not (character.isalnum() and character.isspace())
    for text in ("é", "\u2028", "ß", "\u0661", "\u00a0", "€"):
        assert bool(re.match(r"\w", text)) is text.isalnum()
        assert bool(re.match(r"\s", text)) is text.isspace()


def test_parts_whose_work_is_not_known_are_never_searched_in_this_process() -> None:
    assert search_steps(r"(a)?(?(1)b|c)", 10) == float("inf")
    assert search_steps("a", 10) < 100
