# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database of rpm without its program: real ones against what rpm says of them, and damaged ones."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import sqlite3
import struct
import subprocess
import time
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    OK,
    TOO_LARGE,
    UNREADABLE,
    UNSUPPORTED,
    Fact,
    Query,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.frames import BadContentError
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.rpm_database import (
    MAX_DATABASE,
    read_rpm_database,
)
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.chroot_container import (
    BARE_ROOT,
    CELLS,
    NOBODY,
    Container,
)
from ansible_collections.securescan.kubernetes.tests.support.rpm_files import (
    make_header,
    make_ndb,
    make_sqlite,
)

pytestmark = pytest.mark.in_container

QUERY = Query("packages")
FORMATS = {"sqlite": "rpmdb.sqlite", "ndb": "Packages.db", "bdb": "Packages"}
TOOLS = ("stat", "readlink", "base64", "head", "gzip", "cat")
Rows = list[tuple[str, str, str]]

# One build makes all packages; `large` fills overflow pages in every format.
SPEC = """\
Name: sample
Version: 1.0~rc1
Release: 2%%{?dist}.el9
Summary: x
License: x
%%description
%%package -n epoch
Epoch: 7
Summary: x
BuildArch: noarch
%%description -n epoch
%%package -n large
Version: 3^git
Summary: x
%%description -n large
%%package devel
Summary: x
%%description devel
%%install
mkdir -p %%{buildroot}/usr/share/large
for i in $(seq 400); do touch %%{buildroot}/usr/share/large/a-file-with-a-name-$i; done
%%files
%%files -n epoch
%%files devel
%%files -n large
/usr/share/large
"""


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The same packages in a database file of each format."""
    _install({"rpmbuild": "rpm", "db5.3_load": "db5.3-util"})
    folder = tmp_path_factory.mktemp("rpm-databases")
    (folder / "sample.spec").write_text(SPEC.replace("%%", "%"), encoding="utf-8")
    _run("rpmbuild", "-bb", "--define", f"_topdir {folder}", "sample.spec", folder=folder)
    files = [str(path) for path in folder.rglob("*.rpm")]
    assert len(files) == 4
    _run("rpm", "--dbpath", str(folder / "db"), "-i", "--justdb", "--nodeps", *files, folder=folder)
    assert (folder / "db/rpmdb.sqlite-wal").stat().st_size == 0
    with sqlite3.connect(folder / "db/rpmdb.sqlite") as database:
        headers = dict(database.execute("SELECT hnum, blob FROM Packages"))
    database.close()
    return {
        "sqlite": (folder / "db/rpmdb.sqlite").read_bytes(),
        "ndb": make_ndb(headers),
        "bdb": _make_bdb(headers, folder),
    }


@pytest.fixture(scope="session")
def expected(databases: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return _ask_rpm(databases["sqlite"], "sqlite", tmp_path_factory.mktemp("oracle"))


def _install(packages: dict[str, str]) -> None:
    missing = [package for program, package in packages.items() if shutil.which(program) is None]
    if missing and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
            check=False,
            capture_output=True,
        )
    if any(shutil.which(program) is None for program in packages):
        pytest.skip("rpm and the tools of Berkeley DB are not installed on this machine")


def _run(*argv: str, folder: Path) -> bytes:
    return subprocess.run(argv, cwd=folder, check=True, capture_output=True).stdout


def _ask_rpm(data: bytes, name: str, folder: Path) -> Rows:
    """What the rpm program finds in a database file."""
    (folder / FORMATS[name]).write_bytes(data)
    text = _run(
        "rpm",
        "--define",
        "_db_backend %s" % ("bdb_ro" if name == "bdb" else name),
        "--dbpath",
        str(folder),
        "-qa",
        "--qf",
        "%{NAME} %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE} %{ARCH}\\n",
        folder=folder,
    ).decode()
    return sorted(tuple(line.split(" ")) for line in text.splitlines())  # type: ignore[misc]


def _make_bdb(headers: dict[int, bytes], folder: Path) -> bytes:
    """By Berkeley DB's own program, with its library."""
    lines = ["VERSION=3", "format=bytevalue", "type=hash", "db_pagesize=4096", "HEADER=END"]
    for number, value in {0: struct.pack("<I", 99), **headers}.items():
        lines += [" " + struct.pack("<I", number).hex(), " " + value.hex()]
    (folder / "dump").write_text("\n".join([*lines, "DATA=END", ""]), encoding="ascii")
    _run("db5.3_load", "-f", "dump", "Packages", folder=folder)
    return (folder / "Packages").read_bytes()


