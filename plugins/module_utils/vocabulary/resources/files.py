# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and directories: file, directory."""

from __future__ import annotations

from typing import Any, Callable

from ...collector.facts import Query
from ...collector.frames import decode_text
from ..evidence import Absent, kept_whole
from ..resource import Attribute, Needs, Parameter, Params, Resource, View, attributes_by_name, present
from ..tables import first_row
from ..value_types import BOOLEAN, INTEGER, MODE, PATH, TEXT, ValueType, list_of
from .accounts import GROUP, PASSWD


def _stat_query(params: Params) -> Query:
    return Query("file", params["path"])


def _content_query(params: Params) -> Query:
    return Query("content", params["path"])


def _readable_query(params: Params) -> Query:
    return Query("readable", params["path"])


def _sha256_query(params: Params) -> Query:
    return Query("sha256", params["path"])


def _only(query: Callable[[Params], Query], *more: Query) -> Needs:
    def needs(params: Params) -> tuple[Query, ...]:
        return (query(params), *more)

    return needs


def _stat(view: View) -> Any:
    return view.value(_stat_query(view.params))


def _seen(view: View) -> Any:
    """What is known about the file.

    Without a stat program the collector still tells whether it exists, and its type.
    """
    fact = view.evidence.facts.get_fact(_stat_query(view.params))
    return fact.value if fact.value is not None else _stat(view)


def _directory(read: Callable[[View], Any]) -> Callable[[View], Any]:
    """The result of `read`; Absent if it is not a directory."""

    def directory(view: View) -> Any:
        found = read(view)
        if not isinstance(found, Absent) and found["type"] != "directory":
            return Absent("it is a {}, not a directory".format(found["type"]))
        return found

    return directory


def _of(read: Callable[[View], Any], compute: Callable[[Any], Any]) -> Callable[[View], Any]:
    """The result of `compute` for the stat; Absent if the stat is."""

    def value(view: View) -> Any:
        found = read(view)
        return found if isinstance(found, Absent) else compute(found)

    return value


def _link_target(view: View) -> Any:
    query = _stat_query(view.params)
    found = _seen(view)
    if isinstance(found, Absent):
        return found
    return kept_whole(query, found, "link_target") or Absent("it is no symbolic link")


def _account_name(read: Callable[[View], Any], accounts: Query, number: str) -> Callable[[View], Any]:
    def value(view: View) -> Any:
        found, rows = read(view), view.rows(accounts)
        if isinstance(found, Absent):
            return found
        wanted, unnamed = found[number], f"{number} {found[number]} has no name"
        if not isinstance(rows, Absent):
            rows = first_row(rows, lambda row: bool(row[number] == wanted), unnamed)
        if not isinstance(rows, Absent):
            return rows["name"]
        # for the kernel 0 is root's, whether or not a database says so
        return "root" if wanted == 0 else Absent(unnamed)

    return value


def _writing_groups(read: Callable[[View], Any]) -> Callable[[View], Any]:
    name_of = _account_name(read, GROUP, "gid")

    def groups(view: View) -> Any:
        found, name = read(view), name_of(view)
        if isinstance(found, Absent) or not found["mode"] & 0o020:
            return []
        return [str(found["gid"]) if isinstance(name, Absent) else name]

    return groups


def content_text(view: View, query: Query) -> Any:
    """A file's content as text, or Absent. Bytes that are not UTF-8 become \\xNN."""
    content = view.value(query)
    if isinstance(content, Absent):
        return content
    return view.evidence.parsed(query.key, lambda: decode_text(content))


def _text(view: View) -> Any:
    return content_text(view, _content_query(view.params))


def _lines(view: View) -> Any:
    text = _text(view)
    return (
        text
        if isinstance(text, Absent)
        else text[:-1].split("\n")
        if text.endswith("\n")
        else text.split("\n")
    )


def _readable(view: View) -> Any:
    """Whether it can be read; what is not there cannot."""
    found = view.value(_readable_query(view.params))
    return not isinstance(found, Absent) and found["readable"]


def _readable_size(view: View) -> Any:
    """0 for what it cannot read or what is not there, for which the file itself need not be seen."""
    return _of(_stat, _size)(view) if _readable(view) else 0


def _readable_needs(params: Params) -> tuple[Query, ...]:
    return _readable_query(params), _stat_query(params)


