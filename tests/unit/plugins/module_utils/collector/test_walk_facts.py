# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""walk: what is found, what is never entered, and that an unfinished walk is never ok."""

from __future__ import annotations

import os
import re
import subprocess
import time
from typing import Any, Callable

import pytest
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
    ROOT,
    Container,
)
from ansible_collections.securescan.kubernetes.tests.support.waiting import wait_until

pytestmark = pytest.mark.in_container

MATCHES = ("setuid", "setgid", "world_writable", "unowned")


def _walk(path: str, match: str, **options: int) -> Query:
    return Query("walk", path, (("match", match), *options.items()))


def _named(path: str, name: str) -> Query:
    return Query("walk", path, (("match", "named"), ("name", name)))


def _runs(container: Container) -> int:
    """How often find was run."""
    return len(re.findall(rb"^frame q\d+\.names ", container.output, re.MULTILINE))


def _paths(fact: Fact) -> list[str]:
    return [entry["path"] for entry in fact.value["entries"]]


def _fill(container: Container) -> None:
    container.write("/etc/passwd", "root:x:0:0::/:\napp:x:1000:1000::/:\nbroken:x::1:\nlast:x:1001:5::/:")
    container.write("/etc/group", "root:x:0:\napp:x:1000:\n")
    os.chown(container.root / "etc/passwd", 0, 0)
    container.write("/usr/bin/su", mode=0o4755)
    container.write("/usr/bin/both", mode=0o6755, owner=(1000, 1000))
    container.write("/usr/bin/wall", mode=0o2755)
    container.write("/usr/bin/plain", mode=0o755)
    container.write("/usr/open", mode=0o666)
    container.write("/usr/all", mode=0o6777, owner=(77, 77))
    container.write("/usr/lost", owner=(1002, 1000))
    container.write("/usr/group lost", owner=(1001, 77))
    container.write("/usr/proc/kept", mode=0o666)
    for name, mode in (("shared", 0o777), ("sticky", 0o1777), ("setgid", 0o2755)):
        (container.root / "usr" / name).mkdir()
        (container.root / "usr" / name).chmod(mode)
    (container.root / "usr/link").symlink_to("open")
    for name in (b"new\nline", b"\xff\xfe", b"with space", b"quo'te", b"-x", b"=0\n", b"!1 1!"):
        path = container.root / "usr/odd" / os.fsdecode(name)
        path.parent.mkdir(exist_ok=True)
        path.touch()
        path.chmod(0o4644)


@pytest.mark.parametrize(("shell", "tools"), CELLS)
def test_each_predicate_finds_what_python_s_own_calls_find(
    make_container: Callable[..., Container], shell: str, tools: str
) -> None:
    container = make_container(shell, tools)
    _fill(container)
    facts = container.collect(
        *(_walk("/usr", match) for match in MATCHES),
        _walk("/", "setuid"),
        _walk("/etc", "setuid"),
        read_only=True,
    )
    if tools == "none":
        assert all(
            fact.status == UNSUPPORTED and "a walk needs find" in fact.cause for fact in facts.values()
        )
        return
    assert [fact.status for fact in facts.values()] == [OK] * 6, facts
    setuid, setgid, writable, unowned, everywhere, nothing = (_paths(fact) for fact in facts.values())
    odd = [
        "/usr/odd/" + name
        for name in ("!1 1!", "-x", "=0\n", "\\xff\\xfe", "new\nline", "quo'te", "with space")
    ]
    assert setuid == sorted(["/usr/all", "/usr/bin/both", "/usr/bin/su", *odd])
    assert setgid == ["/usr/all", "/usr/bin/both", "/usr/bin/wall"]
    assert writable == ["/usr/all", "/usr/open", "/usr/proc/kept", "/usr/shared"]
    assert unowned == ["/usr/all", "/usr/group lost", "/usr/lost"]
    assert everywhere == setuid and nothing == []
    assert all(fact.value["complete"] for fact in facts.values())


