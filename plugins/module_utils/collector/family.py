# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A family of facts: all that is known of one kind. One file per kind holds its family.

The family says what a query of its kind is allowed to hold, how the shell gathers the fact, how the answer is
read, what its value looks like, and which part of it is sensitive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, TypeVar

from .facts import OK, Fact, Query
from .frames import BadContentError, Frame, decode_text
from .query_rules import Number, Option, Subject

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

    `parsed` is the same for all answers of a reply: what was made of shared frames, so that each is read only
    once. `used`: the frames that were looked for, None for those that are not there.
    """

    index: int
    frames: Mapping[str, Frame]
    parsed: dict[str, Any] = field(default_factory=dict)
    used: dict[str, Frame | None] = field(default_factory=dict)

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
        return self._find_frame(f"q{self.index}.{part}") is not None

    def _get_frame(self, name: str) -> Frame:
        """A frame by its name, which is ok.

        :raises NotOkError: where it has another status
        :raises BadContentError: where the script did not send it
        """
        frame = self._find_frame(name)
        if frame is None:
            raise BadContentError(f"the reply has no frame {name}")
        if frame.status != OK:
            raise NotOkError(frame)
        return frame

    def _find_frame(self, name: str) -> Frame | None:
        frame = self.used[name] = self.frames.get(name)
        return frame


@dataclass(frozen=True)
class Sensitive:
    """What of a kind of fact may hold secrets, whatever it looks like. It is kept only as far as profiles ask for it.

    :param what: its name, as a plural ("command lines")
    :param without: a fact's value -> the value without it; None where nothing else is left
    """

    what: str
    without: Callable[[Any], Any] = lambda value: None

    @property
    def cause(self) -> str:
        """Why it is not known of a kept fact."""
        return f"it was not kept: of {self.what}, only the answers to the controls of the scan are kept"


@dataclass(frozen=True)
class Family:
    """One kind of fact.

    :param subject: the rule for the subject of its queries
    :param value: the shape of a fact's value, in a few words for people who read or write facts
    :param calls: the shell commands that answer all queries of this kind, which come with their indexes; "$@"
        is empty before them
    :param read: the fact from the answer, where the query's own frame is ok. It can raise BadContentError and
        NotOkError
    :param shell: the shell functions of this kind
    :param options: the options of its queries
    :param sensitive: what of a fact is not kept as it is, by its kind
    :param named: from a fact's subject and value, the text in which secrets are looked for before the rest of
        the fact is kept; where the subject is a name, it tells that the value is a secret
    :param uses: names of the shared shell functions that these need
    :param programs: programs that the functions look for; each is optional, the functions say what they do
        without
    :param parts: further frames that the functions may send for a query, as q<index>.<part>
    :param stat_paths: paths that one stat for all is to be asked about beforehand
    :param reach: IMAGE, RUNNING or WITHIN: from where it can be seen at all
    :param shared: a frame that the functions may send for all queries of this kind together
    :param image_kind: the kind by which a request asks the target's image for the same fact, where there is
        one
    """

    subject: Subject
    value: str
    calls: Callable[[list[IndexedQuery]], list[bytes]]
    read: Callable[[Answer, Query], Fact]
    shell: str
    options: tuple[Option, ...] = ()
    sensitive: Sensitive | None = None
    named: Callable[[str, Any], Any] = lambda subject, value: value
    uses: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    stat_paths: Callable[[Query], tuple[str, ...]] = lambda query: ()
    shared: str = ""
    reach: int = IMAGE
    image_kind: str = ""


def call(function: str, *words: object) -> Callable[[list[IndexedQuery]], list[bytes]]:
    """The usual calls of a kind without subject: the function, the query's index, and words that are always
    the same."""
    rest = "".join(f" {word}" for word in words)
    return lambda queries: [(f"{function} {index}{rest}").encode() for index, _query in queries]


def call_with(
    function: str, subject: Subject, *options: Number
) -> Callable[[list[IndexedQuery]], list[bytes]]:
    """The usual calls of a kind with a subject: the function, the query's index, its subject, and these
    options."""

    def calls(queries: list[IndexedQuery]) -> list[bytes]:
        return [
            b" ".join(
                [
                    b"%s %d %s" % (function.encode(), index, subject.encode(query.subject)),
                    *(b"%d" % option.of(query) for option in options),
                ]
            )
            for index, query in queries
        ]

    return calls


def read_frame(frame: Frame) -> Fact:
    """A frame that is not ok, as a fact without a value."""
    if frame.status == OK:
        raise ValueError(f"frame {frame.name} is ok and must be read by its family")
    return Fact(frame.status, cause=decode_text(frame.payload[:_MAX_CAUSE]))
