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
    ("database", "text"),
    [
        ("passwd", "root:x:0:0:root:/root\n"),
        ("passwd", "root:x:zero:0:root:/root:/bin/sh\n"),
        ("passwd", "root\n"),
        ("passwd", f"$6${SALTED}:x:0:0:root:/root:/bin/sh\n"),
        ("passwd", f"root:x:0:0:$6${SALTED}:/root:/bin/sh\n"),
        ("passwd", f"$6${SALTED}\n"),
        ("shadow", f"root:*:$6${SALTED}:0:0:0:::\n"),
        ("shadow", "root:*:HaShHaShHaSh.:0:0:0:::\n"),
        ("shadow", "root:*:1:2:3:4:5:6:7:8\n"),
        ("group", "root:x:0\n"),
        ("group", f"$1${SALTED}:x:0:a\n"),
        ("group", f"a:x:0:$5${SALTED}\n"),
        ("passwd", "a:b:c\0:d\n"),
        ("passwd", "a" * 5000 + "\n"),
    ],
)
def test_lines_of_another_form_cost_the_fact_and_no_hash(
    make_container: Callable[..., Container], database: str, text: str
) -> None:
    container = make_container()
    container.write("/etc/" + database, "ok:x:0:0:::/bin/sh\n" * (database == "passwd") + text)
    fact = container.fact(Query(database))
    assert b"HaSh" not in container.output and b"SeCrEt" not in container.output
    assert fact.status == UNSUPPORTED and "entry" in fact.cause and fact.value is None


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
