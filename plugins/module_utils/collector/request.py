# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a collection is asked for: the wanted facts, checked, and the bounds of the whole.

Each kind of fact has one row here: what its subject is, and which options it takes within which bounds. A query that
breaks a rule is refused before any container is touched, because its subject becomes part of a shell script.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ScanError
from .facts import IMAGE_LISTING, Query

DEFAULT_TIME_LIMIT = 30.0
DEFAULT_OUTPUT_LIMIT = 4 * 1024 * 1024
MAX_QUERIES = 2000
# The paths become arguments of one program, and Linux bounds the arguments of one program.
MAX_SUBJECT_BYTES = 512 * 1024

# The text of these would carry password hashes out of the container. The collector also refuses other names of them.
HASH_FILES = (
    "/etc/passwd",
    "/etc/passwd-",
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/group",
    "/etc/group-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/security/opasswd",
)

# What is read from here is taken away from the system's log.
_CONSUMED = "/proc/kmsg"


@dataclass(frozen=True)
class _Number:
    """A whole number from `low` to `high`; 32-bit shells count in it, so `high` stays below a thousand million."""

    default: int
    low: int
    high: int


@dataclass(frozen=True)
class _Word:
    """One of a set of words; there is no default, so it must be given."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class _Kind:
    subject: str
    options: Mapping[str, _Number | _Word]


_KINDS: dict[str, _Kind] = {
    "file": _Kind("path", {}),
    "content": _Kind("path", {"limit": _Number(256 * 1024, 1, 4 * 1024 * 1024)}),
    "sha256": _Kind("path", {"limit": _Number(64 * 1024 * 1024, 1, 900_000_000)}),
    "walk": _Kind(
        "path",
        {
            "match": _Word(("setuid", "setgid", "world_writable", "unowned")),
            "limit": _Number(1000, 1, 10_000),
            "seconds": _Number(10, 1, 600),
        },
    ),
    "sysctl": _Kind("sysctl", {}),
    "python_packages": _Kind("path", {}),
    "environment_value": _Kind("variable", {}),
    "command": _Kind(
        "command", {"seconds": _Number(10, 1, 300), "limit": _Number(64 * 1024, 1, 1024 * 1024)}
    ),
}
# The image's side is asked of the image alone, by the same rules.
_KINDS["listing"] = _KINDS[IMAGE_LISTING] = _Kind(
    "path", {"limit": _Number(50_000, 1, 200_000), "seconds": _Number(20, 1, 600)}
)
_KINDS.update(
    {
        kind: _Kind("", {})
        for kind in (
            "passwd",
            "shadow",
            "group",
            "packages",
            "processes",
            "sockets",
            "mounts",
            "environment",
            "os",
            "process_status",
        )
    }
)

_VARIABLE = re.compile(r"[^=\0\n]{1,255}")
_MAX_ARGUMENTS = 100
_MAX_COMMAND_BYTES = 8 * 1024
_SYSCTL = re.compile(r"[A-Za-z0-9_@:-]+([./][A-Za-z0-9_@:-]+)+")


@dataclass(frozen=True)
class CollectionRequest:
    """The wanted facts, each once, in order. Made by make_request.

    :param queries: checked queries
    :param time_limit: seconds after which the collector begins nothing more; the exec client has the hard deadline
    :param output_limit: bytes of content that the collector sends at most; facts beyond it are too_large
    """

    queries: tuple[Query, ...]
    time_limit: float = DEFAULT_TIME_LIMIT
    output_limit: int = DEFAULT_OUTPUT_LIMIT


def make_request(
    queries: Iterable[Query],
    *,
    time_limit: float = DEFAULT_TIME_LIMIT,
    output_limit: int = DEFAULT_OUTPUT_LIMIT,
) -> CollectionRequest:
    """Check the queries, drop repeated ones and keep their order. Raises ScanError bad_option, naming the query."""
    if not 1 <= time_limit <= 3600:
        raise ScanError(
            "bad_option", f"the collector's time limit must be 1 to 3600 seconds, not {time_limit!r}"
        )
    if not 1024 <= output_limit <= 64 * 1024 * 1024:
        raise ScanError(
            "bad_option", f"the collector's output limit must be 1 KiB to 64 MiB, not {output_limit!r}"
        )
    wanted: dict[str, Query] = {}
    for query in queries:
        _check_query(query)
        wanted.setdefault(query.key, query)
    if len(wanted) > MAX_QUERIES:
        raise ScanError(
            "bad_option", f"{len(wanted)} facts are asked for, at most {MAX_QUERIES} are possible"
        )
    if sum(len(encode_subject(query.subject)) for query in wanted.values()) > MAX_SUBJECT_BYTES:
        raise ScanError(
            "bad_option", f"the names of the wanted facts have more than {MAX_SUBJECT_BYTES} bytes"
        )
    return CollectionRequest(tuple(wanted.values()), time_limit, output_limit)


def get_option(query: Query, name: str) -> Any:
    """The value of one option of a checked query, or the kind's default."""
    rule = _KINDS[query.kind].options[name]
    return dict(query.options).get(name, rule.default if isinstance(rule, _Number) else None)


def encode_subject(subject: str) -> bytes:
    """A subject as the container knows it. Bytes that are not UTF-8 may stand in it as Python's surrogate escapes."""
    return subject.encode("utf-8", "surrogateescape")


