# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""listing: every entry with its status, from inside and of an image; hostile names forge nothing; half a one is none."""

from __future__ import annotations

import os
import stat
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector import listings
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    ABSENT,
    OK,
    TIMED_OUT,
    TOO_LARGE,
    UNREADABLE,
    UNSUPPORTED,
    Fact,
    Query,
)
from ansible_collections.securescan.kubernetes.tests.support.chroot_container import (
    CELLS,
    NOBODY,
    NONCE,
    TOOLS,
    Container,
)
from ansible_collections.securescan.kubernetes.tests.support.viewed_target import (
    MountedImage,
    fill_scanner,
)

pytestmark = pytest.mark.in_container

WITH_GZIP = (*TOOLS, "gzip")
FORGED = NONCE[::-1] + " 81a4 0 0 0 1 1 /usr/bin/forged"
HOSTILE = [
    b"new\nline",
    b"\xff\xfe",
    b"with space",
    b"quo'te",
    b"-x",
    b"=0\n",
    b"!1 1 0 !",
    b"trailing\n",
    b"a -> b",
    b"back\\slash",
    os.fsencode("x\n" + FORGED),
]


def _fill(container: Container) -> None:
    container.write("/usr/bin/su", mode=0o4755)
    container.write("/usr/bin/tool", "#!", mode=0o755, owner=(1000, 1001))
    os.utime(container.root / "usr/bin/tool", (5, 1_000_000_000))
    container.write("/usr/closed/inner", mode=0o600)
    container.write("/etc/app.conf", "x=1\n")
    os.mkfifo(container.root / "usr/pipe")
    (container.root / "sbin").symlink_to("usr/bin")
    (container.root / "etc/dangling").symlink_to("/nowhere")
    (container.root / "etc/to-file").symlink_to("app.conf")
    (container.root / "usr/odd").mkdir()
    for number, name in enumerate(HOSTILE):
        path = container.root / "usr/odd" / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.symlink(name, os.fsencode(container.root / "usr/odd") + b"/link%d" % number)
        os.symlink(b"/x", os.fsencode(path) + b"l")


def _truth(container: Container, place: str) -> dict[str, list[Any]]:
    """What Python's own system calls say of all files below a place."""
    found = {}
    top = os.fsencode(container.root)
    for folder, folders, files in os.walk(top + os.fsencode(place)):
        for path in [folder, *(os.path.join(folder, name) for name in [*folders, *files])]:
            status = os.lstat(path)
            target = os.readlink(path) if stat.S_ISLNK(status.st_mode) else None
            name = path[len(top) :].decode("utf-8", "backslashreplace")
            found[name] = [
                listings.TYPES[stat.S_IFMT(status.st_mode)],
                stat.S_IMODE(status.st_mode),
                status.st_uid,
                status.st_gid,
                status.st_size,
                int(status.st_mtime),
                int(status.st_ctime),
                None if target is None else target.decode("utf-8", "backslashreplace"),
            ]
    return found


def _entries(fact: Fact) -> dict[str, list[Any]]:
    assert fact.status == OK, fact
    entries = {entry[0]: list(entry[1:]) for entry in fact.value["entries"]}
    assert len(entries) == len(fact.value["entries"])
    return entries


