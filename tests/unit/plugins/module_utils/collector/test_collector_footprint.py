# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a collection does to a container: nothing. And what the container can do to the collection."""

from __future__ import annotations

import ctypes
import os
import pickle
import re
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector import collect, request, script
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    ABSENT,
    OK,
    TIMED_OUT,
    TOO_LARGE,
    UNREADABLE,
    UNSUPPORTED,
    Query,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.support.chroot_container import (
    CELLS,
    NONCE,
    Container,
)

pytestmark = pytest.mark.in_container

EVERYTHING = (
    *map(
        Query,
        ("os", "passwd", "shadow", "group", "packages", "sockets", "mounts", "environment", "process_status"),
    ),
    *(
        Query("file", path)
        for path in ("/etc/passwd", "/etc/shadow", "/etc/link", "/nowhere", "/tmp", "/bin/sh", "/etc/*")
    ),
    Query("content", "/etc/login.defs"),
    Query("content", "/etc/empty"),
    Query("content", "/proc/version"),
    Query("sha256", "/etc/login.defs"),
    Query("sysctl", "kernel.pid_max"),
    Query("sysctl", "no.such"),
    Query("walk", "/", (("match", "setuid"),)),
    Query("walk", "/etc", (("match", "unowned"),)),
)


def _fill(container: Container) -> None:
    for name, text in {
        "passwd": "root:x:0:0:root:/root:/bin/sh\n",
        "shadow": "root:*:1::::::\n",
        "group": "root:x:0:\n",
        "empty": "",
        "login.defs": "UMASK 027\n",
        "os-release": "ID=debian\nVERSION_ID=12\n",
        "*": "star",
        "dir/x": "",
    }.items():
        container.write("/etc/" + name, text)
    container.write(
        "/var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n"
    )
    (container.root / "etc/link").symlink_to("passwd")


@pytest.mark.parametrize(("shell", "tools"), CELLS)
def test_nothing_is_written_and_no_process_is_left(
    make_container: Callable[..., Container], shell: str, tools: str
) -> None:
    container = make_container(shell, tools)
    _fill(container)
    before = container.list_tree()
    assert _run_as_reaper(container) == {"facts": len(EVERYTHING), "left": 0}
    assert container.list_tree() == before


