# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target's image that is mounted beside the collector: the same facts as from inside, and nothing of the scanner's."""

from __future__ import annotations

import os

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    ABSENT,
    OK,
    UNREADABLE,
    UNSUPPORTED,
    Query,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.support.chroot_container import (
    BARE_ROOT,
    CELLS,
    NOBODY,
    ROOT,
    Identity,
)
from ansible_collections.securescan.kubernetes.tests.support.viewed_target import (
    QUERIES,
    SCANNERS_OWN,
    MakeContainer,
    MountedImage,
    differences,
    fill,
    fill_scanner,
    shown,
)

pytestmark = pytest.mark.in_container

# what a container gets when it starts, and an image therefore does not tell
STARTED = [
    "/proc",
    "/proc/version",
    "/proc/nothing",
    "/sys/kernel",
    "/dev/null",
    "/dev",
    "/etc/hosts",
    "/etc/resolv.conf",
]


def _make(make_container: MakeContainer, shell: str = "dash", tools: str = "gnu") -> MountedImage:
    target, scanner = make_container(shell, tools), make_container(shell, tools)
    fill(target)
    fill_scanner(scanner)
    return MountedImage(scanner, target)


@pytest.mark.parametrize("identity", [ROOT, BARE_ROOT, NOBODY], ids=lambda identity: identity.name)
@pytest.mark.parametrize(("shell", "tools"), [cell for cell in CELLS if cell[1] != "none"])
def test_the_same_from_inside_and_from_outside(
    make_container: MakeContainer, shell: str, tools: str, identity: Identity
) -> None:
    image = _make(make_container, shell, tools)
    inside = image.target.collect(*QUERIES, identity=identity)
    outside = image.collect(*QUERIES, identity=identity)
    assert differences(inside, outside, tells_closed=False) == []
    walks = [fact for key, fact in outside.items() if key.startswith("walk:") and fact.value]
    assert not any(fact.value["closed"] or (fact.ok and fact.value["unreadable"]) for fact in walks)
    assert SCANNERS_OWN not in shown(outside)
    assert outside["content:/etc/out[limit=5000]"].value == b"the target's\n"
    assert outside["file:/etc/loop"].status == UNREADABLE
    assert outside["file:/etc/dangling"].value["type"] == "symlink"
    assert sum(fact.status == OK for fact in outside.values()) > 60


@pytest.mark.parametrize("shell", ["dash", "bash", "mksh"])
def test_without_readlink_a_link_is_unreadable_and_everything_else_is_seen(
    make_container: MakeContainer, shell: str
) -> None:
    image = _make(make_container, shell, "none")
    inside, outside = image.target.collect(*QUERIES), image.collect(*QUERIES)
    for key, inner, outer in differences(inside, outside):
        assert (outer.status, outer.value) == (UNREADABLE, None) or inner.status == UNSUPPORTED, key
        assert outer.cause
    assert outside["content:/etc/motd[limit=5000]"].value == b"the target's\n"
    assert outside["content:/etc/absolute[limit=5000]"].status == UNREADABLE


def test_what_is_made_when_a_container_starts_is_not_guessed(make_container: MakeContainer) -> None:
    image = _make(make_container)
    image.target.write("/etc/hosts", "what the image has")
    (image.target.root / "etc/mtab").symlink_to("/proc/self/mounts")
    running = ("processes", "environment", "process_status", "mounts", "sockets")
    queries = [
        *map(Query, running),
        Query("sysctl", "kernel.ostype"),
        *(Query("file", path) for path in STARTED),
    ]
    facts = image.collect(
        *queries, Query("content", "/etc/mtab"), Query("file", "/etc/mtab"), Query("file", "/etc/motd")
    )
    for query in [*queries, Query("content", "/etc/mtab"), Query("file", "/etc/mtab")]:
        fact = facts.get_fact(query)
        assert (fact.status, fact.value) == (UNSUPPORTED, None), query.key
        assert "image at rest does not have it" in fact.cause
    assert facts["file:/etc/motd"].status == OK


