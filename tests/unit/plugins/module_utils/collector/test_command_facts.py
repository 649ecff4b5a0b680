# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""command: programs of the container that a profile names, bounded in time and output, and never by a shell."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.commands import join_command
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
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import make_request
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.support.chroot_container import (
    CELLS,
    NOBODY,
    TOOLS,
    Container,
)
from ansible_collections.securescan.kubernetes.tests.support.waiting import wait_until

pytestmark = pytest.mark.in_container

WITH_SETSID = [*TOOLS, "setsid"]
ECHO = '#!/bin/dash\nfor word; do printf "<%s>" "$word"; done\nprintf "to stderr\\n" >&2\nexit 7\n'


def _command(*argv: str, **options: int) -> Query:
    return Query("command", join_command(argv), tuple(options.items()))


def _check(fact: Fact, status: int, stdout: bytes, stderr: bytes) -> None:
    assert (fact.status, fact.value) == (OK, {"exit_status": status, "stdout": stdout, "stderr": stderr}), (
        fact
    )


@pytest.mark.parametrize("names", [TOOLS, WITH_SETSID], ids=["", "setsid"])
@pytest.mark.parametrize(("shell", "tools"), CELLS)
def test_every_shell_runs_a_program(
    make_container: Callable[..., Container], shell: str, tools: str, names: list[str]
) -> None:
    container = make_container(shell, tools, names=names).add_program("dash")
    container.write("/opt/bin/say words", ECHO, mode=0o755)
    words = ("", " ", "-n", "a'b\"c", "$(id)`id`;&|", "two\nlines\n", "*", "üñí", "\\n")
    by_path, by_name, missing, elsewhere = (
        _command("/opt/bin/say words", *words),
        _command("say words"),
        _command("no program"),
        _command("/no/program"),
    )
    facts = container.collect(
        by_path,
        by_name,
        missing,
        elsewhere,
        identity=NOBODY,
        read_only=True,
        env={"PATH": "/bin:relative::/opt/bin"},
    )
    if tools == "none":
        assert {fact.status for fact in facts.values()} == {UNSUPPORTED}
        assert "needs sleep, head, and base64 or od" in facts.get_fact(by_path).cause
        return
    _check(facts.get_fact(by_path), 7, "".join(f"<{word}>" for word in words).encode(), b"to stderr\n")
    _check(facts.get_fact(by_name), 7, b"", b"to stderr\n")
    assert (facts.get_fact(missing).status, facts.get_fact(missing).cause) == (
        ABSENT,
        "there is no program no program",
    )
    assert facts.get_fact(elsewhere).status == ABSENT


@pytest.mark.parametrize(("shell", "tools"), [cell for cell in CELLS if cell[1] != "none"])
def test_bounds_of_output(make_container: Callable[..., Container], shell: str, tools: str) -> None:
    container = make_container(shell, tools, names=WITH_SETSID).add_program("dash")
    container.write("/bin/much", "#!/bin/dash\nwhile :; do printf 0123456789; done\n", mode=0o755)
    container.write("/bin/complain", "#!/bin/dash\nwhile :; do printf 0123456789 >&2; done\n", mode=0o755)
    container.write("/bin/bytes", b"#!/bin/dash\ncat /data\n", mode=0o755)
    container.write("/data", bytes(range(256)) * 4)
    container.write(
        "/bin/forge", "#!/bin/dash\nprintf 'x=0\\n=9\\n'; printf '=5\\n' >&2; exit 3\n", mode=0o755
    )
    begun = time.monotonic()
    facts = container.collect(
        _command("much", limit=1000),
        _command("complain", limit=1000),
        _command("bytes", limit=1024),
        _command("bytes", limit=1023),
        _command("forge"),
    )
    much, complain, whole, cut, forged = facts.values()
    assert time.monotonic() - begun < 35
    assert (much.status, much.cause) == (TOO_LARGE, "its stdout has more than 1000 bytes")
    assert (complain.status, complain.cause) == (TOO_LARGE, "its stderr has more than 1000 bytes")
    _check(whole, 0, bytes(range(256)) * 4, b"")
    assert cut.status == TOO_LARGE
    _check(forged, 3, b"x=0\n=9\n", b"=5\n")


