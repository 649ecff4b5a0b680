# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a query of one kind is allowed to hold: its subject and its options.

A query that breaks a rule is refused before any container is touched, because its subject becomes part of a
shell script. Each family declares its own rules; here are the rules that several families share.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Callable, Union

from ..errors import ScanError
from .facts import Query

_MAX_PATH_BYTES, _MAX_PART_BYTES = 4095, 255


def refuse(query: Query, why: str) -> ScanError:
    """The error that refuses a query: it names the query, and then says why."""
    subject = query.subject.encode("utf-8", "backslashreplace").decode("utf-8")
    return ScanError("bad_option", f"the fact {query.kind} {subject[:200]!r} {why}")


def encode_subject(subject: str) -> bytes:
    """A subject as the container knows it. Bytes that are not UTF-8 are Python's surrogate escapes in the
    subject.

    :raises UnicodeEncodeError: where the text holds other surrogates
    """
    return subject.encode("utf-8", "surrogateescape")


def can_be_encoded(text: str) -> bool:
    """Whether `encode_subject` can encode the text."""
    try:
        encode_subject(text)
    except UnicodeEncodeError:
        return False
    return True


def quote(text: str) -> bytes:
    """A string as one word of the shell, whatever is in it."""
    return b"'" + encode_subject(text).replace(b"'", b"'\\''") + b"'"


@dataclass(frozen=True)
class Subject:
    """The rule for the subjects of one kind.

    :param what: what the subject is, for the documentation; empty where the kind has none
    :param check: raises ScanError `bad_option` (`refuse` makes it) where a query's subject breaks the rule
    :param encode: a checked subject as words of the shell
    """

    what: str
    check: Callable[[Query], None]
    encode: Callable[[str], bytes] = quote


def _check_none(query: Query) -> None:
    if query.subject:
        raise refuse(query, "takes no subject")


def check_path(query: Query) -> None:
    """Check that the subject is an absolute path in its shortest form.

    :raises ScanError: `bad_option` where it is not
    """
    _split_path(query)


def _check_path_on_disk(query: Query) -> None:
    if _split_path(query)[:1] in ([b"proc"], [b"sys"], [b"dev"]):
        raise refuse(query, "is not on a disk; /proc, /sys and /dev are never walked, nor listed")


def _split_path(query: Query) -> list[bytes]:
    if not can_be_encoded(query.subject):
        raise refuse(query, "has characters that cannot be encoded")
    path = encode_subject(query.subject)
    if not path.startswith(b"/") or b"\0" in path or b"\n" in path:
        raise refuse(query, "must be an absolute path without NUL and newline")
    parts = path.split(b"/")[1:] if path != b"/" else []
    if len(path) > _MAX_PATH_BYTES or any(
        part in (b"", b".", b"..") or len(part) > _MAX_PART_BYTES for part in parts
    ):
        raise refuse(query, "must be a path without empty, . and .. parts, within the system's lengths")
    return parts


NO_SUBJECT = Subject("", _check_none)
PATH = Subject("absolute path", check_path)
PATH_ON_DISK = Subject("absolute path, not below /proc, /sys or /dev", _check_path_on_disk)


@dataclass(frozen=True)
class Number:
    """An option that is a whole number from `low` to `high`; where it is left out, it is `default`.

    Shells count in 32 bits, so `high` stays below a thousand million.
    """

    name: str
    default: int
    low: int
    high: int

    def of(self, query: Query) -> int:
        """The option's value in a checked query."""
        value: int = dict(query.options).get(self.name, self.default)
        return value

    def fault(self, value: Any) -> str:
        """Why the option cannot have this value; empty where it can."""
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            return f"must have a {self.name} from {self.low} to {self.high}"
        return ""


@dataclass(frozen=True)
class Word:
    """An option that is one of a set of words; it has no default, so each query must give it."""

    name: str
    words: tuple[str, ...]

    def of(self, query: Query) -> str:
        """The option's value in a checked query."""
        value: str = dict(query.options)[self.name]
        return value

    def fault(self, value: Any) -> str:
        """Why the option cannot have this value; empty where it can."""
        return "" if value in self.words else f"must have a {self.name} of {', '.join(self.words)}"


@dataclass(frozen=True)
class NamePattern:
    """An option that is a file's name, in which * and ? stand for other characters; empty where it is left out."""

    name: str

    def of(self, query: Query) -> str:
        """The option's value in a checked query."""
        value: str = dict(query.options).get(self.name, "")
        return value

    def fault(self, value: Any) -> str:
        """Why the option cannot have this value; empty where it can."""
        return "" if is_name_pattern(value) else f"must have a {self.name} of letters, digits, . _ - * and ?"


def is_name_pattern(value: Any) -> bool:
    """Whether it is a name as `NamePattern` takes it."""
    return (
        isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9._*?][A-Za-z0-9._*?-]{0,199}", value) is not None
    )


Option = Union[Number, Word, NamePattern]


def check_options(query: Query, options: Sequence[Option]) -> None:
    """Check that the query's options are among these, and within their bounds.

    :raises ScanError: `bad_option` where they are not
    """
    rules = {option.name: option for option in options}
    given = [name for name, _value in query.options]
    for name, value in query.options:
        fault = rules[name].fault(value) if name in rules else f"has no option {name!r}"
        if fault:
            raise refuse(query, fault)
    missing = [option.name for option in options if isinstance(option, Word) and option.name not in given]
    if missing or len(set(given)) != len(given):
        raise refuse(query, f"lacks the option {missing[0]}" if missing else "gives an option twice")