def _rows(data: bytes) -> Rows:
    return sorted(
        (package.name.decode(), package.version.decode(), package.arch.decode())
        for package in read_rpm_database(data)
    )


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_gives_what_rpm_says(
    databases: dict[str, bytes], expected: Rows, name: str, tmp_path: Path
) -> None:
    assert len(expected) == 4 and ("epoch", "7:1.0~rc1-2.el9", "noarch") in expected
    if name != "ndb":
        assert _ask_rpm(databases[name], name, tmp_path) == expected
    assert _rows(databases[name]) == expected
    assert _rows(gzip.compress(databases[name])) == expected


@pytest.mark.parametrize("page_size", [512, 1024, 65536])
def test_every_size_of_pages_and_trees_of_several_levels(tmp_path: Path, page_size: int) -> None:
    """Written by SQLite itself: many small rows, and one that fills overflow pages."""
    small = make_header({1000: b"a", 1001: b"1", 1002: b"2"})
    large = make_header({1000: b"b", 1001: b"1", 1002: b"2"}, padding=100_000)
    make_sqlite(tmp_path / "db", [large, *[small] * 3000], page_size)
    assert _rows((tmp_path / "db").read_bytes()) == [("a", "1-2", "(none)")] * 3000 + [("b", "1-2", "(none)")]


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files_cost_the_fact_and_no_time(
    databases: dict[str, bytes], expected: Rows, name: str
) -> None:
    """Bytes changed, pieces cut, doubled or zeroed: rows, or BadContentError, and never anything else."""
    source, chance = databases[name], random.Random(name)
    refused = 0
    begun = time.process_time()
    for _round in range(400):
        data = bytearray(source)
        for _change in range(chance.choice((1, 1, 3, 30))):
            # most of what matters stands at the beginning of pages
            at = chance.randrange(len(data)) // 4096 * 4096 + chance.choice((0, 100)) + chance.randrange(40)
            at = min(chance.choice((at, chance.randrange(len(data)))), len(data) - 1)
            change = chance.randrange(6)
            if change < 3:
                data[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
            elif change == 3:
                data[at : at + 4] = struct.pack(
                    chance.choice("<>") + "I", chance.choice((0, 1, 2, 0x7FFFFFFF, 0xFFFFFFFF))
                )
            elif change == 4:
                del data[at : at + chance.choice((1, 4096, len(data)))]
                data = data or bytearray(1)
            else:
                data[at : at + 4096] = data[:4096]
        try:
            _rows(bytes(data))
        except (BadContentError, UnicodeDecodeError):
            refused += 1
    assert refused > 40
    assert time.process_time() - begun < 20


def _pointing_back(data: bytes) -> bytes:
    """All children of the table's root are the root itself, or it is its own only leaf."""
    changed = bytearray(data)
    changed[4096:4108] = b"\x05\0\0\0\1\x0f\xf0\0" + (2).to_bytes(4, "big")
    changed[4108:4110] = b"\x0f\xf0"
    changed[4096 + 0xFF0 : 4096 + 0xFF4] = (2).to_bytes(4, "big")
    return bytes(changed)


def test_files_made_to_hang_or_fill_the_memory(databases: dict[str, bytes]) -> None:
    bombs = {
        "gzip of too much": gzip.compress(bytes(MAX_DATABASE + 1)),
        "gzip cut off": gzip.compress(databases["sqlite"])[:-9],
        "gzip and more": gzip.compress(databases["sqlite"]) + b"x",
        "tree that holds itself": _pointing_back(databases["sqlite"]),
        "no database": b"x" * 10_000,
        "nothing": b"",
    }
    slots = b"RpmP" + struct.pack("<3I", 0, 7, 4) + bytes(16)
    slots += (b"Slot" + struct.pack("<3I", 1, 1024, 100_000)) * (4 * 256 - 2)
    bombs["one package in all slots"] = slots + bytes(1_600_000)
    for what, data in bombs.items():
        begun = time.process_time()
        with pytest.raises(BadContentError):
            list(read_rpm_database(data))
        assert time.process_time() - begun < 10, what
    attack_ends_as("H-18-package-databases", outcome="refused in bounded time and memory")


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\0" * 8,
        struct.pack(">II", 1 << 30, 0),
        make_header({1000: b"a", 1001: b"1"}),
        make_header({1000: b"a", 1001: b"1", 1002: b"1"})[:-1],
        make_header({1000: b"a" * 5000, 1001: b"1", 1002: b"1"}),
        make_header({1000: b"", 1001: b"1", 1002: b"1"}),
        struct.pack(">II", 1, 4) + struct.pack(">IIII", 1000, 6, 9, 1) + b"abc\0",
        struct.pack(">II", 1, 2) + struct.pack(">IIII", 1003, 4, 0, 1) + b"ab",
        struct.pack(">II", 1, 4) + struct.pack(">IIII", 1000, 8, 0, 2) + b"a\0b\0",
    ],
    ids=range(10),
)
def test_headers_that_are_not_valid(header: bytes) -> None:
    with pytest.raises(BadContentError):
        list(read_rpm_database(make_ndb({1: header})))


