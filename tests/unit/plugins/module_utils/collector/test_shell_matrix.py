# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every shell with every set of tools, as every kind of user, gives the facts that Python's own calls see there."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    ABSENT,
    OK,
    UNREADABLE,
    UNSUPPORTED,
    Fact,
    Query,
)
from ansible_collections.securescan.kubernetes.tests.support.chroot_container import (
    BARE_ROOT,
    CELLS,
    NOBODY,
    ROOT,
    Container,
    Identity,
    bind_socket,
)

pytestmark = pytest.mark.in_container

NAMES = [
    "plain",
    "with space",
    "-leading",
    "--",
    "quo'te\"",
    "üñí",
    b"\xff\xfe\x81\x88\x01\x7f".decode("utf-8", "surrogateescape"),
    "star*?[a]",
    "back\\slash",
    "$(touch hacked)`id`$HOME",
    "tab\there",
    "dot.",
    "semi;colon&|<>",
    "#hash",
    "~",
    "=x",
    "cr\r",
    "x" * 255,
]
CONTENTS = {
    "text": b"one\ntwo\n",
    "no end": b"one\n\n two",
    "empty": b"",
    "newlines": b"\n\n\n",
    "blank": b"   \t \n",
    "latin": b"caf\xe9 \x80\x81\x82\x83\x88 \xff\n",
    "controls": bytes(range(1, 32)) + b"\x7f" * 3,
    "crlf": b"a\r\nb\r\n",
    "options": b"-n -e \\c %s %d\n-- \\n\n",
    "long": b"x" * 5000 + b"\n",
    "frame": b"frame q0 ok text 3\nend 1 00\n",
}


LINKS = {
    "/link": "data/with space",
    "/absolute": "/data/plain",
    "/dangling": "/nowhere/at/all",
    "/loop": "loop",
    "/into": "private/file",
    "/nothing": "private/nothing",
    "/up": "data/../secret",
    "/chain": "link",
    "/through": "/data",
    "/newline": "a\nb\n",
    "/slash": "data/",
}


def _fill(container: Container) -> tuple[str, ...]:
    for name in NAMES:
        container.write(
            "/data/" + name, b"x" * len(name), mode=0o4640 if name == "plain" else 0o604, owner=(7, 8)
        )
    for name, content in CONTENTS.items():
        container.write("/content/" + name, content)
    container.write("/binary", bytes(range(256)) * 3)
    container.write("/private/file", b"kept")
    (container.root / "private").chmod(0o700)
    container.write("/foreign/file", b"kept", owner=(1000, 1000))
    os.chown(container.root / "foreign", 1000, 1000)
    (container.root / "foreign").chmod(0o700)
    container.write("/unlisted/file", b"seen")
    (container.root / "unlisted").chmod(0o711)
    container.write("/secret", b"mode 0600", mode=0o600)
    container.write("/foreign secret", b"mode 0600", mode=0o600, owner=(1000, 1000))
    for path, target in LINKS.items():
        os.symlink(target, container.root / path[1:])
    os.mkfifo(container.root / "pipe", 0o640)
    bind_socket(container.root)
    os.mknod(container.root / "disk", 0o660 | stat.S_IFBLK, os.makedev(250, 250))
    (container.root / "tmp").chmod(0o1777)
    return (
        "/",
        "/tmp",
        "/dev/null",
        "/pipe",
        "/socket",
        "/disk",
        *LINKS,
        *("/data/" + name for name in NAMES),
        "/private/file",
        "/private/nothing",
        "/private/a/b",
        "/foreign/file",
        "/foreign/nothing",
        "/unlisted/file",
        "/unlisted/nothing",
        "/secret",
        "/foreign secret",
        "/nowhere",
        "/no/where",
        "/secret/below",
        "/link/below",
        "/proc/1/cwd",
        "/proc/1/cwd/x",
        "/loop/below",
        "/dangling/below",
        "/through/plain",
        "/through/nothing",
        "/into/x",
        "/data/with",
        "/" + "y" * 255,
    )


