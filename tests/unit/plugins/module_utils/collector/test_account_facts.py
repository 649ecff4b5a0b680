# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""passwd, shadow and group: read rightly by every shell, and no hash ever leaves the container."""

from __future__ import annotations

import os
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    ABSENT,
    OK,
    TOO_LARGE,
    UNREADABLE,
    UNSUPPORTED,
    Query,
)
from ansible_collections.securescan.kubernetes.tests.support.chroot_container import (
    BARE_ROOT,
    CELLS,
    NOBODY,
    Container,
)

pytestmark = pytest.mark.in_container

SALTED = "SeCrEtSaLt$HaShHaShHaSh/.HaShHaSh"
HASHES = {
    "empty": "",
    "shadow": "x",
    "locked": "!",
    "locked_hash": "!$6$" + SALTED,
    "locked_twice": "!!",
    "disabled": "*",
    "disabled_word": "*LK*",
    "md5": "$1$" + SALTED,
    "sha256": "$5$rounds=5000$" + SALTED,
    "sha512": "$6$" + SALTED,
    "yescrypt": "$y$j9T$" + SALTED,
    "gost_yescrypt": "$gy$j9T$" + SALTED,
    "scrypt": "$7$CU..../" + SALTED,
    "bcrypt": "$2b$12$" + SALTED,
    "bcrypt_old": "$2y$12$" + SALTED,
    "des": "HaShHaShHaSh.",
    "other": "$9$" + SALTED,
    "other_word": "SeCrEt",
    "other_long": "HaShHaShHaShHaShHaSh",
}
KINDS = {
    "locked_hash": "locked",
    "locked_twice": "locked",
    "disabled_word": "disabled",
    "bcrypt_old": "bcrypt",
    "other_word": "other",
    "other_long": "other",
}
PASSWD = "".join(
    f"{name}:{text}:{1000 + number}:100:Jürgen $x, Büro:/home/{name}:/bin/sh\n"
    for number, (name, text) in enumerate(HASHES.items())
)


def _kinds(entries: list[dict[str, Any]]) -> dict[str, str]:
    return {entry["name"]: entry["password"] for entry in entries}


@pytest.mark.parametrize(
    ("shell", "tools"), [cell for cell in CELLS if cell[1] in ("gnu", "none", "busybox")]
)
def test_users_and_shadow_entries_are_read_without_hashes(
    make_container: Callable[..., Container], shell: str, tools: str
) -> None:
    container = make_container(shell, tools)
    container.write("/etc/passwd", PASSWD + "# comment $6$" + SALTED + "\n\nlast:x:4294967294:0:::")
    container.write(
        "/etc/shadow",
        "".join("{}:{}:19000:0:99999:7::-1:\n".format(*item) for item in HASHES.items())
        + "short:*\nbare:*:::::::",
        mode=0o600,
    )
    container.write("/etc/group", f"root:x:0:\nwheel:$6${SALTED}:10:root,app\nlast:*:7:")
    queries = Query("passwd"), Query("shadow"), Query("group")
    facts = container.collect(*queries)
    assert b"HaSh" not in container.output and b"SeCrEt" not in container.output
    expected = {name: KINDS.get(name, name) for name in HASHES}
    passwd, shadow, group = (facts.get_fact(query) for query in queries)
    assert _kinds(passwd.value) == dict(expected, last="shadow")
    assert passwd.value[1] == {
        "name": "shadow",
        "password": "shadow",
        "uid": 1001,
        "gid": 100,
        "gecos": "Jürgen $x, Büro",
        "home": "/home/shadow",
        "shell": "/bin/sh",
    }
    assert passwd.value[-1] == {
        "name": "last",
        "password": "shadow",
        "uid": 4294967294,
        "gid": 0,
        "gecos": "",
        "home": "",
        "shell": "",
    }
    assert _kinds(shadow.value) == dict(expected, short="disabled", bare="disabled")
    assert shadow.value[0] == {
        "name": "empty",
        "password": "empty",
        "last_change": 19000,
        "min": 0,
        "max": 99999,
        "warn": 7,
        "inactive": None,
        "expire": -1,
    }
    assert shadow.value[-1]["last_change"] is None
    assert group.value == [
        {"name": "root", "gid": 0, "members": []},
        {"name": "wheel", "gid": 10, "members": ["root", "app"]},
        {"name": "last", "gid": 7, "members": []},
    ]