def _run_as_reaper(container: Container) -> Any:
    """Collect in a child that inherits orphans, as a container's first process does; how many there were."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
            result: dict[str, Any] = {
                "facts": len(container.collect(*EVERYTHING, Query("processes"))) - 1,
                "left": 0,
            }
            try:
                while True:
                    os.waitpid(-1, os.WNOHANG)
                    result["left"] += 1
                    if result["left"] > 100:
                        break
            except ChildProcessError:
                pass
            os.write(writing, pickle.dumps(result))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        answer = stream.read()
    os.waitpid(pid, 0)
    return pickle.loads(answer) if answer else None


HOSTILE = {
    "PATH": "/bin",
    "IFS": "a/",
    "LC_ALL": "C.UTF-8",
    "LANG": "de_DE.UTF-8",
    "TZ": "Asia/Tokyo",
    "POSIXLY_CORRECT": "1",
    "CDPATH": "/tmp:/etc",
    "GLOBIGNORE": "*",
    "GREP_OPTIONS": "-v",
    "SHELLOPTS": "errexit:nounset:xtrace",
    "BASHOPTS": "failglob:nocasematch",
    "ENV": "/etc/env",
    "BASH_ENV": "/etc/env",
    "o": "garbage",
    "P": " rpm ",
    "ROOT": "/nowhere",
    "n": "7",
    "enc": "false",
    "st": "/etc/passwd",
    "BASH_FUNC_stat%%": "() { echo hacked; }",
    "BASH_FUNC_[%%": "() { return 0; }",
    "BASH_FUNC_printf%%": "() { :; }",
    "BASH_FUNC_put%%": "() { :; }",
    "PROMPT_COMMAND": "echo hacked",
    "LD_BIND_NOW": "1",
    "u": "x[$(echo hacked >/tmp/u)]",
}


@pytest.mark.parametrize(("shell", "tools"), [cell for cell in CELLS if cell[1] != "none"])
def test_the_environment_changes_nothing(
    make_container: Callable[..., Container], shell: str, tools: str
) -> None:
    container = make_container(shell, tools)
    _fill(container)
    container.write("/etc/env", "echo hacked\n")
    before, plain = container.list_tree(), container.collect(*EVERYTHING)
    wanted = request.make_request(EVERYTHING)
    done = container.run(script.build_script(wanted, NONCE), env=HOSTILE)
    hostile = collect.read_facts(
        wanted, done.stdout, NONCE
    )  # bash's xtrace speaks on stderr before the script ends it
    for key, fact in plain.items():
        if key not in ("environment", "sockets", "mounts"):
            assert hostile[key] == fact, key
    assert hostile["environment"].status == plain["environment"].status
    assert container.list_tree() == before


@pytest.mark.parametrize(("shell", "tools"), [cell for cell in CELLS if cell[1] != "none"])
def test_variables_of_the_environment_are_not_ours(
    make_container: Callable[..., Container], shell: str, tools: str
) -> None:
    """A variable that comes exported stays so, and a long text in it lets every program fail to start."""
    container = make_container(shell, tools)
    _fill(container)
    container.write("/big", b"x" * 200_000)
    container.write("/var/lib/dpkg/status", "Package: a\nVersion: 1\n\n" * 10_000)
    queries = (Query("content", "/big"), *EVERYTHING, Query("sha256", "/big"), Query("file", "/big"))
    names = set(
        re.findall(
            rb"(?<![\w$-])([a-z_][a-z0-9_]*|[A-Z])=",
            script.build_script(request.make_request(queries), NONCE),
        )
    )
    assert len(names) > 30
    env = {"PATH": "/bin", **{name.decode(): "x" for name in names}}
    plain, fact = container.collect(*queries), container.collect(*queries, env=env)
    for query in queries:
        if query.kind not in ("environment", "sockets", "mounts"):
            assert fact.get_fact(query) == plain.get_fact(query), query.key
    assert fact.get_fact(Query("packages")).status == OK


@pytest.mark.parametrize("shell", ["dash", "bash", "mksh", "ash"])
def test_a_script_that_was_cut_off_does_nothing(make_container: Callable[..., Container], shell: str) -> None:
    container = make_container(shell, "busybox")
    _fill(container)
    wanted = request.make_request(EVERYTHING)
    whole = script.build_script(wanted, NONCE)
    for length in [*range(0, len(whole) - 20, 1717), len(whole) - 18, len(whole) - 14]:
        done = container.run(whole[:length])
        assert done.stdout == b""
        with pytest.raises(ScanError, match="incomplete"):
            collect.read_facts(wanted, done.stdout, NONCE)


def test_what_follows_the_script_is_not_run(make_container: Callable[..., Container]) -> None:
    container = make_container()
    wanted = request.make_request([Query("os")])
    done = container.run(script.build_script(wanted, NONCE) + b"echo more\n")
    assert collect.read_facts(wanted, done.stdout, NONCE) and done.returncode == 0


def test_without_dev_null_it_says_so(make_container: Callable[..., Container]) -> None:
    container = make_container()
    (container.root / "dev/null").unlink()
    done = container.run(script.build_script(request.make_request(EVERYTHING), NONCE))
    assert (done.returncode, done.stdout, done.stderr) == (3, b"", b"the container has no /dev/null\n")
    assert not (container.root / "dev/null").exists()


@pytest.mark.parametrize(("shell", "tools"), [cell for cell in CELLS if cell[1] != "none"])
def test_what_is_above_its_limit_is_too_large(
    make_container: Callable[..., Container], shell: str, tools: str
) -> None:
    container = make_container(shell, tools)
    container.write("/a", b"x" * 3000)
    container.write("/b", b"y" * 3000)
    (container.root / "sparse").touch()
    os.truncate(container.root / "sparse", 1 << 40)
    small = (("limit", 3000),)
    facts = container.collect(
        Query("content", "/a", (("limit", 2999),)),
        Query("content", "/b", small),
        Query("content", "/sparse"),
        Query("sha256", "/sparse"),
        Query("sha256", "/a", (("limit", 100),)),
        Query("file", "/sparse"),
        Query("content", "/proc/kallsyms", small),
        Query("content", "/proc/cpuinfo", (("limit", 5),)),
    )
    assert [fact.status for fact in facts.values()] == [
        TOO_LARGE,
        OK,
        TOO_LARGE,
        TOO_LARGE,
        TOO_LARGE,
        OK,
        TOO_LARGE,
        TOO_LARGE,
    ]
    assert facts["file:/sparse"].value["size"] == 1 << 40
    assert container.fact(Query("sha256", "/proc/version")).status == UNSUPPORTED
    tight = container.collect(
        Query("content", "/a"), Query("content", "/b"), Query("file", "/a"), output_limit=4096
    )
    assert [fact.status for fact in tight.values()] == [TOO_LARGE, TOO_LARGE, OK]


def test_a_file_that_changes_while_it_is_read(make_container: Callable[..., Container]) -> None:
    """The files that are read together no longer fit their sizes: each is then read by itself."""
    container = make_container()
    container.write("/a", b"one\n")
    container.write("/b", b"two\n")
    (container.root / "bin/stat").rename(container.root / "bin/real")
    container.write("/bin/stat", '#!/bin/sh\n/bin/real "$@"; r=$?\necho more >>/a\nexit $r\n', mode=0o755)
    facts = container.collect(Query("content", "/a"), Query("content", "/b"), Query("content", "/c"))
    assert [(fact.status, fact.value) for fact in facts.values()] == [
        (OK, b"one\nmore\n"),
        (OK, b"two\n"),
        (ABSENT, None),
    ]


@pytest.mark.parametrize("tool", ["stat", "base64", "cat", "grep", "sha256sum", "readlink", "tr", "head"])
def test_tools_that_misbehave_never_give_absence(make_container: Callable[..., Container], tool: str) -> None:
    container = make_container()
    _fill(container)
    queries = (*EVERYTHING, Query("processes"), Query("sysctl", "kernel.ostype"))
    good = container.collect(*queries)
    (container.root / "bin" / tool).unlink()
    for program in ("exit 1", "echo 'x y z'", "kill -9 $$", "printf '\\377\\000\\n'; exit 2"):
        container.write("/bin/" + tool, f"#!/bin/sh\n{program}\n", mode=0o755)
        for key, fact in container.collect(*queries).items():
            assert fact.status == good[key].status or fact.status in (
                UNREADABLE,
                UNSUPPORTED,
                TOO_LARGE,
                TIMED_OUT,
            ), (
                key,
                program,
            )
            assert fact.cause or fact.status in (OK, ABSENT)