def join_command(argv: Sequence[str]) -> str:
    """A program and its arguments as the subject of a command."""
    return json.dumps(list(argv), separators=(",", ":"))


def split_command(subject: str) -> list[str]:
    """The program and its arguments. Raises ScanError bad_option, naming the command, where they cannot be run.

    The program is an absolute path, or a name that is looked up in PATH: what else there is depends on a working directory.
    """
    query = Query("command", subject)
    try:
        argv = json.loads(subject)
    except ValueError:
        raise _refuse(query, "must be a program and its arguments as a list in JSON") from None
    if (
        not isinstance(argv, list)
        or not all(isinstance(word, str) for word in argv)
        or join_command(argv) != subject
    ):
        raise _refuse(query, "must be a program and its arguments as a list of texts")
    if not 1 <= len(argv) <= _MAX_ARGUMENTS or len(subject) > _MAX_COMMAND_BYTES:
        raise _refuse(query, f"must have 1 to {_MAX_ARGUMENTS} words and at most {_MAX_COMMAND_BYTES} bytes")
    if not all(map(_is_text, argv)) or any("\0" in word for word in argv):
        raise _refuse(query, "has characters that cannot be given to a program")
    if not re.fullmatch(r"/.*[^/]|[^/-][^/]*", argv[0], re.DOTALL) or "\n" in argv[0]:
        raise _refuse(query, "must begin with a program's absolute path, or with its name")
    return argv


def _is_text(text: str) -> bool:
    try:
        encode_subject(text)
    except UnicodeEncodeError:
        return False
    return True


def sysctl_path(name: str) -> str:
    """The file of a kernel parameter.

    As sysctl(8) has it: where the first separator is a dot, dots separate and a slash stands for a dot within a
    part (net.ipv4.conf.eth0/1.forwarding); where it is a slash, slashes separate.
    """
    first = re.search(r"[./]", name)
    if first is not None and first.group() == ".":
        name = name.translate({ord("."): "/", ord("/"): "."})
    return "/proc/sys/" + name


def _check_query(query: Query) -> None:
    kind = _KINDS.get(query.kind)
    if kind is None:
        known = ", ".join(sorted(_KINDS))
        raise ScanError("bad_option", f"the fact {query.kind!r} does not exist; known are {known}")
    if kind.subject == "path":
        _check_path(query)
    elif kind.subject == "sysctl":
        # a dot that stands for itself must not make a part "." or "..": the pattern lets no two separators meet
        if len(query.subject) > 255 or not _SYSCTL.fullmatch(query.subject):
            raise _refuse(query, "is not the name of a kernel parameter")
    elif kind.subject == "command":
        split_command(query.subject)
    elif kind.subject == "variable":
        if not _VARIABLE.fullmatch(query.subject) or not _is_text(query.subject):
            raise _refuse(query, "is not the name of an environment variable")
    elif query.subject:
        raise _refuse(query, "takes no subject")
    names = [name for name, _value in query.options]
    for name, value in query.options:
        _check_option(query, kind, name, value)
    missing = [name for name, rule in kind.options.items() if isinstance(rule, _Word) and name not in names]
    if missing or len(set(names)) != len(names):
        raise _refuse(query, f"lacks the option {missing[0]}" if missing else "gives an option twice")


def _check_path(query: Query) -> None:
    try:
        path = encode_subject(query.subject)
    except UnicodeEncodeError:
        raise _refuse(query, "has characters that cannot be encoded") from None
    if not path.startswith(b"/") or b"\0" in path or b"\n" in path:
        raise _refuse(query, "must be an absolute path without NUL and newline")
    parts = path.split(b"/")[1:] if path != b"/" else []
    if len(path) > 4095 or any(part in (b"", b".", b"..") or len(part) > 255 for part in parts):
        raise _refuse(query, "must be a path without empty, . and .. parts, within the system's lengths")
    if query.kind == "content" and query.subject in HASH_FILES:
        raise _refuse(
            query, "may hold password hashes, which never leave a container; ask for passwd, shadow or group"
        )
    if query.kind in ("content", "sha256") and query.subject == _CONSUMED:
        raise _refuse(query, "would lose what is read from it")
    if query.kind in ("walk", "listing", IMAGE_LISTING) and parts and parts[0] in (b"proc", b"sys", b"dev"):
        raise _refuse(query, "is not on a disk; /proc, /sys and /dev are never walked, nor listed")


def _check_option(query: Query, kind: _Kind, name: str, value: Any) -> None:
    rule = kind.options.get(name)
    if rule is None:
        raise _refuse(query, f"has no option {name!r}")
    if isinstance(rule, _Word):
        if value not in rule.words:
            raise _refuse(query, "must have a {} of {}".format(name, ", ".join(rule.words)))
    elif isinstance(value, bool) or not isinstance(value, int) or not rule.low <= value <= rule.high:
        raise _refuse(query, f"must have a {name} from {rule.low} to {rule.high}")


def _refuse(query: Query, why: str) -> ScanError:
    subject = query.subject.encode("utf-8", "backslashreplace").decode("utf-8")
    return ScanError("bad_option", f"the fact {query.kind} {subject[:200]!r} {why}")