def test_other_file_systems_are_not_entered(make_container: Callable[..., Container]) -> None:
    container = make_container()
    _fill(container)
    for name in ("proc/x", "sys/x", "dev/x"):
        container.write("/" + name, mode=0o4755)
    (container.root / "mnt").mkdir()
    mounting = "mount -t tmpfs none /mnt && cp -p /usr/bin/su /mnt/su && exec /bin/sh"
    container.add_programs("dash", "busybox", ["mount", "cp"])
    fact = container.fact(_walk("/", "setuid"), argv=["/bin/sh", "-c", mounting], proc="")
    assert fact.status == OK and "/usr/bin/su" in _paths(fact)
    assert not any(path.startswith(("/mnt", "/proc", "/sys", "/dev")) for path in _paths(fact))
    asked = container.fact(_walk("/mnt", "setuid"), argv=["/bin/sh", "-c", mounting])
    assert _paths(asked) == ["/mnt/su"]


@pytest.mark.parametrize("tools", ["gnu", "busybox", "toybox"])
def test_an_unfinished_walk_is_not_ok(make_container: Callable[..., Container], tools: str) -> None:
    container = make_container(tools=tools)
    _fill(container)
    (container.root / "usr/shared").chmod(0o700)
    (container.root / "usr/odd").chmod(0o711)
    blocked = container.fact(_walk("/usr", "setuid"), NOBODY)
    assert (blocked.status, blocked.value["complete"], blocked.value["unreadable"]) == (UNREADABLE, False, 2)
    assert blocked.value["closed"] == 1, "who knows a name in /usr/odd reaches the file"
    assert "/usr/bin/su" in _paths(blocked)
    limited = container.collect(_walk("/usr", "setuid", limit=3), _walk("/usr", "setuid", limit=10))
    assert [fact.status for fact in limited.values()] == [TOO_LARGE, OK]
    for number in range(200):
        os.link(container.root / "usr/bin/su", container.root / "usr" / (f"{number:03d}" + "x" * 240))
    cut = container.fact(_walk("/usr", "setuid"))
    assert cut.status == TOO_LARGE or len(_paths(cut)) == 210
    for number in range(200, 500):
        os.link(container.root / "usr/bin/su", container.root / "usr" / (f"{number:03d}" + "x" * 240))
    cut = container.fact(_walk("/usr", "setuid"))
    assert cut.status == TOO_LARGE and not cut.value["complete"]


def test_a_slow_walk_is_stopped_and_leaves_no_process(make_container: Callable[..., Container]) -> None:
    container, name = make_container(), f"4242{os.getpid()}"
    _fill(container)
    (container.root / "bin/find").unlink()
    container.write("/bin/find", f"#!/bin/sh\nexec sleep {name}\n", mode=0o755)
    began = time.monotonic()
    facts = container.collect(
        _walk("/usr", "setuid", seconds=1),
        _walk("/usr", "setgid"),
        _walk("/etc", "setuid"),
        Query("os"),
        time_limit=2,
    )
    assert 1 < time.monotonic() - began < 50
    assert [fact.status for fact in facts.values()][:3] == [TIMED_OUT] * 3

    def running() -> str:
        return subprocess.run(["ps", "ax", "-o", "args"], capture_output=True, check=True, text=True).stdout

    # what is killed is there until the machine gets to it
    wait_until(lambda: f"sleep {name}" not in running(), "the program that was stopped has ended")


@pytest.mark.parametrize(
    ("program", "status"),
    [("exit 1", UNREADABLE), ("exit 127", UNREADABLE), ("echo text", UNSUPPORTED), ("kill -9 $$", TIMED_OUT)],
)
def test_a_find_that_misbehaves_is_not_ok(
    make_container: Callable[..., Container], program: str, status: str
) -> None:
    container = make_container()
    (container.root / "bin/find").unlink()
    container.write("/bin/find", f"#!/bin/sh\n{program}\n", mode=0o755)
    assert container.fact(_walk("/", "setuid")).status == status


