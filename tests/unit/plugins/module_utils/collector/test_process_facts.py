# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""processes: in a process namespace of their own, with command lines that try to mislead."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector import collect, request, script
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    OK,
    UNREADABLE,
    UNSUPPORTED,
    Fact,
    Query,
)
from ansible_collections.securescan.kubernetes.tests.support.chroot_container import (
    CELLS,
    NONCE,
    Container,
)
from ansible_collections.securescan.kubernetes.tests.support.waiting import SECONDS, wait_until

pytestmark = pytest.mark.in_container


class Namespace:
    """A process namespace in a container, whose first process sleeps."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self._root = str(container.root)
        self._first = subprocess.Popen(
            [
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "--root",
                self._root,
                "--mount-proc=/proc",
                "/bin/sleep",
                "600",
            ]
        )
        self._children: list[subprocess.Popen[bytes]] = []
        children = Path(f"/proc/{self._first.pid}/task/{self._first.pid}/children")
        wait_until(
            lambda: any(
                Path(f"/proc/{child}/comm").read_text() == "sleep\n" for child in children.read_text().split()
            ),
            "the process namespace comes up",
        )
        self.first = children.read_text().split()[0]

    def enter(self, *argv: str, uid: int = 0) -> list[str]:
        return ["nsenter", "-t", self.first, "-m", "-p", "-r", "-w", "-S", str(uid), "-G", str(uid), *argv]

    def start(self, *argv: str, uid: int = 0) -> None:
        """Start a program that stops itself, and wait until it did, and until the first one sleeps: no state changes then."""
        self._children.append(subprocess.Popen(self.enter(*argv, uid=uid)))

        def has_stopped() -> bool:
            seen = self.see()
            return seen[0]["state"] == "S" and any(row["uid"] == uid and row["state"] == "T" for row in seen)

        wait_until(has_stopped, f"{argv[0]} stops itself")

    def begin(self, *argv: str, name: str) -> subprocess.Popen[bytes]:
        """Start a program from outside of the namespace, that waits for a line; returns when it has this name."""
        process = subprocess.Popen(self.enter(*argv), stdin=subprocess.PIPE)
        self._children.append(process)
        wait_until(lambda: any(row["name"] == name for row in self.see()), f"{argv[0]} comes up")
        return process

    def let_go(self) -> None:
        for process in self._children:
            if process.stdin:
                process.stdin.close()

    def see(self) -> list[dict[str, Any]]:
        """What Python sees in the namespace's /proc, without those that it holds itself."""
        rows = []
        for folder in sorted(
            Path(f"/proc/{self.first}/root/proc").glob("[0-9]*"), key=lambda path: int(path.name)
        ):
            try:
                status = dict(
                    line.split(":\t", 1)
                    for line in (folder / "status").read_text().splitlines()
                    if ":\t" in line
                )
                words = (folder / "cmdline").read_bytes().split(b"\0")[:-1]
            except (FileNotFoundError, ProcessLookupError):
                continue
            rows.append(
                {
                    "pid": int(folder.name),
                    "ppid": int(status["PPid"]),
                    "uid": int(status["Uid"].split()[1]),
                    "gid": int(status["Gid"].split()[1]),
                    "state": status["State"][0],
                    "name": status["Name"],
                    "cmdline": [word.decode("utf-8", "backslashreplace") for word in words],
                }
            )
        return rows

    def collect(self, *, uid: int = 0) -> Fact:
        wanted = request.make_request([Query("processes")])
        done = subprocess.run(
            self.enter("/bin/sh", uid=uid),
            input=script.build_script(wanted, NONCE),
            capture_output=True,
            check=True,
            timeout=SECONDS,
        )
        return collect.read_facts(wanted, done.stdout, NONCE).get_fact(Query("processes"))

    def mount_proc(self, options: str) -> None:
        subprocess.run(
            [
                "nsenter",
                "-t",
                self.first,
                "-m",
                "mount",
                "-o",
                "remount," + options,
                "-t",
                "proc",
                "proc",
                self._root + "/proc",
            ],
            check=True,
        )

    def show(self, name: str, text: str) -> None:
        """In the namespace that file of /proc has this text."""
        file = self.container.root / name
        file.write_text(text)
        bind = ["mount", "--bind", str(file), f"{self._root}/proc/{name}"]
        subprocess.run(["nsenter", "-t", self.first, "-m", *bind], check=True)

    def stop_the_clock(self) -> None:
        """From now on no time passes for a collector: how often it looks depends on what it sees alone."""
        self.show("uptime", "1000.00 1000.00\n")

    def close(self) -> None:
        self._first.terminate()
        for process in [self._first, *self._children]:
            process.kill()
            process.wait()


@pytest.fixture
def make_namespace(make_container: Callable[..., Container]) -> Iterator[Callable[..., Namespace]]:
    made: list[Namespace] = []

    def make(shell: str = "dash", tools: str = "gnu") -> Namespace:
        container = make_container(shell, tools)
        if not (container.root / "bin/sleep").exists():
            container.add_programs(shell, "busybox", ["sleep"])
        made.append(Namespace(container))
        return made[-1]

    yield make
    for namespace in made:
        namespace.close()