@pytest.mark.parametrize(
    ("shell", "tools"), [("dash", "gnu"), ("bash", "busybox"), ("mksh", "toybox"), ("ash", "busybox")]
)
def test_what_a_program_leaves_behind_is_ended(
    make_container: Callable[..., Container], shell: str, tools: str
) -> None:
    """Both what runs on behind a program that ended, and what a program started that had to be stopped."""
    container = make_container(shell, tools, names=WITH_SETSID).add_program("dash")
    container.write("/bin/leaver", "#!/bin/dash\nsleep 641 &\nsleep 642 &\nprintf done\n", mode=0o755)
    container.write("/bin/waiter", "#!/bin/dash\nsleep 643 &\nsleep 644\n", mode=0o755)
    begun = time.monotonic()
    left, waited = container.collect(_command("leaver"), _command("waiter", seconds=1)).values()
    assert time.monotonic() - begun < 60
    _check(left, 0, b"done", b"")
    assert (waited.status, waited.cause) == (TIMED_OUT, "it took more than 1 seconds, or was killed")
    # what is killed is there until the machine gets to it
    wait_until(lambda: not _running(container), "what the programs have left ends")


def _running(container: Container) -> list[int]:
    """Processes whose root is the container's."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "root").resolve() == container.root.resolve() and "State:\tZ" not in (
                folder / "status"
            ).read_text():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def test_what_a_program_is_given(make_container: Callable[..., Container]) -> None:
    container = make_container().add_program("dash")
    container.write(
        "/bin/env", '#!/bin/dash\nread -r l; echo "stdin=$l" "$LC_ALL" "$TZ" "$PWD" "$OWN"\n', mode=0o755
    )
    fact = container.fact(
        _command("env"), env={"PATH": "/bin", "OWN": "kept", "LC_ALL": "de_DE.UTF-8", "TZ": "Asia/Tokyo"}
    )
    _check(fact, 0, b"stdin= C UTC / kept\n", b"")


def test_names_of_functions_and_builtins_are_programs(make_container: Callable[..., Container]) -> None:
    container = make_container(names=WITH_SETSID).add_program("dash")
    for name in ("put", "cd", "exit", "limited"):
        container.write("/bin/" + name, '#!/bin/dash\nprintf %s "$0"\n', mode=0o755)
        _check(container.fact(_command(name)), 0, b"/bin/" + name.encode(), b"")


def test_programs_that_cannot_be_started(make_container: Callable[..., Container]) -> None:
    container = make_container().add_program("dash")
    container.write("/bin/data", "no program", mode=0o644)
    container.write("/private/tool", ECHO, mode=0o755)
    (container.root / "private").chmod(0o700)
    fact = container.fact(_command("data"), NOBODY)
    assert fact.value["exit_status"] == 126 and b"ermission" in fact.value["stderr"]
    assert container.fact(_command("/tmp")).value["exit_status"] == 126
    assert container.fact(_command("/private/tool"), NOBODY).status == UNREADABLE
    assert container.fact(_command("tool"), NOBODY, env={"PATH": "/private:/bin"}).status == UNREADABLE


def test_it_is_refused_where_the_time_is_over(make_container: Callable[..., Container]) -> None:
    facts = make_container().collect(_command("sleep", "1"), _command("sleep", "0"), time_limit=1)
    assert [fact.status for fact in facts.values()] == [OK, TIMED_OUT]


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "id",
        '"id"',
        "[]",
        "{}",
        "[1]",
        '["id", "-u"]',
        '[""]',
        '["-x"]',
        '["a/b"]',
        '["/"]',
        '["/bin/"]',
        '["id","a\\u0000"]',
        '["id","\\ud800"]',
        '["i\\nd"]',
        '["id",["x"]]',
        join_command(["x"] * 101),
        join_command(["x", "y" * 9000]),
        '["id"]\n',
    ],
)
def test_bad_commands_are_refused(subject: str) -> None:
    with pytest.raises(ScanError, match="command"):
        make_request([Query("command", subject)])


@pytest.mark.parametrize(
    "options", [{"seconds": 0}, {"seconds": 301}, {"limit": 0}, {"limit": 2 << 20}, {"shell": 1}]
)
def test_bad_bounds_are_refused(options: Any) -> None:
    with pytest.raises(ScanError, match="command"):
        make_request([_command("id", **options)])