def test_what_vanishes_while_a_walk_runs_is_left_out_and_costs_nothing(
    make_container: Callable[..., Container],
) -> None:
    container = make_container()
    (container.root / "bin/find").unlink()
    program = "#!/bin/sh\necho \"find: '/usr/x': No such file or directory\" >&2\nexit 1\n"
    container.write("/bin/find", program, mode=0o755)
    fact = container.fact(_walk("/", "world_writable"))
    assert fact.ok and fact.value == {"entries": [], "complete": True, "unreadable": 0, "closed": 0}


def test_a_walk_that_was_stopped_between_two_names_claims_nothing_of_the_last(
    make_container: Callable[..., Container],
) -> None:
    container = make_container()
    printed = "/a\\000" * 8 + "/b\\000" * 5 + "/b"
    (container.root / "bin/find").unlink()
    container.write("/bin/find", f"#!/bin/sh\nprintf '{printed}'\nkill -9 $$\n", mode=0o755)
    facts = container.collect(_walk("/", "setuid"), _walk("/", "setgid"))
    assert [(fact.status, _paths(fact)) for fact in facts.values()] == [(TIMED_OUT, ["/a"]), (TIMED_OUT, [])]


def test_where_nothing_can_be_walked(make_container: Callable[..., Container]) -> None:
    container = make_container()
    _fill(container)
    (container.root / "usr/shared").chmod(0o700)
    facts: Any = container.collect(
        _walk("/nowhere", "setuid"),
        _walk("/usr/open", "setuid"),
        _walk("/usr/shared/x", "setuid"),
        identity=NOBODY,
    )
    assert [fact.status for fact in facts.values()] == [ABSENT, UNSUPPORTED, UNREADABLE]
    (container.root / "etc/group").unlink()
    facts = container.collect(_walk("/usr", "unowned"), _walk("/usr", "setuid"), identity=ROOT)
    assert [fact.status for fact in facts.values()] == [UNSUPPORTED, OK]


@pytest.mark.parametrize(("shell", "tools"), CELLS)
def test_a_line_that_names_nobody_makes_no_owner(
    make_container: Callable[..., Container], shell: str, tools: str
) -> None:
    if tools == "none":
        pytest.skip("there is no find")
    container = make_container(shell, tools)
    users = {
        0: "root:x:0:0::/:",
        1000: "app:x:1000:1000:a:b:c:d",
        1001: "  spaced:x:1001:5::/:",
        1002: "last:x:1002:5::/:",
        1230: "#old:x:1230:1230::/:",
        1231: " \t#old:x:1231:1231::/:",
        1232: "+nis:x:1232:1232::/:",
        1233: "-nis:x:1233:1233::/:",
        1234: "junk:x:1234",
        1235: "short:x:1235:1235::/",
        1236: "group:x:1236:::/:",
        1237: "word:x:1237:app::/:",
        1238: ":x:1238:1238::/:",
    }
    groups = {0: "root:x:0:", 5: "g:x:5:a,b", 1230: "#old:x:1230:", 1232: "+:x:1232:", 1234: "junk:x:1234"}
    container.write("/etc/passwd", "\n".join(["", *users.values()]))
    container.write("/etc/group", "\n".join(groups.values()) + "\n")
    for path in ("/etc/passwd", "/etc/group"):
        os.chown(f"{container.root}{path}", 0, 0)
    for number in users:
        container.write(f"/data/u{number}", owner=(number, 5))
    for number in groups:
        container.write(f"/data/g{number}", owner=(0, number))
    fact = container.fact(_walk("/data", "unowned"), identity=ROOT)
    assert fact.status == OK
    nobody = [f"/data/u{number}" for number in users if number > 1002]
    assert _paths(fact) == ["/data/g1230", "/data/g1232", "/data/g1234", *nobody]


