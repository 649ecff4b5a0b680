# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""packages: dpkg, distroless records, apk and rpm, and what is said where there is no database."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    OK,
    UNREADABLE,
    UNSUPPORTED,
    Query,
)
from ansible_collections.securescan.kubernetes.tests.support.chroot_container import (
    BARE_ROOT,
    NOBODY,
    ROOT,
    Container,
    Identity,
    ProgramStore,
)

pytestmark = pytest.mark.in_container

STATUS = """Package: adduser
Status: install ok installed
Priority: important
Architecture: all
Version: 3.134
Description: add and remove users
 Package: not a field
 .
 Version: neither
Conffiles:
 /etc/adduser.conf 1234

Package: removed
Status: deinstall ok config-files
Version: 1:2.0~rc1+b2
Architecture: amd64

Package: purged
Status: deinstall ok not-installed
Architecture: amd64
"""
APK = """C:Q1abc=
P:musl
V:1.2.5-r0
A:x86_64
T:the musl C library
F:lib
R:libc.so

P:busybox
V:1.36.1-r29
A:x86_64

"""
QUERY = Query("packages")
ANY_CELL = pytest.mark.parametrize(
    ("shell", "tools"), [("dash", "gnu"), ("bash", "none"), ("mksh", "toybox"), ("ash", "busybox")]
)


def _rows(value: Any) -> list[tuple[str, str, str, bool]]:
    return [(row["name"], row["version"], row["arch"], row["installed"]) for row in value["packages"]]


@ANY_CELL
def test_the_database_of_dpkg_gives_its_packages_and_what_was_removed(
    make_container: Callable[..., Container], shell: str, tools: str
) -> None:
    container = make_container(shell, tools)
    container.write("/var/lib/dpkg/status", STATUS)
    value = container.fact(QUERY, NOBODY).value
    assert value["manager"] == "dpkg"
    assert _rows(value) == [
        ("adduser", "3.134", "all", True),
        ("removed", "1:2.0~rc1+b2", "amd64", False),
        ("purged", "", "amd64", False),
    ]


def test_a_package_whose_first_installation_broke_off_has_no_version(
    make_container: Callable[..., Container],
) -> None:
    container = make_container()
    container.write("/var/lib/dpkg/status", "Package: telnetd\nStatus: install reinstreq half-installed\n")
    fact = container.fact(QUERY)
    assert fact.ok and _rows(fact.value) == [("telnetd", "", "", True)]


def test_a_package_of_dpkg_is_there_in_each_state_that_leaves_files_of_it(
    make_container: Callable[..., Container],
) -> None:
    states = {
        "deinstall ok not-installed": False,
        "deinstall ok config-files": False,
        "install reinstreq half-installed": True,
        "install ok unpacked": True,
        "install ok half-configured": True,
        "install ok triggers-awaited": True,
        "install ok triggers-pending": True,
        "hold ok installed": True,
        "deinstall ok installed": True,
    }
    container = make_container()
    records = [f"Package: p{number}\nStatus: {state}\nVersion: 1\n" for number, state in enumerate(states)]
    container.write("/var/lib/dpkg/status", "\n".join(records))
    assert [row[3] for row in _rows(container.fact(QUERY).value)] == list(states.values())
    container.write(
        "/var/lib/dpkg/status", "Package: a\nStatus: install ok gone\nVersion: 1\n\n" + records[0]
    )
    fact = container.fact(QUERY)
    assert fact.status == UNSUPPORTED and "no package state 'gone'" in fact.cause


@ANY_CELL
def test_distroless_records(make_container: Callable[..., Container], shell: str, tools: str) -> None:
    container = make_container(shell, tools)
    container.write(
        "/var/lib/dpkg/status.d/base-files", "Package: base-files\nVersion: 12.4\nArchitecture: amd64"
    )
    container.write("/var/lib/dpkg/status.d/base-files.md5sums", "Package: not a record\n")
    container.write("/var/lib/dpkg/status.d/tzdata", "Package: tzdata\nVersion: 2025b\nArchitecture: all\n\n")
    container.write("/var/lib/dpkg/status.d/with space*", "Package: odd\nVersion: 1\nArchitecture: all\n")
    container.write("/var/lib/dpkg/status", "")
    value = container.fact(QUERY).value
    assert sorted(_rows(value)) == [
        ("base-files", "12.4", "amd64", True),
        ("odd", "1", "all", True),
        ("tzdata", "2025b", "all", True),
    ]


