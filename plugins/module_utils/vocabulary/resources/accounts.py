# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users, groups and password fields: users, user, groups, group, group_members, shadow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Callable

from ...collector.facts import Query
from ..evidence import Absent, Partial
from ..resource import Attribute, Field, Parameter, Params, View, needs
from ..tables import constant, first_row, record, table
from ..value_types import BOOLEAN, INTEGER, TEXT, list_of

PASSWD = Query("passwd")
GROUP = Query("group")
SHADOW = Query("shadow")

_TEXTS = list_of(TEXT)


def _in_file(path: str) -> Callable[[Params], str]:
    return lambda _params: f"in {path}"


def _named(view: View, query: Query, what: str) -> Any:
    name = view.params["name"]
    return first_row(
        view.rows(query), lambda row: bool(row["name"] == name), f"there is no {what} of that name"
    )


def _group_names(view: View) -> Any:
    """The user's groups: the primary one first, then those that list the user, as id(1) does."""
    user = _named(view, PASSWD, "user")
    groups = view.rows(GROUP)
    if isinstance(user, Absent):
        return user
    if isinstance(groups, Absent):
        return []
    if isinstance(groups, Partial):
        return Partial(_groups_of(user, groups.value), groups.what, groups.cause)
    return _groups_of(user, groups)


def _groups_of(user: Mapping[str, Any], groups: list[Any]) -> list[Any]:
    primary: list[Any] = [group["name"] for group in groups if group["gid"] == user["gid"]]
    return primary + [
        group["name"] for group in groups if user["name"] in group["members"] and group["name"] not in primary
    ]


# A group file can name each user in each of its groups: more than this is not laid out.
_MOST_MEMBERS = 50_000


def _members(view: View) -> Any:
    """One row for each group and each user in it; a part of them where one of the databases is known in part."""
    groups, users = view.rows(GROUP), view.rows(PASSWD)
    part = next((rows for rows in (groups, users) if isinstance(rows, Partial)), None)
    rows: list[dict[str, Any]] = []
    for row in _memberships(_listed(groups), _listed(users)):
        if len(rows) == _MOST_MEMBERS:
            part = part or Partial(None, GROUP.key, f"its groups have more than {_MOST_MEMBERS} members")
            break
        rows.append(row)
    return Partial(rows, part.what, part.cause) if part else rows


def _listed(rows: Any) -> list[Any]:
    if isinstance(rows, Partial):
        return list(rows.value)
    return [] if isinstance(rows, Absent) else rows


def _memberships(groups: list[Any], users: list[Any]) -> Iterator[dict[str, Any]]:
    """For the kernel a group is its id: who is in a group is also in those that have the same one, and a user's own group is
    there whether a database names it or not."""
    names: dict[Any, list[str]] = {}
    members: dict[Any, dict[str, bool]] = {}
    for group in groups:
        if group["gid"] is not None:
            names.setdefault(group["gid"], []).append(group["name"])
            members.setdefault(group["gid"], {}).update(dict.fromkeys(group["members"], False))
    for user in users:
        if user["gid"] is not None:
            members.setdefault(user["gid"], {})[user["name"]] = True
    for gid, found in members.items():
        for name in dict.fromkeys(names.get(gid) or [str(gid)]):
            for user, primary in found.items():
                yield {"group": name, "gid": gid, "user": user, "primary": primary}


_USER_FIELDS = (
    Field("name", "names", TEXT, "Login name."),
    Field("uid", "uids", INTEGER, "User id."),
    Field("gid", "gids", INTEGER, "Id of the primary group."),
    Field("gecos", "gecos_texts", TEXT, "The comment field, often the full name."),
    Field("home", "homes", TEXT, "Home directory."),
    Field("shell", "shells", TEXT, "Login shell."),
    Field(
        "password_kind",
        "password_kinds",
        TEXT,
        "What the password field holds: its kind, never its value.",
        key="password",
    ),
)