@pytest.mark.parametrize(("shell", "tools"), CELLS)
def test_processes_are_read_whatever_their_arguments_hold(
    make_namespace: Callable[..., Namespace], shell: str, tools: str
) -> None:
    namespace = make_namespace(shell, tools)
    namespace.start(
        "/bin/sh",
        "-c",
        "kill -STOP $$; :",
        "",
        "an argument\nof lines",
        "Pid:\t1\nName:\tinit",
        "ü\udcff\x01\x7f",
        uid=33,
    )
    fact = namespace.collect(uid=33)
    if (shell, tools) == ("dash", "none"):
        assert fact.status == UNSUPPORTED and "base64 or od" in fact.cause
        return
    assert fact.status == OK
    assert fact.value == namespace.see()
    mine = [row for row in fact.value if row["uid"] == 33]
    assert mine[0]["cmdline"][3:] == ["", "an argument\nof lines", "Pid:\t1\nName:\tinit", "ü\\xff\x01\x7f"]
    assert fact.value[0]["pid"] == 1 and fact.value[0]["cmdline"][-1] == "600"


def test_a_command_line_that_imitates_the_separator_costs_the_fact(
    make_namespace: Callable[..., Namespace],
) -> None:
    namespace = make_namespace()
    # a separator of its own: tests that run beside this one collect the processes of the whole machine
    namespace.show("version", "Linux version of this test\n")
    namespace.start("/bin/sh", "-c", "kill -STOP $$; :", "Linux version of this test\nx")
    fact = namespace.collect()
    assert fact.status == UNSUPPORTED and "told apart" in fact.cause


@pytest.mark.parametrize("option", ["hidepid=1", "hidepid=2", "hidepid=4"])
def test_hidden_processes_are_said_to_be_hidden(
    make_namespace: Callable[..., Namespace], option: str
) -> None:
    namespace = make_namespace()
    namespace.start("/bin/sh", "-c", "kill -STOP $$; :", uid=33)
    namespace.mount_proc(option)
    for uid in (33, 34):
        fact = namespace.collect(uid=uid)
        assert fact.status == UNREADABLE and fact.cause
    assert namespace.collect(uid=0).status == OK
    namespace.mount_proc("hidepid=0")
    assert namespace.collect(uid=34).status == OK


RUNTIME = "runc:[2:INIT]"


def _name_a_shell(namespace: Namespace, *names: str) -> None:
    """Copies of a shell: the kernel calls a process by its program's file."""
    namespace.container.add_program("dash")
    for name in names or [RUNTIME]:
        shutil.copy(namespace.container.root / "bin/dash", namespace.container.root / "bin" / name)


def _by_name(fact: Fact) -> dict[str, int]:
    return {row["name"]: row["uid"] for row in fact.value}


@pytest.mark.parametrize(
    ("shell", "tools", "name"),
    [
        ("dash", "gnu", RUNTIME),
        ("ash", "busybox", RUNTIME),
        ("mksh", "none", RUNTIME),
        ("bash", "toybox", "runc:[1:CHILD]"),
        ("dash", "busybox", "youki:[2:INIT]"),
        ("dash", "gnu", "crun"),
        ("dash", "gnu", "7"),
    ],
)
def test_what_a_runtime_starts_is_seen_as_what_it_becomes(
    make_namespace: Callable[..., Namespace], shell: str, tools: str, name: str
) -> None:
    namespace = make_namespace(shell, tools)
    _name_a_shell(namespace, name)
    namespace.begin(f"/bin/{name}", "-c", "read -r unused; exec /bin/sleep 600", name=name)
    namespace.stop_the_clock()
    threading.Timer(0.7, namespace.let_go).start()
    fact = namespace.collect(uid=33)
    if fact.status == UNSUPPORTED and tools == "none":
        return
    assert fact.status == OK and name not in _by_name(fact)
    assert [row["name"] for row in fact.value] == ["sleep", "sleep"]


def test_what_a_runtime_starts_is_left_out_once_it_has_ended(
    make_namespace: Callable[..., Namespace],
) -> None:
    namespace = make_namespace()
    _name_a_shell(namespace)
    namespace.begin(f"/bin/{RUNTIME}", "-c", "read -r unused; exit", name=RUNTIME)
    namespace.stop_the_clock()
    threading.Timer(0.7, namespace.let_go).start()
    assert _by_name(namespace.collect()) == {"sleep": 0}


def test_a_process_that_calls_itself_like_a_runtime_and_stays_is_listed(
    make_namespace: Callable[..., Namespace],
) -> None:
    namespace = make_namespace()
    _name_a_shell(namespace)
    namespace.start(f"/bin/{RUNTIME}", "-c", "kill -STOP $$; :")
    began = time.monotonic()
    assert RUNTIME in _by_name(namespace.collect())
    assert time.monotonic() - began > 2


def test_a_child_of_the_container_is_listed_at_once_whatever_its_name_is(
    make_namespace: Callable[..., Namespace],
) -> None:
    namespace = make_namespace()
    _name_a_shell(namespace)
    namespace.start("/bin/sh", "-c", f"'/bin/{RUNTIME}' -c 'kill -STOP $$; :'; :")
    namespace.stop_the_clock()  # who looked again would do so for ever
    assert RUNTIME in _by_name(namespace.collect())


def test_processes_that_take_turns_under_a_runtime_s_name_do_not_hide(
    make_namespace: Callable[..., Namespace],
) -> None:
    namespace = make_namespace()
    _name_a_shell(namespace)
    ended = threading.Event()

    def begin() -> subprocess.Popen[bytes]:
        return namespace.begin(f"/bin/{RUNTIME}", "-c", "read -r unused", name=RUNTIME)

    def take_turns() -> None:
        while not ended.is_set():
            last = begin()
            before.pop().kill()
            before.append(last)

    before = [begin()]  # the first look sees one
    thread = threading.Thread(target=take_turns)
    thread.start()
    try:
        fact = namespace.collect()
    finally:
        ended.set()
        thread.join()
    assert fact.status == UNREADABLE and RUNTIME in fact.cause and "at each look another one" in fact.cause
