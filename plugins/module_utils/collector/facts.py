# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts: what the collector was asked for, and what it saw, each with its own error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

# The statuses a fact can have. Only OK carries a value that is judged. ABSENT is evidence too: the thing was
# looked for, could have been seen, and is not there. All others mean "not known", and never let a control
# pass. WITHHELD is for kept facts alone: the thing was seen, and what was seen was not kept.
OK = "ok"
ABSENT = "absent"
UNREADABLE = "unreadable"
UNSUPPORTED = "unsupported"
TOO_LARGE = "too_large"
TIMED_OUT = "timed_out"
UNREACHED = "unreached"
WITHHELD = "withheld"
STATUSES = (OK, ABSENT, UNREADABLE, UNSUPPORTED, TOO_LARGE, TIMED_OUT, UNREACHED, WITHHELD)


@dataclass(frozen=True)
class Query:
    """One wanted fact.

    :param kind: its name; families.py lists all kinds, and the family of each says what follows it and what
        comes back
    :param subject: of what (a path, a name); empty where there is only one
    :param options: names and values; only those that are not left to the kind's default
    """

    kind: str
    subject: str = ""
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def key(self) -> str:
        """kind, or kind:subject, with non-default options in brackets: unique within a request, stable over
        runs."""
        text = f"{self.kind}:{self.subject}" if self.subject else self.kind
        return text + (
            "[{}]".format(",".join("{}={}".format(*option) for option in self.options))
            if self.options
            else ""
        )


@dataclass(frozen=True)
class Fact:
    """What was seen: `value` where `status` is ok, else the `cause` in a few words.

    A fact that is not ok has no value. Those of a walk, a file and a database of accounts can have what was seen
    nevertheless (said with their shapes). That is enough to show that a rule is broken, and never that it holds.

    A kept fact can lack what is secret by its kind. `parts` are what was asked of that, by name: each is ok or absent.

    `answer_number`: facts of one number were read from the same answer, and are the same in all they say; 0 where that is not
    known. A fact that is made from another one has none.
    """

    status: str
    value: Any = None
    cause: str = ""
    parts: Mapping[str, Fact] = field(default_factory=dict)
    answer_number: int = field(default=0, init=False, compare=False, repr=False)

    @property
    def ok(self) -> bool:
        return self.status == OK

    def of_answer(self, number: int) -> Fact:
        """The same fact, as read from the answer of this number."""
        numbered = replace(self)
        # no argument of the class: dataclasses.replace would give it to facts that say something else
        object.__setattr__(numbered, "answer_number", number)
        return numbered


@dataclass(frozen=True)
class KeptAnswer:
    """What came of one expectation, which kept facts are no longer enough to judge.

    :param asked: the expectation in words, for people
    :param facts: the keys of the facts that it was judged by
    :param status: MET, BROKEN or UNKNOWN
    :param text: the message of one that is broken; the cause of one that is not known
    :param what: what is not known
    """

    asked: str
    facts: tuple[str, ...]
    status: str
    text: str = ""
    what: str = ""


MET, BROKEN, UNKNOWN = ANSWERS = ("met", "broken", "unknown")


@dataclass(frozen=True)
class Asked:
    """What was asked of the facts that are sensitive, and what came of it: all that is kept of them.

    :param parts: fact's key -> its parts by their names
    :param answers: by the expectation's id, where the parts are not enough to judge it again
    """

    parts: Mapping[str, Mapping[str, Fact]] = field(default_factory=dict)
    answers: Mapping[str, KeptAnswer] = field(default_factory=dict)

    def with_more(self, other: Asked) -> Asked:
        """What was asked by this and by the other."""
        keys = dict.fromkeys((*self.parts, *other.parts))
        parts = {key: {**self.parts.get(key, {}), **other.parts.get(key, {})} for key in keys}
        return Asked(parts, {**self.answers, **other.answers})


NOTHING_ASKED = Asked()


@dataclass
class Facts(Mapping[str, Fact]):
    """Facts by query key. `get_fact` answers a key that was never asked for with an error, not with absence.

    `answers`: of kept facts, what was answered before the facts were reduced, by the expectation's id.
    """

    by_key: dict[str, Fact] = field(default_factory=dict)
    collector: dict[str, Any] = field(default_factory=dict)
    answers: Mapping[str, KeptAnswer] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Fact:
        return self.by_key[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_key)

    def __len__(self) -> int:
        return len(self.by_key)

    def get_fact(self, query: Query) -> Fact:
        fact: Fact | None = self.by_key.get(query.key)
        return fact if fact is not None else Fact(UNREACHED, cause="this fact was not collected")

    def unread(self) -> Iterator[tuple[str, Fact]]:
        """The facts that could not be seen, as (key, fact)."""
        return ((key, fact) for key, fact in self.by_key.items() if fact.status not in (OK, ABSENT, WITHHELD))

    def overlaid(self, others: Mapping[str, Fact]) -> Facts:
        """These facts with others in their place; what was answered by a fact that is replaced goes with it."""
        answers = {
            asked: answer for asked, answer in self.answers.items() if not others.keys() & set(answer.facts)
        }
        return Facts({**self.by_key, **others}, self.collector, answers)