@pytest.mark.parametrize(
    ("database", "text", "cause", "more"),
    [
        (
            "passwd",
            "a:x:0:0:root:/root\n",
            "line 3 (a) is not of the database's form: it has 6 fields, not 7",
            ["a"],
        ),
        ("passwd", "a:x:0:0::/:/bin/sh:extra\n", "it has 8 fields, not 7", ["a"]),
        ("passwd", "a:x:0:0\n", "it has 4 fields, not 7", ["a"]),
        ("passwd", "a:x:0\n", "it has 3 fields, not 7", []),
        ("passwd", "a:x:zero:0:root:/root:/bin/sh\n", "its user id 'zero' is not a number", []),
        ("passwd", "root\n", "line 3 (root) is not of the database's form: it has no fields", []),
        ("passwd", f"$6${SALTED}:x:0:0:root:/root:/bin/sh\n", "looks like a password hash", ["?"]),
        ("passwd", f"a:x:0:0:$6${SALTED}:/root:/bin/sh\n", "looks like a password hash", ["a"]),
        ("passwd", f"$6${SALTED}\n", "it has no fields", []),
        ("passwd", "a:b:c\0:d\n", "is not", []),
        ("passwd", "a" * 5000 + "\n", "it has no fields", []),
        ("passwd", "a:$1$" + ":$1$" * 3000 + "\n", "fields, not 7", []),
        ("shadow", f"root:*:$6${SALTED}:0:0:0:::\n", "something else than numbers", []),
        ("shadow", "root:*:HaShHaShHaSh.:0:0:0:::\n", "something else than numbers", []),
        ("shadow", "root:*:1:2:3:4:5:6:7:8\n", "it has more than 9 fields", []),
        ("shadow", "root:*:--1::::::\n", "is not a number", []),
        ("shadow", "root:*:1::::::\r\n", "it ends with CR LF", ["root"]),
        ("group", "a:x:0\n", "it has 3 fields, not 4", ["a"]),
        ("group", "a:x:0:b:c\n", "it has 5 fields, not 4", ["a"]),
        ("group", f"$1${SALTED}:x:0:a\n", "looks like a password hash", ["?"]),
        ("group", f"a:x:0:$5${SALTED}\n", "looks like a password hash", ["a"]),
        ("group", "a:x:-:b\n", "its group id '-' is not a number", []),
    ],
)
def test_a_line_of_another_form_costs_no_other_line_and_no_hash(
    make_container: Callable[..., Container], database: str, text: str, cause: str, more: list[str]
) -> None:
    good = {"passwd": "ok:x:0:0:::/bin/sh\n", "shadow": "ok:::::::\n", "group": "ok:x:0:ok\n"}[database]
    container = make_container()
    container.write("/etc/" + database, "# comment\n" + good + text + good)
    fact = container.fact(Query(database))
    assert b"HaSh" not in container.output and b"SeCrEt" not in container.output
    assert fact.status == UNSUPPORTED and cause in fact.cause and "line 3" in fact.cause
    assert [row["name"] for row in fact.value] == ["ok", *more, "ok"]