@ANY_CELL
@pytest.mark.parametrize("path", ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"])
def test_the_database_of_apk_gives_its_packages(
    make_container: Callable[..., Container], shell: str, tools: str, path: str
) -> None:
    container = make_container(shell, tools)
    container.write(path, APK)
    value = container.fact(QUERY).value
    assert value["manager"] == "apk"
    assert _rows(value) == [("musl", "1.2.5-r0", "x86_64", True), ("busybox", "1.36.1-r29", "x86_64", True)]


def test_no_database_is_not_an_empty_list(make_container: Callable[..., Container]) -> None:
    container = make_container()
    assert (container.fact(QUERY).status, container.fact(QUERY).cause) == (
        UNSUPPORTED,
        "no package database was found",
    )
    container.write("/var/lib/dpkg/status", "")
    assert container.fact(QUERY).status == UNSUPPORTED
    container.write("/var/lib/dpkg/status", "this is\nno database\n")
    assert "no records" in container.fact(QUERY).cause


@pytest.mark.parametrize(
    "path", ["/var/lib/dpkg/status", "/lib/apk/db/installed", "/usr/lib/sysimage/rpm/rpmdb.sqlite"]
)
def test_a_database_that_cannot_be_read(make_container: Callable[..., Container], path: str) -> None:
    container = make_container()
    container.write(path, STATUS, mode=0o600)
    if "rpm" not in path:
        assert container.fact(QUERY, NOBODY).status == UNREADABLE
    (container.root / path[1:]).parent.chmod(0o700)
    assert container.fact(QUERY, NOBODY).status == UNREADABLE


@pytest.mark.parametrize(
    "text",
    [
        "Version: 1\nPackage: a\n",
        "Package: a\nStatus: install ok installed\n",
        "Package: a\nVersion: 1\nVersion: 2\n",
        "Package: a\nVersion: 1\n\nPackage: \0\nVersion: 2\n",
    ],
)
def test_a_database_in_disorder_costs_the_fact(make_container: Callable[..., Container], text: str) -> None:
    container = make_container()
    container.write("/var/lib/dpkg/status", text)
    assert container.fact(QUERY).status == UNSUPPORTED


@pytest.mark.parametrize(
    ("path", "text", "cause"),
    [
        (
            "/var/lib/dpkg/status",
            "Version: 1\n\nPackage: a\nVersion: 1\n\nPackage: b\nVersion: 2\n",
            "a package record has its lines in disorder, at Version: 1",
        ),
        (
            "/var/lib/dpkg/status",
            "Package: a\nVersion: 1\n\nPackage: x\nStatus: install ok installed\n\nPackage: b\nVersion: 2\n",
            "package x has no version",
        ),
        (
            "/var/lib/dpkg/status",
            "Package: a\nVersion: 1\n\nPackage: x\nStatus: install ok odd\nVersion: 3\n\nPackage: b\nVersion: 2\n",
            "dpkg has no package state 'odd'",
        ),
        (
            "/lib/apk/db/installed",
            "P:a\nV:1\n\nP:x\n\nP:b\nV:2\n\n",
            "a package record has no name or no version",
        ),
        ("/lib/apk/db/installed", "P:a\nV:1\nV:3\n\nP:b\nV:2\n\n", "a package record names V:3 twice"),
    ],
)
def test_a_record_that_is_not_understood_costs_no_other(
    make_container: Callable[..., Container], path: str, text: str, cause: str
) -> None:
    container = make_container()
    container.write(path, text)
    fact = container.fact(QUERY)
    assert fact.status == UNSUPPORTED and cause in fact.cause
    assert [(package["name"], package["version"]) for package in fact.value["packages"]] == [
        ("a", "1"),
        ("b", "2"),
    ]


def test_rpm_without_its_program(make_container: Callable[..., Container]) -> None:
    container = make_container()
    container.write("/var/lib/rpm/rpmdb.sqlite", b"SQLite format 3\0")
    assert container.fact(QUERY).status == UNSUPPORTED and "SQLite" in container.fact(QUERY).cause


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (
            "printf 'kernel\\t5.1-1\\tx86_64\\nkernel\\t5.14-2\\tx86_64\\n'",
            [("kernel", "5.1-1", "x86_64", True), ("kernel", "5.14-2", "x86_64", True)],
        ),
        (
            "printf 'bash\\t5.2-1\\tx86_64\\ngpg-pubkey\\t1-2\\t(none)\\nopenssl\\t1:3.0-2\\tx86_64\\n'",
            [("bash", "5.2-1", "x86_64", True), ("openssl", "1:3.0-2", "x86_64", True)],
        ),
        ("exit 1", UNSUPPORTED),  # and its database is none
        ("printf 'error: cannot open\\n'", UNSUPPORTED),
        ("exit 0", UNSUPPORTED),
    ],
)
def test_what_the_rpm_program_says(
    make_container: Callable[..., Container], program: str, expected: Any
) -> None:
    container = make_container()
    container.write("/var/lib/rpm/rpmdb.sqlite", b"SQLite format 3\0")
    container.write("/bin/rpm", f"#!/bin/sh\n{program}\n", mode=0o755)
    fact = container.fact(QUERY, NOBODY)
    assert (_rows(fact.value) if isinstance(expected, list) else fact.status) == expected