@pytest.mark.parametrize(("shell", "tools"), CELLS)
def test_every_entry_from_inside_and_of_the_image(
    make_container: Callable[..., Container], shell: str, tools: str
) -> None:
    programs = TOOLS if tools == "toybox" or shell == "mksh" else WITH_GZIP  # Debian's toybox has no gzip
    container = make_container(shell, tools, names=programs)
    _fill(container)
    paths = ("/usr", "/sbin", "/etc/app.conf", "/etc/dangling", "/etc/to-file", "/nothing")
    queries = [Query("listing", path) for path in paths]
    inside = container.collect(*queries, read_only=True)
    if tools == "none":
        assert (
            inside["listing:/usr"].status == UNSUPPORTED
            and "a listing needs find" in inside["listing:/usr"].cause
        )
        assert inside["listing:/nothing"].status == ABSENT
        return
    scanner = make_container(shell, tools, names=programs)
    fill_scanner(scanner)
    image = MountedImage(scanner, container).collect(*queries)
    for facts in (inside, image):
        usr, sbin, conf, dangling, to_file, nothing = (facts.get_fact(query) for query in queries)
        assert _entries(usr) == _truth(container, "/usr")
        assert (usr.value["place"], usr.value["link_target"], usr.value["unread"]) == ("/usr", None, [])
        assert (sbin.value["place"], sbin.value["link_target"]) == ("/usr/bin", "usr/bin")
        assert sorted(_entries(sbin)) == ["/usr/bin", "/usr/bin/su", "/usr/bin/tool"]
        assert list(_entries(conf)) == ["/etc/app.conf"]
        assert dangling.value["link_target"] == "/nowhere" and dangling.value["entries"] == []
        assert to_file.value["link_target"] == "app.conf" and to_file.value["entries"] == []
        assert nothing.status == ABSENT
    assert "/usr/bin/forged" not in _entries(inside["listing:/usr"])


@pytest.mark.parametrize("tools", ["gnu", "busybox", "toybox"])
def test_directories_that_may_not_be_read_are_named(
    make_container: Callable[..., Container], tools: str
) -> None:
    container = make_container(tools=tools)
    _fill(container)
    (container.root / "usr/closed").chmod(0o700)
    fact = container.fact(Query("listing", "/usr"), NOBODY)
    assert fact.value["unread"] == ["/usr/closed"]
    assert "/usr/closed" in _entries(fact) and "/usr/closed/inner" not in _entries(fact)
    # listed, but not searched: the names in it can be read, their status cannot
    (container.root / "usr/closed").chmod(0o744)
    assert container.fact(Query("listing", "/usr"), NOBODY).status == UNREADABLE
    assert container.fact(Query("listing", "/usr/closed"), NOBODY).status == UNREADABLE
    (container.root / "usr/clo\nsed").mkdir(mode=0o700)
    (container.root / "usr/closed").chmod(0o755)
    assert container.fact(Query("listing", "/usr"), NOBODY).status == UNREADABLE


def test_other_file_systems_are_not_entered(make_container: Callable[..., Container]) -> None:
    container = make_container()
    _fill(container)
    container.write("/sys/x")
    (container.root / "mnt").mkdir()
    mounting = "mount -t tmpfs none /mnt && cp -p /usr/bin/su /mnt/su && exec /bin/sh"
    container.add_programs("dash", "busybox", ["mount", "cp"])
    fact = container.fact(Query("listing", "/"), argv=["/bin/sh", "-c", mounting])
    entries = _entries(fact)
    assert (
        fact.value["place"] == "/"
        and entries["/"][0] == "directory"
        and "/mnt" in entries
        and "/usr/bin/su" in entries
    )
    assert not any(path.startswith(("/mnt/", "/proc", "/sys", "/dev")) for path in entries)


def test_half_a_listing_is_none(make_container: Callable[..., Container]) -> None:
    container = make_container()
    _fill(container)
    facts = container.collect(Query("listing", "/usr", (("limit", 10),)), Query("listing", "/usr"))
    assert [fact.status for fact in facts.values()] == [TOO_LARGE, OK]
    for number in range(6500):
        (container.root / "usr" / (f"{number:04d}" + "x" * 200)).touch()
    too_large = container.fact(Query("listing", "/usr"))
    assert too_large.status == TOO_LARGE and too_large.value is None
    packed = make_container(names=WITH_GZIP)
    packed.root = container.root
    container.add_program("gzip")
    assert len(_entries(container.fact(Query("listing", "/usr")))) > 6500
    (container.root / "bin/find").unlink()
    container.write("/bin/find", "#!/bin/sh\nexec sleep 60\n", mode=0o755)
    assert container.fact(Query("listing", "/usr", (("seconds", 1),))).status in (TIMED_OUT, TOO_LARGE)