@pytest.mark.parametrize(("shell", "tools"), [("dash", "gnu"), ("ash", "busybox"), ("bash", "none")])
def test_lines_are_read_as_the_c_library_reads_them(
    make_container: Callable[..., Container], shell: str, tools: str
) -> None:
    container = make_container(shell, tools)
    lines = {
        "plus:x:+0:0:::/bin/sh": 0,
        "zeros:x:00:0:::/bin/sh": 0,
        "blank:x: 0:0:::/bin/sh": 0,
        "  indented:x:0:0:::/bin/sh": 0,
        "minus:x:-0:0:::/bin/sh": 0,
        "negative:x:-1:0:::/bin/sh": 4294967295,
        "largest:x:4294967295:0:::/bin/sh": 4294967295,
        "behind:x:0 :0:::/bin/sh": None,
        "huge:x:4294967296:0:::/bin/sh": None,
        "none:x::0:::/bin/sh": None,
        "hex:x:0x0:0:::/bin/sh": None,
        "windows:x:0:0:::/bin/sh\r": 0,
        ":x:0:0:::/bin/sh": 0,
    }
    for line, uid in lines.items():
        container.write("/etc/passwd", "first:x:1:1:::/bin/sh\n" + line + "\n")
        fact = container.fact(Query("passwd"))
        assert [row["uid"] for row in fact.value] == [1] + [uid] * (uid is not None), line
        certain = line.startswith(("zeros", "largest"))
        assert (fact.status, "line 2" in fact.cause) == ((OK, False) if certain else (UNSUPPORTED, True)), (
            line
        )
        assert fact.value[-1]["name"] == ("first" if uid is None else line.split(":")[0].strip())
        assert fact.value[-1]["shell"] == "/bin/sh"
    container.write("/etc/passwd", "a:x:1:1:::/bin/sh\r\nb:x:2:2:::/bin/sh\r\n")
    cause = container.fact(Query("passwd")).cause
    assert "line 1 (a)" in cause and "CR LF" in cause and "the same in line 2" in cause


@pytest.mark.parametrize("database", ["passwd", "shadow", "group"])
def test_lines_that_every_reader_leaves_out_cost_nothing(
    make_container: Callable[..., Container], database: str
) -> None:
    good = {"passwd": "ok:x:0:0:::/bin/sh", "shadow": "ok:*::::::", "group": "ok:x:0:ok"}[database]
    container = make_container()
    container.write("/etc/" + database, f"\n   \n\t\n  # x:y\n# a:b\n{good}\n+\n+@nisgroup\n-mallory\n")
    fact = container.fact(Query(database))
    assert fact.status == OK, fact.cause
    assert [row["name"] for row in fact.value] == ["ok", "+", "+@nisgroup", "-mallory"]
    if database != "group":
        assert {row["password"] for row in fact.value[1:]} == {"directory"}


def test_entries_that_include_another_directory_are_kept(make_container: Callable[..., Container]) -> None:
    container = make_container()
    container.write("/etc/passwd", "root:x:0:0::/:\n+::::::\n-mallory::::::\n")
    users = container.fact(Query("passwd")).value
    assert [(user["name"], user["uid"]) for user in users] == [("root", 0), ("+", None), ("-mallory", None)]


def test_databases_that_are_not_there_or_cannot_be_read(make_container: Callable[..., Container]) -> None:
    container = make_container()
    (container.root / "etc/passwd").mkdir()
    container.write("/etc/shadow", "root:*:1::::::\n", mode=0o640, owner=(0, 42))
    facts = container.collect(Query("passwd"), Query("shadow"), Query("group"), identity=NOBODY)
    assert [fact.status for fact in facts.values()] == [UNSUPPORTED, UNREADABLE, ABSENT]
    assert container.fact(Query("shadow"), BARE_ROOT).status == OK
    container.write("/etc/group", "x:x:1:\n" * 200_000)
    assert container.fact(Query("group")).status == TOO_LARGE


@pytest.mark.parametrize(("shell", "tools"), [("dash", "gnu"), ("dash", "none"), ("ash", "busybox")])
def test_no_other_name_leads_to_a_hash(
    make_container: Callable[..., Container], shell: str, tools: str
) -> None:
    container = make_container(shell, tools)
    container.write("/etc/shadow", f"root:$6${SALTED}:1::::::\n")
    (container.root / "etc/login.defs").symlink_to("shadow")
    os.link(container.root / "etc/shadow", container.root / "etc/hard")
    facts = container.collect(Query("content", "/etc/login.defs"), Query("content", "/etc/hard"))
    assert all(fact.status == UNSUPPORTED and "hash" in fact.cause for fact in facts.values())
    assert b"HaSh" not in container.output