@pytest.fixture(scope="module")
def rpm_package(tmp_path_factory: pytest.TempPathFactory, program_store: ProgramStore) -> Path:
    if shutil.which("rpmbuild") is None and shutil.which("apt-get"):
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "rpm"],
            check=False,
            capture_output=True,
        )
    if shutil.which("rpmbuild") is None:
        pytest.skip("rpm is not installed on this machine")
    folder = tmp_path_factory.mktemp("rpm")
    text = (
        "Name: hello\nVersion: 1.2\nRelease: 3\nEpoch: 4\nSummary: x\nLicense: x\nBuildArch: "
        "noarch\n%description\n%files\n"
    )
    (folder / "hello.spec").write_text(text)
    subprocess.run(
        ["rpmbuild", "-bb", "--define", f"_topdir {folder}", str(folder / "hello.spec")],
        check=True,
        capture_output=True,
    )
    return folder / "RPMS/noarch/hello-1.2-3.noarch.rpm"


@pytest.mark.parametrize("identity", [ROOT, BARE_ROOT, NOBODY], ids=lambda identity: identity.name)
def test_a_real_rpm_database(
    make_container: Callable[..., Container], rpm_package: Path, identity: Identity
) -> None:
    """Debian's rpm, with the database where Red Hat's has it. As in images, its index files are there, or they are not."""
    container = make_container(names=["sleep", "rpm", "chroot", "stat", "base64", "gzip", "head"])
    shutil.copytree("/usr/lib/rpm/platform", container.root / "usr/lib/rpm/platform", symlinks=True)
    container.write("/usr/lib/rpm/rpmrc", Path("/usr/lib/rpm/rpmrc").read_bytes())
    macros = Path("/usr/lib/rpm/macros").read_text(encoding="utf-8")
    container.write("/usr/lib/rpm/macros", re.sub(r"%_dbpath\s.*", "%_dbpath /var/lib/rpm", macros))
    container.write("/etc/passwd", "root:x:0:0::/:/bin/sh\n")
    container.write("/etc/group", "root:x:0:\n")
    shutil.copy(rpm_package, container.root / "hello.rpm")
    assert container.run(b"rpm -i --nodeps /hello.rpm\n").returncode == 0
    before = container.list_tree()
    seen = [container.fact(QUERY, identity)]
    assert container.list_tree() == before
    for name in ("rpmdb.sqlite-shm", "rpmdb.sqlite-wal"):
        (container.root / "var/lib/rpm" / name).unlink()
    before = container.list_tree()
    seen.append(container.fact(QUERY, identity))
    assert container.list_tree() == before
    # where the program would have to write, the database itself is read
    assert [fact.status for fact in seen] == [OK, OK]
    for fact in seen:
        assert _rows(fact.value) == [("hello", "4:1.2-3", "noarch", True)]
