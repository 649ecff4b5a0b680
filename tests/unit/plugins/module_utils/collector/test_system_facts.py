# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""os, sysctl, sockets, mounts, environment and process_status, against what Python sees in the same place."""

from __future__ import annotations

import os
import platform
import re
import socket
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector import mounts, sockets
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    ABSENT,
    OK,
    UNREADABLE,
    UNSUPPORTED,
    Fact,
    Facts,
    Query,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.family import Answer
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.frames import Frame
from ansible_collections.securescan.kubernetes.tests.support.chroot_container import (
    BARE_ROOT,
    CELLS,
    NOBODY,
    ROOT,
    Container,
    Identity,
)

pytestmark = pytest.mark.in_container

Rows = list[tuple[int, int]]
EVERY_CELL = pytest.mark.parametrize(("shell", "tools"), CELLS)
PARAMETERS = (
    "kernel.pid_max",
    "kernel.ostype",
    "net.ipv4.tcp_rmem",
    "kernel.core_pattern",
    "vm.overcommit_memory",
    "fs.file-max",
    "no.such.parameter",
    "kernel.no_such",
    "vm.compact_memory",
    "kernel.random",
    "net.ipv4.conf.all.forwarding",
)
VALUES = tuple(
    Query("environment_value", name)
    for name in ("PATH", "LINES_OF", "FAKE", "EMPTY", "ODD-name", "ECRET", "*")
)


def _see_parameter(name: str) -> Any:
    path = Path("/proc/sys") / name.replace(".", "/")
    if not path.exists():
        return ABSENT, None
    if path.is_dir():
        return UNSUPPORTED, None
    try:
        return OK, path.read_text()[:-1]
    except OSError:
        return UNREADABLE, None


ENVIRONMENT = {
    "PATH": "/bin",
    "SECRET": "planted=VALUE",
    "LINES_OF": "a\nFAKE=b\n",
    "EMPTY": "",
    "ODD-name": "1",
    "TZ": "Asia/Tokyo",
}


@dataclass(frozen=True)
class Observed:
    """What the collector says of a process, and what Python's own calls see from the same place."""

    facts: Facts
    output: bytes
    parameters: dict[str, tuple[str, str | None]]
    mounts: list[str]
    status: dict[str, str]


# By shell, tools and identity: one container for all tests of a cell.
_OBSERVED: dict[tuple[str, str, str], Observed] = {}


def _observe(
    make_container: Callable[..., Container], shell: str, tools: str, identity: Identity
) -> Observed:
    key = (shell, tools, identity.name)
    if key not in _OBSERVED:
        container = make_container(shell, tools)
        seen = container.ask(
            identity,
            lambda: {
                "sysctl": {name: _see_parameter(name) for name in PARAMETERS},
                "mounts": [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()],
                "status": Path("/proc/self/status").read_text(),
            },
        )
        facts = container.collect(
            *(Query("sysctl", name) for name in PARAMETERS),
            Query("mounts"),
            Query("environment"),
            Query("process_status"),
            *VALUES,
            identity=identity,
            env=ENVIRONMENT,
        )
        status = dict(line.split(":\t", 1) for line in seen["status"].splitlines() if ":\t" in line)
        _OBSERVED[key] = Observed(facts, container.output, seen["sysctl"], seen["mounts"], status)
    return _OBSERVED[key]


EVERY_IDENTITY = pytest.mark.parametrize("identity", [ROOT, NOBODY], ids=lambda identity: identity.name)
# In these cells the shell itself has no means, and there is no tool for it.
CANNOT_READ_PARAMETERS = [cell for cell in CELLS if cell[1] == "none" and cell[0] != "bash"]
CANNOT_READ_ENVIRONMENT = [cell for cell in CELLS if cell[1] in ("none", "toybox") and cell[0] == "dash"]