_GROUP_FIELDS = (
    Field("name", "names", TEXT, "Name of the group."),
    Field("gid", "gids", INTEGER, "Group id."),
    Field("members", "members", _TEXTS, "Names of the users that the group lists."),
)

_SHADOW_FIELDS = (
    Field("name", "names", TEXT, "Login name."),
    Field(
        "password_kind",
        "password_kinds",
        TEXT,
        "What the password field holds: its kind, never its value.",
        key="password",
    ),
    Field(
        "last_change", "last_changes", INTEGER, "Day of the last password change, counted from 1970-01-01."
    ),
    Field("min_days", "min_days", INTEGER, "Days before a password may be changed.", key="min"),
    Field("max_days", "max_days", INTEGER, "Days after which a password must be changed.", key="max"),
    Field("warn_days", "warn_days", INTEGER, "Days of warning before that.", key="warn"),
    Field(
        "inactive_days",
        "inactive_days",
        INTEGER,
        "Days after that until the account is disabled.",
        key="inactive",
    ),
    Field(
        "expiry_date",
        "expiry_dates",
        INTEGER,
        "Day on which the account expires, counted from 1970-01-01.",
        key="expire",
    ),
)

RESOURCES = (
    table(
        "users",
        "The users in /etc/passwd.",
        title=constant("Users"),
        place=_in_file("/etc/passwd"),
        rows=lambda view: view.rows(PASSWD),
        needs=needs(PASSWD),
        fields=_USER_FIELDS,
        label=lambda row: str(row["name"]),
    ),
    record(
        "user",
        "One user of /etc/passwd.",
        title="User",
        subject=Parameter("name", TEXT, "Login name.", required=True),
        place=_in_file("/etc/passwd"),
        find=lambda view: _named(view, PASSWD, "user"),
        needs=needs(PASSWD),
        fields=_USER_FIELDS,
        predicate=("exist", "exist"),
        more=(
            Attribute("groups", _TEXTS, "Names of the user's groups.", _group_names, needs(PASSWD, GROUP)),
        ),
    ),
    table(
        "groups",
        "The groups in /etc/group.",
        title=constant("Groups"),
        place=_in_file("/etc/group"),
        rows=lambda view: view.rows(GROUP),
        needs=needs(GROUP),
        fields=_GROUP_FIELDS,
        label=lambda row: str(row["name"]),
    ),
    record(
        "group",
        "One group of /etc/group.",
        title="Group",
        subject=Parameter("name", TEXT, "Name of the group.", required=True),
        place=_in_file("/etc/group"),
        find=lambda view: _named(view, GROUP, "group"),
        needs=needs(GROUP),
        fields=_GROUP_FIELDS,
        predicate=("exist", "exist"),
    ),
    table(
        "group_members",
        "Who is in which group: the users that a group of /etc/group lists, and those whose own (primary) group it is by "
        "/etc/passwd. Groups with the same id have the same members. A user's own group that /etc/group does not have is "
        "called by its id.",
        title=constant("Members of groups"),
        place=_in_file("/etc/group and /etc/passwd"),
        rows=_members,
        needs=needs(GROUP, PASSWD),
        fields=(
            Field("group", "groups", TEXT, "Name of the group."),
            Field("gid", "gids", INTEGER, "Group id."),
            Field("user", "users", TEXT, "Login name of the member."),
            Field("primary", "primaries", BOOLEAN, "Whether it is the user's own group."),
        ),
        label=lambda row: "{} in {}".format(row["user"], row["group"]),
    ),
    table(
        "shadow",
        "The password fields in /etc/shadow; only the kind of each password is collected, never a hash.",
        title=constant("Shadow entries"),
        place=_in_file("/etc/shadow"),
        rows=lambda view: view.rows(SHADOW),
        needs=needs(SHADOW),
        fields=_SHADOW_FIELDS,
        label=lambda row: str(row["name"]),
    ),
)