TRAPS = {
    "a file of both": "/etc/shadow",
    "endless": "/dev/zero",
    "environment": "/proc/1/environ",
    "own environment": "/proc/self/environ",
    "standard input": "/dev/stdin",
    "pipe": "/run/pipe",
    "folder": "/etc",
    "loop": "/etc/passwd",
    "terminal": "/dev/tty",
    "open file": "/proc/self/fd/0",
}


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize("shell", ["dash", "bash", "mksh", "ash"])
def test_databases_that_are_traps(make_container: MakeContainer, shell: str, trap: str) -> None:
    """Each database of the target is a link to something that must not be opened, or is the scanner's."""
    image = _make(make_container, shell, "busybox")
    (image.target.root / "dev/zero").symlink_to("/dev/null")
    for path in ("etc/passwd", "etc/group", "etc/os-release", "usr/lib/os-release", "var/lib/dpkg/status"):
        place = image.target.root / path
        place.unlink(missing_ok=True)
        place.symlink_to(TRAPS[trap])
    facts = image.collect(
        *map(Query, ("passwd", "group", "os", "packages")),
        Query("walk", "/etc", (("match", "unowned"),)),
        env={"PATH": "/bin", "SECRET": SCANNERS_OWN},
    )
    for key, fact in facts.items():
        # the target's own shadow file and folder are there, and hold nothing of that kind
        assert fact.status not in (OK, ABSENT) or key in ("os", "packages") or trap == "a file of both", (
            key,
            fact,
        )
        assert fact.cause or fact.status == OK
    assert SCANNERS_OWN not in shown(facts)


def test_a_pipe_where_a_folder_of_files_is_expected_does_not_hang(make_container: MakeContainer) -> None:
    image = _make(make_container)
    folder = image.target.root / "var/lib/dpkg/status.d"
    os.mkfifo(folder / "pipe")
    (folder / "linked").symlink_to("/run/pipe")
    (folder / "scanner").symlink_to("/only/in/the/scanner")
    fact = image.collect(Query("packages")).get_fact(Query("packages"))
    assert [package["name"] for package in fact.value["packages"]] == ["one", "three"]


@pytest.mark.parametrize(("length", "status"), [(40, OK), (41, UNREADABLE)])
def test_as_many_links_as_the_kernel_follows(make_container: MakeContainer, length: int, status: str) -> None:
    image = _make(make_container)
    for number in range(length):
        target = f"link{number + 1}" if number < length - 1 else "motd"
        (image.target.root / (f"etc/link{number}")).symlink_to(target)
    query = Query("content", "/etc/link0")
    assert image.target.collect(query).get_fact(query).status == status
    assert image.collect(query).get_fact(query).status == status


def test_a_name_with_a_newline_cannot_tell_of_another_file(make_container: MakeContainer) -> None:
    """stat prints names as they are: this one holds a line that looks like the status of /etc/motd."""
    image = _make(make_container)
    forged = "x\n./etc/motd\n89ff 0 0 5 0"
    image.target.write("/etc/" + forged.replace("/", ""), "x")
    image.target.write("/etc/x\n./etc/motd\n89ff 0 0 5 0", "x")
    (image.target.root / "etc/forge").symlink_to(forged)
    facts = image.collect(
        Query("file", "/etc/forge"), Query("file", "/etc/motd"), Query("content", "/etc/motd")
    )
    assert facts["file:/etc/motd"].value["mode"] == 0o644 and facts["file:/etc/motd"].value["size"] == 13
    assert (
        facts["file:/etc/forge"].value["link_target"] == forged
        and facts["file:/etc/forge"].value["size"] == 1
    )
    assert facts["content:/etc/motd"].value == b"the target's\n"


@pytest.mark.parametrize("shell", ["dash", "bash", "mksh", "ash"])
def test_a_folder_of_100_000_files_is_searched_in_a_mounted_image(
    make_container: MakeContainer, shell: str
) -> None:
    image = _make(make_container, shell, "busybox")
    folder = image.target.root / "many"
    folder.mkdir()
    for number in range(100_000):
        os.mknod(folder / f"{number:06d}", 0o644)
    (folder / "last").symlink_to("/etc/motd")
    match = (("match", "world_writable"),)
    facts = image.collect(
        Query("walk", "/many", match),
        Query("file", "/many/nothing"),
        Query("content", "/many/last"),
        Query("file", "/many/099999"),
    )
    assert facts["walk:/many[match=world_writable]"].value["complete"]
    assert facts["file:/many/nothing"].status == ABSENT
    assert facts["content:/many/last"].value == b"the target's\n"
    assert facts["file:/many/099999"].value["size"] == 0


def test_mounts_within_the_image_are_looked_into(make_container: MakeContainer) -> None:
    image = _make(make_container)
    image.extra_mounts.append(("/etc", "/unlisted"))
    query = Query("content", "/unlisted/out")
    assert image.collect(query).get_fact(query).value == b"the target's\n"


@pytest.mark.parametrize("state", ["missing", "empty"])
def test_an_image_that_was_not_mounted_is_said_so(make_container: MakeContainer, state: str) -> None:
    image = _make(make_container)
    image.mounted = False
    if state == "missing":
        (image.scanner.root / "mnt/image").rmdir()
    with pytest.raises(ScanError) as error:
        image.collect(Query("os"))
    assert error.value.reason == "target_missing" and "/mnt/image" in error.value.message