@pytest.mark.parametrize(("shell", "tools"), CELLS)
def test_walks_below_another_one_share_its_run(
    make_container: Callable[..., Container], shell: str, tools: str
) -> None:
    if tools == "none":
        pytest.skip("there is no find")
    container = make_container(shell, tools)
    _fill(container)
    container.write("/opt/app/helper", mode=0o4755, owner=(77, 77))
    container.write("/home/u/.rhosts", "+ +\n", owner=(1000, 1000))
    container.write("/root/.shosts")
    (container.root / "home/.rhosts").mkdir()
    (container.root / "bin2").symlink_to("usr/bin")
    together = container.collect(
        _walk("/usr", "unowned"),
        _walk("/", "setuid"),
        _walk("/", "world_writable"),
        _named("/", ".rhosts"),
        _named("/", ".?hosts"),
        _walk("/opt", "unowned"),
        _walk("/usr/bin", "setgid"),
    )
    assert _runs(container) == 1
    assert [fact.status for fact in together.values()] == [OK] * 7, together
    unowned, setuid, writable, rhosts, both, in_opt, setgid = (_paths(fact) for fact in together.values())
    assert unowned == ["/usr/all", "/usr/group lost", "/usr/lost"] and in_opt == ["/opt/app/helper"]
    assert "/opt/app/helper" in setuid and "/usr/bin/su" in setuid
    assert writable == ["/usr/all", "/usr/open", "/usr/proc/kept", "/usr/shared"]
    assert rhosts == ["/home/u/.rhosts"] and both == ["/home/u/.rhosts", "/root/.shosts"]
    assert setgid == ["/usr/bin/both", "/usr/bin/wall"]
    linked = container.collect(_walk("/", "setuid"), _walk("/bin2", "setuid"))
    assert _runs(container) == 2 and _paths(list(linked.values())[1]) == ["/bin2/both", "/bin2/su"]


def test_a_walk_on_another_file_system_has_a_run_of_its_own(make_container: Callable[..., Container]) -> None:
    container = make_container()
    _fill(container)
    (container.root / "mnt").mkdir()
    mounting = "mount -t tmpfs none /mnt && mkdir /mnt/x && cp -p /usr/bin/su /mnt/x/su && exec /bin/sh"
    container.add_programs("dash", "busybox", ["mount", "cp", "mkdir"])
    argv = ["/bin/sh", "-c", mounting]
    facts = container.collect(_walk("/", "setuid"), _walk("/mnt/x", "setuid"), argv=argv)
    assert _runs(container) == 2
    everywhere, mounted = (_paths(fact) for fact in facts.values())
    assert mounted == ["/mnt/x/su"] and "/mnt/x/su" not in everywhere


@pytest.mark.parametrize("tools", ["gnu", "busybox", "toybox"])
def test_what_the_user_cannot_reach_is_closed_and_nothing_else(
    make_container: Callable[..., Container], tools: str
) -> None:
    container = make_container(tools=tools)
    for name, mode, owner in (
        ("closed", 0o700, 0),
        ("listed", 0o744, 0),  # its names are known, and nothing about them
        ("searched", 0o711, 0),
        ("own", 0o000, NOBODY.uid),
        ("quo'te", 0o700, 0),
    ):
        container.write(f"/srv/{name}/inner/file", mode=0o4755)
        (container.root / "srv" / name).chmod(mode)
        os.chown(container.root / "srv" / name, owner, owner)
    (container.root / "srv/link").symlink_to("closed")

    def seen(path: str) -> tuple[str, int, int]:
        fact = container.fact(_walk(path, "setuid"), NOBODY)
        return fact.status, fact.value["unreadable"], fact.value["closed"]

    def move(name: str, to: str) -> None:
        os.rename(container.root / name, container.root / to)

    for name in ("closed", "listed", "searched", "own"):
        move(f"srv/{name}", name)
    assert seen("/srv") == (UNREADABLE, 1, 0), "a quoted name is not taken apart"
    move("srv/quo'te", "quote")
    for name in ("closed", "listed"):
        move(name, f"srv/{name}")
    status, unreadable, closed = seen("/srv")
    assert status == OK and unreadable == closed >= 2
    move("searched", "srv/searched")
    assert seen("/srv") == (UNREADABLE, unreadable + 1, closed)
    move("own", "srv/own")
    assert seen("/srv") == (UNREADABLE, unreadable + 2, closed)
