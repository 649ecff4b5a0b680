# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""os, sysctl, sockets, mounts, environment and process_status, against what Python sees in the same place."""

from __future__ import annotations

import os
import platform
import re
import socket
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector import mounts, sockets
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    ABSENT,
    OK,
    UNREADABLE,
    UNSUPPORTED,
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


@EVERY_CELL
@pytest.mark.parametrize("identity", [ROOT, NOBODY], ids=lambda identity: identity.name)
def test_kernel_and_process(
    make_container: Callable[..., Container], shell: str, tools: str, identity: Identity
) -> None:
    container = make_container(shell, tools)
    names = [Query("sysctl", name) for name in PARAMETERS]
    env = {
        "PATH": "/bin",
        "SECRET": "planted=VALUE",
        "LINES_OF": "a\nFAKE=b\n",
        "EMPTY": "",
        "ODD-name": "1",
        "TZ": "Asia/Tokyo",
    }
    seen = container.ask(
        identity,
        lambda: {
            "sysctl": {name: _see_parameter(name) for name in PARAMETERS},
            "mounts": [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()],
            "status": Path("/proc/self/status").read_text(),
        },
    )
    facts = container.collect(
        *names,
        Query("mounts"),
        Query("environment"),
        Query("process_status"),
        *VALUES,
        identity=identity,
        env=env,
    )
    for query in names:
        fact, (status, value) = facts.get_fact(query), seen["sysctl"][query.subject]
        if tools == "none" and shell != "bash" and status not in (UNSUPPORTED, ABSENT):
            assert fact.status == UNSUPPORTED and "grep or cat" in fact.cause
        else:
            assert (fact.status, fact.value) == (status, value), query.subject
    found = facts.get_fact(Query("mounts")).value
    assert [
        re.sub(r"[\\ ]", lambda match: f"\\{ord(match.group()):03o}", row["mount_point"]) for row in found
    ] == seen["mounts"]
    assert found[-1]["fstype"] == "proc" and "rw" in found[-1]["options"]
    environment = facts.get_fact(Query("environment"))
    if tools in ("none", "toybox") and shell == "dash":
        assert environment.status == UNSUPPORTED and "tr and cut" in environment.cause
    else:
        assert environment.value == sorted(env)
    for query in VALUES:
        fact = facts.get_fact(query)
        if tools in ("none", "toybox") and shell == "dash":
            assert fact.status == UNSUPPORTED and "needs tr" in fact.cause
        else:
            assert (fact.status, fact.value) == (
                (OK, env[query.subject]) if query.subject in env else (ABSENT, None)
            )
    assert b"VALUE" not in container.output and b"Tokyo" not in container.output
    lines = dict(line.split(":\t", 1) for line in seen["status"].splitlines() if ":\t" in line)
    assert facts.get_fact(Query("process_status")).value == {
        "uid": identity.uid,
        "gid": identity.gid,
        "groups": [],
        "cap_eff": int(lines["CapEff"], 16),
        "cap_prm": int(lines["CapPrm"], 16),
        "cap_bnd": int(lines["CapBnd"], 16),
        "no_new_privs": lines["NoNewPrivs"] == "1",
        "seccomp": int(lines["Seccomp"]),
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
        assert client.getsockname()[1] not in [row["port"] for row in found]


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
