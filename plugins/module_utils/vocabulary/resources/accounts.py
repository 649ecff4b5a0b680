# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users, groups and password fields: users, user, groups, group, shadow."""

from __future__ import annotations

from typing import Any, Callable

from ...collector.facts import Query
from ..evidence import Absent
from ..resource import Attribute, Field, Parameter, Params, View, needs
from ..tables import constant, first_row, record, table
from ..value_types import INTEGER, TEXT, list_of

PASSWD = Query("passwd")
GROUP = Query("group")
SHADOW = Query("shadow")

_TEXTS = list_of(TEXT)


def _in_file(path: str) -> Callable[[Params], str]:
    return lambda _params: f"in {path}"


def _named(view: View, query: Query, what: str) -> Any:
    name = view.params["name"]
    return first_row(
        view.value(query), lambda row: bool(row["name"] == name), f"there is no {what} of that name"
    )


def _group_names(view: View) -> Any:
    """The user's groups: the primary one first, then those that list the user, as id(1) does."""
    user = _named(view, PASSWD, "user")
    groups = view.value(GROUP)
    if isinstance(user, Absent):
        return user
    if isinstance(groups, Absent):
        return []
    primary: list[Any] = [group["name"] for group in groups if group["gid"] == user["gid"]]
    return primary + [
        group["name"] for group in groups if user["name"] in group["members"] and group["name"] not in primary
    ]


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
        rows=lambda view: view.value(PASSWD),
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
        rows=lambda view: view.value(GROUP),
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
        "shadow",
        "The password fields in /etc/shadow; only the kind of each password is collected, never a hash.",
        title=constant("Shadow entries"),
        place=_in_file("/etc/shadow"),
        rows=lambda view: view.value(SHADOW),
        needs=needs(SHADOW),
        fields=_SHADOW_FIELDS,
        label=lambda row: str(row["name"]),
    ),
)