def _cells(cells: Iterable[tuple[str, str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("shell", "tools"), list(cells))


@_cells(cell for cell in CELLS if cell not in CANNOT_READ_PARAMETERS)
@EVERY_IDENTITY
def test_kernel_parameters_are_those_that_the_process_can_read(
    make_container: Callable[..., Container], shell: str, tools: str, identity: Identity
) -> None:
    observed = _observe(make_container, shell, tools, identity)
    for name, (status, value) in observed.parameters.items():
        fact = observed.facts.get_fact(Query("sysctl", name))
        assert (fact.status, fact.value) == (status, value), name


@_cells(CANNOT_READ_PARAMETERS)
@EVERY_IDENTITY
def test_without_grep_and_cat_kernel_parameters_are_unsupported(
    make_container: Callable[..., Container], shell: str, tools: str, identity: Identity
) -> None:
    observed = _observe(make_container, shell, tools, identity)
    for name, (status, value) in observed.parameters.items():
        fact = observed.facts.get_fact(Query("sysctl", name))
        if status in (UNSUPPORTED, ABSENT):
            assert (fact.status, fact.value) == (status, value), name
        else:
            assert fact.status == UNSUPPORTED and "grep or cat" in fact.cause


@EVERY_CELL
@EVERY_IDENTITY
def test_mounts_are_those_that_the_process_sees(
    make_container: Callable[..., Container], shell: str, tools: str, identity: Identity
) -> None:
    observed = _observe(make_container, shell, tools, identity)
    found = observed.facts.get_fact(Query("mounts")).value
    assert [
        re.sub(r"[\\ ]", lambda match: f"\\{ord(match.group()):03o}", row["mount_point"]) for row in found
    ] == observed.mounts
    assert found[-1]["fstype"] == "proc" and "rw" in found[-1]["options"]


@_cells(cell for cell in CELLS if cell not in CANNOT_READ_ENVIRONMENT)
@EVERY_IDENTITY
def test_the_environment_gives_its_names_and_the_values_that_are_asked_for(
    make_container: Callable[..., Container], shell: str, tools: str, identity: Identity
) -> None:
    facts = _observe(make_container, shell, tools, identity).facts
    assert facts.get_fact(Query("environment")).value == sorted(ENVIRONMENT)
    for query in VALUES:
        fact = facts.get_fact(query)
        assert (fact.status, fact.value) == (
            (OK, ENVIRONMENT[query.subject]) if query.subject in ENVIRONMENT else (ABSENT, None)
        )


@_cells(CANNOT_READ_ENVIRONMENT)
@EVERY_IDENTITY
def test_without_tr_and_cut_the_environment_is_unsupported(
    make_container: Callable[..., Container], shell: str, tools: str, identity: Identity
) -> None:
    facts = _observe(make_container, shell, tools, identity).facts
    environment = facts.get_fact(Query("environment"))
    assert environment.status == UNSUPPORTED and "tr and cut" in environment.cause
    for query in VALUES:
        fact = facts.get_fact(query)
        assert fact.status == UNSUPPORTED and "needs tr" in fact.cause


@EVERY_CELL
@EVERY_IDENTITY
def test_values_that_nobody_asks_for_never_leave_the_container(
    make_container: Callable[..., Container], shell: str, tools: str, identity: Identity
) -> None:
    output = _observe(make_container, shell, tools, identity).output
    assert b"VALUE" not in output and b"Tokyo" not in output


@EVERY_CELL
@EVERY_IDENTITY
def test_the_process_has_the_ids_capabilities_and_restrictions_that_the_kernel_says(
    make_container: Callable[..., Container], shell: str, tools: str, identity: Identity
) -> None:
    observed = _observe(make_container, shell, tools, identity)
    assert observed.facts.get_fact(Query("process_status")).value == {
        "uid": identity.uid,
        "gid": identity.gid,
        "groups": [],
        "cap_eff": int(observed.status["CapEff"], 16),
        "cap_prm": int(observed.status["CapPrm"], 16),
        "cap_bnd": int(observed.status["CapBnd"], 16),
        "no_new_privs": observed.status["NoNewPrivs"] == "1",
        "seccomp": int(observed.status["Seccomp"]),
    }


@EVERY_CELL
def test_listening_sockets(make_container: Callable[..., Container], shell: str, tools: str) -> None:
    container = make_container(shell, tools)
    wanted = []
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as tcp6,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.create_connection(tcp.getsockname()) as client,
    ):
        udp.bind(("127.0.0.2", 0))
        for protocol, listener in (("tcp", tcp), ("tcp6", tcp6), ("udp", udp)):
            address, port = listener.getsockname()[:2]
            wanted.append({"protocol": protocol, "address": address, "port": port, "uid": os.geteuid()})
        found = container.fact(Query("sockets"), NOBODY).value
        assert all(row in found for row in wanted)
        # who listens for UDP, in another test, can have the same port
        assert ("tcp", client.getsockname()[1]) not in [(row["protocol"], row["port"]) for row in found]


@pytest.mark.parametrize(("shell", "tools"), [("dash", "gnu"), ("bash", "toybox"), ("mksh", "none")])
def test_a_client_that_waits_for_an_answer_does_not_listen(
    make_container: Callable[..., Container], shell: str, tools: str
) -> None:
    container = make_container(shell, tools)
    # the second look comes when the client has gone
    if (container.root / "bin/sleep").exists():
        (container.root / "bin/sleep").unlink()
    container.write(
        "/bin/sleep",
        "#!/bin/sh\n: >/tmp/waits\nuntil [ -e /tmp/went ]; do :; done\n",
        mode=0o755,
    )
    ranged = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stays,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        for one in (stays, client):
            one.bind(("127.0.0.3", 0))
        ports = stays.getsockname()[1], client.getsockname()[1]
        assert all(int(ranged[0]) <= port <= int(ranged[1]) for port in ports)

        def leave() -> None:
            while not (container.root / "tmp/waits").exists():
                time.sleep(0.01)
            client.close()
            (container.root / "tmp/went").touch()

        thread = threading.Thread(target=leave, daemon=True)
        thread.start()
        fact = container.fact(Query("sockets"), env={"PATH": "/bin"})
    (container.root / "tmp/waits").touch()
    found = [row["port"] for row in fact.value if row["address"] == "127.0.0.3"]
    assert found == [ports[0]]


class Rebinding:
    """A UDP socket that is bound anew at each look of a container's collector, to the next of its addresses."""

    def __init__(self, container: Container, addresses: Sequence[tuple[str, int]]) -> None:
        if (container.root / "bin/sleep").exists():
            (container.root / "bin/sleep").unlink()
        container.write(
            "/bin/sleep", "#!/bin/sh\n: >/tmp/looked\nwhile [ -e /tmp/looked ]; do :; done\n", mode=0o755
        )
        self._looked = container.root / "tmp/looked"
        self._addresses = list(addresses)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._bind()

    def _bind(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(self._addresses.pop(0))

    def _run(self) -> None:
        while not self._ended.wait(0.002):
            if self._looked.exists():
                if self._addresses:
                    self._socket.close()
                    self._bind()
                self._looked.unlink()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()
        self._socket.close()


@pytest.mark.parametrize(("shell", "tools"), [("dash", "gnu"), ("bash", "toybox")])
def test_a_listener_does_not_hide_by_another_port_or_address_at_each_look(
    make_container: Callable[..., Container], shell: str, tools: str
) -> None:
    def looked(*addresses: tuple[str, int]) -> Fact:
        container = make_container(shell, tools)
        with Rebinding(container, addresses):
            return container.fact(Query("sockets"), env={"PATH": "/bin"})

    def rows(fact: Fact) -> list[tuple[str, int]]:
        return [(row["address"], row["port"]) for row in fact.value if row["address"].startswith("127.0.7.")]

    always = looked(*(("127.0.7.1", 40000 + number) for number in range(200)))
    assert always.status == UNREADABLE and "at each look there was another one" in always.cause
    assert rows(looked(("127.0.7.1", 40000), ("127.0.7.1", 40001))) == [("127.0.7.1", 40001)]
    # the same port, at another address
    assert rows(looked(("127.0.7.1", 40000), ("127.0.7.2", 40000))) == [("127.0.7.2", 40000)]


@pytest.mark.parametrize(
    ("ports", "before", "again", "found"),
    [
        ("1 65535", [(161, 0), (40000, 0)], [], [(161, 0)]),
        ("1 65535", [(161, 0), (32768, 0)], [(32768, 0)], [(161, 0), (32768, 0)]),
        ("32768 60999", [(40000, 0)], [(40000, 1000)], [(40000, 1000)]),
        ("32768 60999", [(40000, 0)], [(161, 0)], []),
        ("32768 60999", [(40000, 0)], [(40000, 0), (40001, 0)], None),
        ("32768 60999", [(61000, 0)], [], [(61000, 0)]),
        ("", [(40000, 0)], [], [(40000, 0)]),
    ],
)
def test_which_udp_sockets_listen_by_two_looks(
    ports: str, before: Rows, again: Rows, found: Rows | None
) -> None:
    """What the pod says is the range of clients' ports (net.ipv4.ip_local_port_range), and (port, uid) of each look."""

    def lines(rows: Rows) -> str:
        return "".join(
            f"/proc/net/udp:  12: 0100007F:{port:04X} 00000000:0000 07 00000000:00000000 00:00000000 00000000 {uid:5} 0\n"
            for port, uid in rows
        )

    frames = {
        name: Frame(name, OK, "text", text.encode())
        for name, text in (("q0", "little\n" + lines(before)), ("q0.again", f"{ports}\n" + lines(again)))
    }
    fact = sockets.SOCKETS.read(Answer(0, frames), Query("sockets"))
    assert (None if fact.value is None else [(row["port"], row["uid"]) for row in fact.value]) == found
    assert (fact.status == UNREADABLE) == (found is None)


def test_without_proc_all_that_needs_it_is_unsupported(make_container: Callable[..., Container]) -> None:
    container = make_container()
    container.write("/etc/os-release", "ID=alpine\n")
    kinds = ("processes", "sockets", "mounts", "environment", "process_status")
    assert container.fact(Query("environment_value", "PATH"), proc="").status == UNSUPPORTED
    facts = container.collect(*map(Query, kinds), Query("sysctl", "kernel.pid_max"), Query("os"), proc="")
    assert all(facts[kind].status == UNSUPPORTED and facts[kind].cause for kind in kinds)
    assert facts["sysctl:kernel.pid_max"].status == UNSUPPORTED
    assert facts["os"].value["name"] == "alpine" and facts["os"].value["arch"] == platform.machine()


@pytest.mark.parametrize(
    ("digits", "big", "address"),
    [
        (b"0100007F", False, "127.0.0.1"),
        (b"7F000001", True, "127.0.0.1"),
        (b"00000000", False, "0.0.0.0"),
        (b"00000000000000000000000001000000", False, "::1"),
        (b"00000000000000000000000000000001", True, "::1"),
        (b"B80D0120000000000000000001000000", False, "2001:db8::1"),
        (b"20010DB8000000000000000000000001", True, "2001:db8::1"),
        (b"0000000000000000FFFF00000100007F", False, "::ffff:7f00:1"),
    ],
)
def test_addresses_in_the_byte_order_of_the_machine(digits: bytes, big: bool, address: str) -> None:
    expected = {address, "::ffff:127.0.0.1"} if "ffff" in address else {address}
    assert sockets.decode_address(digits, big) in expected


def _read_mounts(text: bytes) -> Any:
    return mounts.MOUNTS.read(Answer(0, {"q0": Frame("q0", OK, "text", text)}), Query("mounts"))


def test_mounts_with_odd_names_and_options() -> None:
    fact = _read_mounts(
        b"36 35 98:0 /sub\\040dir /mnt\\040a\\011\\134b ro,nosuid master:1 shared:2 - "
        b"fuse.x //srv/a\\040b rw,size=1k,nosuid\n"
    )
    assert fact.value == [
        {
            "mount_point": "/mnt a\t\\b",
            "fstype": "fuse.x",
            "source": "//srv/a b",
            "root": "/sub dir",
            "options": ["ro", "nosuid", "size=1k"],
        }
    ]


RELEASES: list[Any] = [
    (
        {
            "os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
            "debian_version": "12.11\n",
        },
        ("debian", "debian", "12.11", "Debian GNU/Linux 12 (bookworm)"),
    ),
    (
        {
            "os-release": "NAME='Ubuntu'\nID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"22.04\"",
            "debian_version": "bookworm/sid\n",
        },
        ("ubuntu", "debian", "22.04", "Ubuntu"),
    ),
    (
        {
            "os-release": 'ID=alpine\nVERSION_ID=3.20.1\nPRETTY_NAME="Alpine Linux v3.20"',
            "alpine-release": "3.20.1\n",
        },
        ("alpine", "linux", "3.20.1", "Alpine Linux v3.20"),
    ),
    (
        {
            "os-release": 'ID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.4"\n',
            "redhat-release": "Red Hat Enterprise Linux release 9.4 (Plow)\n",
        },
        ("redhat", "redhat", "9.4", "Red Hat Enterprise Linux release 9.4 (Plow)"),
    ),
    (
        {"os-release": 'ID="centos"\nVERSION_ID="9"', "redhat-release": "CentOS Stream release 9\n"},
        ("centos", "redhat", "9", "CentOS Stream release 9"),
    ),
    (
        {"redhat-release": "Red Hat Enterprise Linux Server release 6.10 (Santiago)\n"},
        ("redhat", "redhat", "6.10", "Red Hat Enterprise Linux Server release 6.10 (Santiago)"),
    ),
    ({"os-release": "ID=amzn\nVERSION_ID=2023\nID_LIKE=fedora"}, ("amazon", "redhat", "2023", "amazon")),
    ({"os-release": 'ID="ol"\nVERSION_ID="8.9"'}, ("oracle", "redhat", "8.9", "oracle")),
    ({"os-release": "ID=fedora\nVERSION_ID=40"}, ("fedora", "fedora", "40", "fedora")),
    (
        {"os-release": 'ID="sles"\nVERSION="15-SP5"\nVERSION_ID="15.5"\nID_LIKE="suse"'},
        ("suse", "suse", "15-SP5", "suse"),
    ),
    (
        {"os-release": 'ID=opensuse-leap\nVERSION="15.6"\nID_LIKE="suse opensuse"'},
        ("opensuse", "suse", "15.6", "opensuse"),
    ),
    ({"os-release": "ID=wolfi\nVERSION_ID=20230201"}, ("wolfi", "chainguard", "20230201", "wolfi")),
    ({"os-release": "ID=arch\nBUILD_ID=rolling"}, ("arch", "linux", None, "arch")),
    (
        {"os-release": 'ID=newdistro\nID_LIKE=\'ubuntu debian\'\nVERSION_ID=1\nPRETTY_NAME="a \\"b\\" \\$c"'},
        ("newdistro", "debian", "1", 'a "b" $c'),
    ),
    ({"debian_version": "11.2\n"}, ("debian", "debian", "11.2", "debian")),
]


@pytest.mark.parametrize(
    ("files", "expected"), RELEASES, ids=lambda value: value[0] if isinstance(value, tuple) else ""
)
def test_operating_systems(
    make_container: Callable[..., Container], files: dict[str, str], expected: Any
) -> None:
    container = make_container()
    for name, text in files.items():
        container.write("/usr/lib/os-release" if name == "os-release" else "/etc/" + name, text)
    if "os-release" in files:
        (container.root / "etc/os-release").symlink_to("../usr/lib/os-release")
    value = container.fact(Query("os"), NOBODY).value
    assert (value["name"], value["family"], value["release"], value["pretty"]) == expected
    assert value["arch"] == platform.machine()


@EVERY_CELL
def test_operating_system_by_every_shell(
    make_container: Callable[..., Container], shell: str, tools: str
) -> None:
    container = make_container(shell, tools)
    container.write("/usr/lib/os-release", "ID=debian\nVERSION_ID=12")
    assert container.fact(Query("os")).value == {
        "name": "debian",
        "family": "debian",
        "release": "12",
        "pretty": "debian",
        "arch": platform.machine(),
    }


@pytest.mark.parametrize(
    ("mode", "text", "status"),
    [(None, None, UNSUPPORTED), (0o600, "ID=x", UNREADABLE), (0o644, "x" * 20000, "too_large")],
)
def test_no_operating_system(
    make_container: Callable[..., Container], mode: int | None, text: str | None, status: str
) -> None:
    container = make_container()
    if mode is not None and text is not None:
        container.write("/etc/os-release", text, mode=mode)
    fact = container.fact(Query("os"), NOBODY)
    assert fact.status == status and fact.cause and fact.value is None


def test_capabilities_are_those_of_the_user(make_container: Callable[..., Container]) -> None:
    value = make_container().fact(Query("process_status"), BARE_ROOT).value
    assert (value["uid"], value["cap_eff"], value["cap_prm"], value["cap_bnd"]) == (0, 0, 0, 0)