def _collect(container: Container, data: bytes, path: str, **options: Any) -> Fact:
    container.write(path, data)
    return container.fact(QUERY, options.pop("identity", NOBODY), **options)


def _fact_rows(fact: Fact) -> Rows:
    assert fact.status == OK, fact
    assert fact.value["manager"] == "rpm" and all(row["installed"] for row in fact.value["packages"])
    return sorted((row["name"], row["version"], row["arch"]) for row in fact.value["packages"])


@pytest.mark.parametrize(("shell", "tools"), CELLS)
def test_every_shell_sends_the_database(
    make_container: Callable[..., Container],
    databases: dict[str, bytes],
    expected: Rows,
    shell: str,
    tools: str,
) -> None:
    container = make_container(shell, tools, names=TOOLS)
    fact = _collect(container, databases["sqlite"], "/usr/lib/sysimage/rpm/rpmdb.sqlite", read_only=True)
    if tools == "none":
        assert fact.status == UNSUPPORTED and "needs stat, and base64 or od" in fact.cause
    else:
        assert _fact_rows(fact) == expected
        assert tools == "toybox" or len(container.output) < 60_000  # Debian's toybox is built without gzip


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/var/lib/rpm/rpmdb.sqlite", "sqlite"),
        ("/var/lib/rpm/Packages", "bdb"),
        ("/usr/lib/sysimage/rpm/Packages.db", "ndb"),
    ],
)
def test_each_format_in_its_place(
    make_container: Callable[..., Container],
    databases: dict[str, bytes],
    expected: Rows,
    path: str,
    name: str,
) -> None:
    container = make_container(names=TOOLS)
    assert _fact_rows(_collect(container, databases[name], path, identity=BARE_ROOT)) == expected
    container.write("/bin/rpm", "#!/bin/sh\nexit 1\n", mode=0o755)
    assert _fact_rows(container.fact(QUERY)) == expected


def test_without_gzip_or_base64(
    make_container: Callable[..., Container], expected: Rows, databases: dict[str, bytes]
) -> None:
    container = make_container(names=("stat", "readlink", "od"))
    fact = _collect(container, databases["bdb"], "/var/lib/rpm/Packages")
    assert _fact_rows(fact) == expected
    fact = container.fact(QUERY, output_limit=100_000)
    assert fact.status == TOO_LARGE and "no gzip" in fact.cause


def test_what_cannot_be_sent_or_is_not_whole(
    make_container: Callable[..., Container], databases: dict[str, bytes]
) -> None:
    container = make_container(names=TOOLS)
    fact = _collect(container, databases["sqlite"], "/var/lib/rpm/rpmdb.sqlite", output_limit=5000)
    assert fact.status == TOO_LARGE and "too many to send" in fact.cause
    os.truncate(container.root / "var/lib/rpm/rpmdb.sqlite", MAX_DATABASE + 1)
    assert container.fact(QUERY).status == TOO_LARGE
    container.write("/var/lib/rpm/rpmdb.sqlite", databases["sqlite"][:-1])
    assert "whole pages" in container.fact(QUERY).cause
    container.write("/var/lib/rpm/rpmdb.sqlite", databases["sqlite"])
    container.write("/var/lib/rpm/rpmdb.sqlite-wal", b"x")
    assert container.fact(QUERY).status == UNREADABLE and "rpmdb.sqlite-wal" in container.fact(QUERY).cause
    container.write("/var/lib/rpm/rpmdb.sqlite-wal", b"")
    assert container.fact(QUERY).status == OK
    container.write("/var/lib/rpm/rpmdb.sqlite", databases["sqlite"], mode=0o600)
    assert container.fact(QUERY, NOBODY).status in (UNREADABLE, UNSUPPORTED)
