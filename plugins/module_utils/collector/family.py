# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A family of facts: how the shell gathers one kind, and how its answer is read. One module per family holds both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, TypeVar

from .facts import OK, Fact, Query
from .frames import BadContentError, Frame, decode_text
from .request import encode_subject

IndexedQuery = tuple[int, Query]
Parsed = TypeVar("Parsed")

# What a kind of fact can be seen of: an image is enough, the container must run, or the shell must be in it.
IMAGE, RUNNING, WITHIN = range(3)

_MAX_CAUSE = 400


class NotOkError(Exception):
    """A frame that a fact needs is not ok; the fact takes the frame's status and cause."""

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame.name)
        self.frame = frame


@dataclass(frozen=True)
class Answer:
    """What the reply holds for one query: its own frame, its parts, and the frames that queries share.

    `parsed` is the same for all answers of a reply: what was made of shared frames, so that each is read only once.
    """

    index: int
    frames: Mapping[str, Frame]
    parsed: dict[str, Any] = field(default_factory=dict)

    def get_own(self) -> bytes:
        """The content of the query's own frame."""
        return self._get_frame(f"q{self.index}").decode()

    def get_part(self, part: str) -> bytes:
        """The content of a further frame of this query."""
        return self._get_frame(f"q{self.index}.{part}").decode()

    def get_part_frame(self, part: str) -> Frame:
        """A further frame of this query, as it was sent."""
        return self._get_frame(f"q{self.index}.{part}")

    def parse_shared(self, name: str, parse: Callable[[Frame], Parsed]) -> Parsed:
        """What `parse` makes of a frame that several queries share. A frame has only one way to be parsed."""
        frame = self._get_frame(name)
        if name not in self.parsed:
            try:
                self.parsed[name] = parse(frame)
            except BadContentError as error:
                self.parsed[name] = error
        found: Any = self.parsed[name]
        if isinstance(found, BadContentError):
            raise found
        return found  # type: ignore[no-any-return]

    def has_part(self, part: str) -> bool:
        return f"q{self.index}.{part}" in self.frames

    def _get_frame(self, name: str) -> Frame:
        """A frame by its name, which is ok. Raises NotOkError, or BadContentError where the script did not send it."""
        frame = self.frames.get(name)
        if frame is None:
            raise BadContentError(f"the reply has no frame {name}")
        if frame.status != OK:
            raise NotOkError(frame)
        return frame


@dataclass(frozen=True)
class Family:
    """One kind of fact.

    :param calls: the shell commands that answer all queries of this kind, which come with their indexes; "$@" is empty
        before them
    :param read: the fact from the answer, where the query's own frame is ok. May raise BadContentError and NotOkError
    :param shell: the shell functions of this kind
    :param uses: names of the shared shell functions that these need
    :param programs: programs that the functions look for; each is optional, the functions say what they do without
    :param parts: further frames that the functions may send for a query, as q<index>.<part>
    :param stat_paths: paths that one stat for all is to be asked about beforehand
    :param reach: IMAGE, RUNNING or WITHIN: from where it can be seen at all
    :param shared: a frame that the functions may send for all queries of this kind together
    """

    calls: Callable[[list[IndexedQuery]], list[bytes]]
    read: Callable[[Answer, Query], Fact]
    shell: str
    uses: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    stat_paths: Callable[[Query], tuple[str, ...]] = lambda query: ()
    shared: str = ""
    reach: int = IMAGE


def quote(text: str) -> bytes:
    """A string as one word of the shell, whatever is in it."""
    return b"'" + encode_subject(text).replace(b"'", b"'\\''") + b"'"


def call(function: str, *words: object) -> Callable[[list[IndexedQuery]], list[bytes]]:
    """The usual calls: one for each query, the function with the query's index and further words, the same for all."""
    rest = "".join(f" {word}" for word in words)
    return lambda queries: [(f"{function} {index}{rest}").encode() for index, _query in queries]


def read_frame(frame: Frame) -> Fact:
    """A frame that is not ok, as a fact without a value."""
    if frame.status == OK:
        raise ValueError(f"frame {frame.name} is ok and must be read by its family")
    return Fact(frame.status, cause=decode_text(frame.payload[:_MAX_CAUSE]))
