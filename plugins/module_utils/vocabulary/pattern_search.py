# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Searches texts of containers for patterns of profiles, within a budget of time.

Python's `re` holds the interpreter while it searches: no other target goes on, and no signal is handled. So a
line is searched in this process only where the pattern's bound (pattern_cost.py) says that this takes
milliseconds. Any other line is searched in a process of its own, which is ended at its deadline and when the
scan is cancelled. A text that could not be searched is not known, so that nothing passes by it.
"""

from __future__ import annotations

import contextlib
import functools
import json
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import IO, Callable, cast

from ..errors import ScanError
from .pattern_cost import search_steps
from .patterns import compile_pattern

# No honest configuration file has longer lines, and the time of most patterns grows with a power of it.
LINE_LIMIT = 4096
# Steps of one line in this process: about 30 milliseconds at worst, in which nothing else is done.
_STEPS = 20_000_000.0
# Seconds for the searches of one target, and for one text in the other process: one pattern and one text must
# not keep all others of the target from being searched. An honest text takes milliseconds.
TARGET_SECONDS = 10.0
_TEXT_SECONDS = 5.0
_LOOK_SECONDS = 0.1
# The other process. It gets one line of JSON for each text, and writes the place of the first line with a match,
# or -1. The kernel ends it at the deadline, also when nobody is there any more to do so: a handler in Python
# would wait for the search.
_PROGRAM = """
import json, re, signal, sys
signal.signal(signal.SIGALRM, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
for request in sys.stdin.buffer:
    seconds, pattern, lines = json.loads(request)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    search = re.compile(pattern, re.MULTILINE).search
    place = next((number for number, line in enumerate(lines) if search(line)), -1)
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(place, flush=True)
"""


# The lengths for which the bound of a pattern is worked out.
_LENGTHS = tuple(LINE_LIMIT >> number for number in range(9))


class NotSearchedError(Exception):
    """A text could not be searched, so it is not known whether the pattern matches."""


class SearchTime:
    """The time for the searches of one target. Not for several threads.

    :param seconds: for all searches together
    :param cancel: ends every search
    """

    def __init__(self, seconds: float = TARGET_SECONDS, cancel: threading.Event | None = None) -> None:
        self._left = seconds
        self._cancel = cancel
        self._process: SearchProcess | None = None
        # What the other process has answered: a test can ask for the same text twice, for its message.
        self._answers: dict[tuple[str, str], int | NotSearchedError | None] = {}

    def find_line(self, pattern: str, text: str) -> int | None:
        """See `find_line` below."""
        begun = time.monotonic()
        try:
            return self._find_line(pattern, text, begun + self._left)
        finally:
            self._left -= time.monotonic() - begun

    def close(self) -> None:
        """End the other process, if there is one."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def _find_line(self, pattern: str, text: str, deadline: float) -> int | None:
        search, limit = compile_pattern(pattern).search, _length_searched_here(pattern)
        slow: list[tuple[int, str]] = []
        too_long = 0
        for number, line in enumerate(text.split("\n"), 1):
            if len(line) <= limit:
                self._check(deadline)
                if search(line):
                    return number
            elif len(line) > LINE_LIMIT:
                too_long = too_long or number
            else:
                slow.append((number, line))
        found = self._find_slow(pattern, text, slow, deadline) if slow else None
        if found is None and too_long:
            raise NotSearchedError(
                f"line {too_long} is longer than the {LINE_LIMIT} characters that are searched"
            )
        return found

    def _check_cancel(self) -> None:
        if self._cancel is not None and self._cancel.is_set():
            raise ScanError("cancelled", "cancelled while a text was searched", tried="judging a target")

    def _check(self, deadline: float) -> None:
        self._check_cancel()
        if time.monotonic() >= deadline:
            raise NotSearchedError("the time for the searches of one target is used up")

    def _find_slow(
        self, pattern: str, text: str, lines: list[tuple[int, str]], deadline: float
    ) -> int | None:
        if (pattern, text) not in self._answers:
            try:
                self._answers[pattern, text] = self._ask(pattern, lines, deadline)
            except NotSearchedError as error:
                self._answers[pattern, text] = error
        answer = self._answers[pattern, text]
        if isinstance(answer, NotSearchedError):
            raise answer
        return answer

    def _ask(self, pattern: str, lines: list[tuple[int, str]], deadline: float) -> int | None:
        self._check(deadline)
        if self._process is None:
            self._process = SearchProcess()
        deadline = min(deadline, time.monotonic() + _TEXT_SECONDS)
        try:
            place = self._process.search(
                pattern, [line for _number, line in lines], deadline, self._check_cancel
            )
        except BaseException:
            self.close()
            raise
        return None if place < 0 else lines[place][0]


class SearchProcess:
    """A process that searches, one text after another."""

    def __init__(self) -> None:
        """:raises NotSearchedError: it cannot be started"""
        try:
            # pylint: disable-next=ansible-bad-function
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-I", "-S", "-c", _PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # the terminal's Ctrl-C is for us
            )
        except (OSError, ValueError) as error:
            raise NotSearchedError(f"the process that searches cannot be started ({error})") from None

    def search(self, pattern: str, lines: list[str], deadline: float, check: Callable[[], None]) -> int:
        """The place of the first line with a match, from 0; -1 for none.

        :param check: called every tenth of a second; what it raises is raised
        :raises NotSearchedError: not in time
        """
        seconds = max(0.01, deadline - time.monotonic())
        late = NotSearchedError(f"the pattern could not be searched for within {seconds:.0f} s")
        request = json.dumps([seconds, pattern, lines]).encode("ascii") + b"\n"
        stdin, stdout = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)
        try:
            stdin.write(request)
            stdin.flush()
        except OSError:
            raise late from None
        poll = select.poll()
        poll.register(stdout, select.POLLIN)
        while not poll.poll(_LOOK_SECONDS * 1000):
            check()
            if time.monotonic() >= deadline:
                raise late
        answer = stdout.readline()
        if not answer:
            raise late
        return int(answer)

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


_current: ContextVar[SearchTime | None] = ContextVar("search_time", default=None)


@contextlib.contextmanager
def searching(seconds: float = TARGET_SECONDS, cancel: threading.Event | None = None) -> Iterator[None]:
    """The time for all searches that are made within it, in the same thread. Within another one, that one's
    counts."""
    if _current.get() is not None:
        yield
        return
    own = SearchTime(seconds, cancel)
    token = _current.set(own)
    try:
        yield
    finally:
        _current.reset(token)
        own.close()


def find_line(pattern: str, text: str) -> int | None:
    """The number of a line of `text` in which `pattern` is found, from 1; None if there is none. It is the first
    such line, but for lines that are slow to search, which are searched last.

    :raises NotSearchedError: no match was found, and not all of the text could be searched
    :raises ScanError: cancelled
    """
    current = _current.get()
    if current is not None:
        return current.find_line(pattern, text)
    own = SearchTime()
    try:
        return own.find_line(pattern, text)
    finally:
        own.close()


@functools.lru_cache(maxsize=1024)
def _length_searched_here(pattern: str) -> int:
    """The longest line that is searched in this process; -1 for none."""
    return next((length for length in _LENGTHS if search_steps(pattern, length) <= _STEPS), -1)