def _see_file(path: str) -> tuple[str, Any]:
    """Status and value as a fact should have them."""
    name = path.encode("utf-8", "surrogateescape")
    try:
        status, target = os.stat(name), None
        if os.path.islink(name):
            target = os.readlink(name).decode()
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR):
            return UNREADABLE, None
        try:
            status, target = os.lstat(name), os.readlink(name).decode()
        except OSError:
            return ABSENT, None
    types = {
        stat.S_IFREG: "file",
        stat.S_IFDIR: "directory",
        stat.S_IFLNK: "symlink",
        stat.S_IFIFO: "pipe",
        stat.S_IFSOCK: "socket",
        stat.S_IFCHR: "character_device",
        stat.S_IFBLK: "block_device",
    }
    return OK, {
        "type": types[stat.S_IFMT(status.st_mode)],
        "mode": stat.S_IMODE(status.st_mode),
        "uid": status.st_uid,
        "gid": status.st_gid,
        "size": status.st_size,
        "mtime": int(status.st_mtime),
        "link_target": target,
    }


def _see_content(path: str) -> tuple[str, Any]:
    status, value = _see_file(path)
    if status != OK or value["type"] != "file":
        return (
            (ABSENT, None)
            if status == ABSENT or (status == OK and value["type"] == "symlink")
            else ((UNSUPPORTED, None) if status == OK else (status, None))
        )
    try:
        return OK, Path(path).read_bytes()
    except OSError:
        return UNREADABLE, None


@pytest.mark.parametrize("identity", [ROOT, BARE_ROOT, NOBODY], ids=lambda identity: identity.name)
@pytest.mark.parametrize(("shell", "tools"), CELLS)
def test_files_and_contents(
    make_container: Callable[..., Container], shell: str, tools: str, identity: Identity
) -> None:
    container = make_container(shell, tools)
    paths = _fill(container)
    readable = (
        "/secret",
        "/foreign secret",
        "/private/file",
        "/foreign/file",
        "/up",
        "/into",
        "/loop",
        "/dangling",
        "/tmp",
        "/pipe",
        "/socket",
        "/disk",
        "/dev/null",
        "/nowhere",
        *("/content/" + name for name in CONTENTS),
    )
    expected: dict[str, dict[str, tuple[str, Any]]] = container.ask(
        identity,
        lambda: {
            "file": {path: _see_file(path) for path in paths},
            "content": {path: _see_content(path) for path in readable},
        },
    )
    facts = container.collect(
        *(Query("file", path) for path in paths),
        *(Query("content", path) for path in readable),
        Query("sha256", "/content/long"),
        identity=identity,
        read_only=True,
    )
    for path in paths:
        _check_file(facts.get_fact(Query("file", path)), expected["file"][path], tools, (path, shell, tools))
    for path in readable:
        fact, (status, value) = facts.get_fact(Query("content", path)), expected["content"][path]
        if tools == "none" and path in LINKS:
            assert fact.status in (status, UNREADABLE, UNSUPPORTED) and fact.value in (value, None), (
                path,
                shell,
                fact,
            )
        else:
            assert (fact.status, fact.value) == (status, value), (path, shell, tools, fact)
        assert fact.cause or fact.status in (OK, ABSENT)
    binary = container.fact(Query("content", "/binary"), identity)
    assert binary.status == (UNSUPPORTED if tools == "none" else OK)
    assert binary.value == (None if tools == "none" else bytes(range(256)) * 3)
    digest = facts.get_fact(Query("sha256", "/content/long"))
    assert (
        digest.status == UNSUPPORTED and "sha256sum" in digest.cause
        if tools == "none"
        else digest.value == hashlib.sha256(CONTENTS["long"]).hexdigest()
    )


def _check_file(fact: Fact, expected: tuple[str, Any], tools: str, where: Any) -> None:
    status, value = expected
    if tools == "none" and (status == OK or "/" + where[0].split("/")[1] in LINKS):
        assert fact.status in (UNSUPPORTED, UNREADABLE) or fact.status == status != OK, where
        assert fact.value is None or fact.value["type"] == value["type"], where
    else:
        assert (fact.status, fact.value) == (status, value), (where, fact)
    assert fact.cause or fact.status in (OK, ABSENT), where