def _stat_attributes(seen: Callable[[View], Any], read: Callable[[View], Any]) -> tuple[Attribute, ...]:
    def stat_attribute(
        name: str, kind: ValueType, description: str, compute: Callable[[Any], Any]
    ) -> Attribute:
        return Attribute(name, kind, description, _of(read, compute), _only(_stat_query))

    def bit(mask: int) -> Callable[[Any], bool]:
        return lambda found: bool(found["mode"] & mask)

    return (
        Attribute(
            "exist",
            BOOLEAN,
            "Whether it is there.",
            lambda view: present(seen(view)),
            _only(_stat_query),
            predicate="exist",
        ),
        stat_attribute(
            "mode", MODE, "Permission bits with setuid, setgid and sticky.", lambda found: found["mode"]
        ),
        stat_attribute("uid", INTEGER, "User id of the owner.", lambda found: found["uid"]),
        stat_attribute("gid", INTEGER, "Group id.", lambda found: found["gid"]),
        Attribute(
            "owner",
            TEXT,
            "Name of the owner.",
            _account_name(read, PASSWD, "uid"),
            _only(_stat_query, PASSWD),
        ),
        Attribute(
            "group", TEXT, "Name of the group.", _account_name(read, GROUP, "gid"), _only(_stat_query, GROUP)
        ),
        Attribute(
            "writing_groups",
            list_of(TEXT),
            "The group, where it may write to it, by its name, or by its number where it has none.",
            _writing_groups(read),
            _only(_stat_query, GROUP),
        ),
        stat_attribute(
            "mtime", INTEGER, "Last change, in seconds since 1970-01-01 UTC.", lambda found: found["mtime"]
        ),
        stat_attribute("setuid", BOOLEAN, "Whether the setuid bit is set.", bit(0o4000)),
        stat_attribute("setgid", BOOLEAN, "Whether the setgid bit is set.", bit(0o2000)),
        stat_attribute("sticky", BOOLEAN, "Whether the sticky bit is set.", bit(0o1000)),
        stat_attribute("world_writable", BOOLEAN, "Whether everybody may write to it.", bit(0o002)),
    )


def _size(found: Any) -> Any:
    return found["size"]


_PATH = Parameter("path", PATH, "Absolute path in the container.", required=True)


def _place(params: Params) -> str:
    return "at {}".format(params["path"])


RESOURCES = (
    Resource(
        "file",
        "One file of any type. Its access control list (ACL) is not read.",
        lambda params: "File {}".format(params["path"]),
        _place,
        attributes_by_name(
            *_stat_attributes(_seen, _stat),
            Attribute(
                "type",
                TEXT,
                "file, directory, symlink, socket, pipe, block_device or character_device.",
                _of(_seen, lambda found: found["type"]),
                _only(_stat_query),
            ),
            Attribute("size", INTEGER, "Size in bytes.", _of(_stat, _size), _only(_stat_query)),
            Attribute(
                "link_target",
                TEXT,
                "Where a symbolic link points to.",
                _link_target,
                _only(_stat_query),
            ),
            Attribute(
                "readable",
                BOOLEAN,
                "Whether the user that the container runs as can read it; not where it is not there. The container must run.",
                _readable,
                _only(_readable_query),
                predicate="be readable by the container's user",
            ),
            Attribute(
                "readable_size",
                INTEGER,
                "How many bytes of it the user that the container runs as can read; 0 where it is not there. The container "
                "must run.",
                _readable_size,
                _readable_needs,
            ),
            Attribute(
                "content",
                TEXT,
                "Its content as text; may hold secrets, so it is not shown.",
                _text,
                _only(_content_query),
                hidden=True,
            ),
            Attribute(
                "lines",
                list_of(TEXT),
                "The lines of its content; may hold secrets, so they are not shown.",
                _lines,
                _only(_content_query),
                hidden=True,
            ),
            Attribute(
                "sha256",
                TEXT,
                "SHA-256 of its content in hex.",
                lambda view: view.value(_sha256_query(view.params)),
                _only(_sha256_query),
            ),
        ),
        subject=_PATH,
    ),
    Resource(
        "directory",
        "One directory; anything else at the path counts as no directory. Its access control list (ACL) is not read.",
        lambda params: "Directory {}".format(params["path"]),
        _place,
        attributes_by_name(*_stat_attributes(_directory(_seen), _directory(_stat))),
        subject=_PATH,
    ),
)
