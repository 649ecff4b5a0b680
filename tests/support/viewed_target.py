# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target that is full of traps, and the scanner's container that looks at its image."""

from __future__ import annotations

import os
import stat
from typing import Any, Callable

from ansible_collections.securescan.kubernetes.plugins.module_utils.collector import collect, request, script
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Facts, Query
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.view import TargetView
from ansible_collections.securescan.kubernetes.tests.support.chroot_container import (
    NONCE,
    ROOT,
    Container,
    Identity,
    bind_mount,
    bind_socket,
)

IMAGE = "/mnt/image"
SCANNERS_OWN = "text-of-the-scanner"

# What stands where, as a link. The scanner's container has other files at the absolute places.
LINKS: dict[str, str] = {
    "/etc/absolute": "/etc/motd",
    "/etc/relative": "motd",
    "/etc/up": "../etc/motd",
    "/etc/out": "../../../../../../../../etc/motd",
    "/etc/far/out": "../" * 60 + "etc/motd",
    "/etc/dotted": "./.././etc/./motd",
    "/etc/slashes": "//etc///motd",
    "/etc/chain0": "/etc/chain1",
    "/etc/chain1": "../etc/chain2",
    "/etc/chain2": "relative",
    "/etc/loop": "loop",
    "/etc/loop1": "/etc/loop2",
    "/etc/loop2": "loop1",
    "/etc/dangling": "/only/in/the/scanner",
    "/etc/dangling-relative": "nowhere",
    "/etc/dangling-up": "nowhere/../motd",
    "/etc/through-file": "motd/../motd",
    "/etc/file-slash": "motd/",
    "/etc/file-dot": "motd/.",
    "/etc/folder-slash": "/usr/lib/",
    "/etc/folder-up": "/usr/lib/..",
    "/etc/root": "/",
    "/etc/root-up": "/..",
    "/etc/root-dots": "/../../.././etc/motd",
    "/etc/newline": "with\nnewline",
    "/etc/trailing-newline": "with\nnewline\n",
    "/etc/root-text": "/mnt/image/etc/motd",
    "/etc/closed": "/closed/file",
    "/etc/closed-up": "/closed/../etc/motd",
    "/etc/closed-inner-up": "/closed/inner/../file",
    "/etc/private": "/private/file",
    "/etc/pipe": "/run/pipe",
    "/etc/socket": "/run/socket",
    "/etc/disk": "/run/disk",
    "/etc/long": "./" * 1500 + "motd",
    "/etc/spaces": " a  b ",
    "/library": "usr/lib",
    "/sbin": "/usr/sbin",
    "/usr/sbin": "lib",
    "/var/run": "/run",
    "/folder-loop": "/folder-loop/x",
}
FILES = [
    "/",
    "/etc",
    *LINKS,
    "/etc/motd",
    "/etc/with\\nnewline",
    "/etc/motd/below",
    "/etc/absolute/below",
    "/etc/nothing",
    "/nothing/at/all",
    "/library/data",
    "/library",
    "/library/nothing",
    "/library/nothing/below",
    "/sbin/data",
    "/sbin/up/motd",
    "/library/up/chain0",
    "/library/up/out",
    "/var/run/pipe",
    "/etc/root/etc/motd",
    "/etc/root-up/etc/absolute",
    "/etc/folder-slash/data",
    "/etc/folder-up/lib/data",
    "/folder-loop/y",
    "/etc/loop/below",
    "/etc/dangling/below",
    "/closed",
    "/closed/file",
    "/closed/nothing",
    "/closed/inner/file",
    "/private",
    "/private/file",
    "/unlisted/file",
    "/unlisted/nothing",
    "/only/in/the/scanner",
    "/mnt/image/etc/motd",
    "/etc/10-number",
    "/self/data",
    "/1/data",
    "/run/pipe",
    "/run/socket",
    "/run/disk",
    "/sparse",
]
CONTENTS = [
    path
    for path in FILES
    if path.startswith(("/etc/", "/library/", "/sbin/", "/closed", "/private", "/unlisted", "/self"))
]
FOLDERS = [
    "/",
    "/etc",
    "/library",
    "/sbin",
    "/etc/root",
    "/closed",
    "/unlisted",
    "/etc/folder-up",
    "/etc/loop",
    "/etc/motd",
]
WORDS = ("setuid", "world_writable", "unowned")
QUERIES = [
    *map(Query, ("os", "passwd", "shadow", "group", "packages")),
    *(Query("file", path) for path in FILES),
    *(Query("content", path, (("limit", 5000),)) for path in CONTENTS),
    *(
        Query("sha256", path)
        for path in ("/etc/chain0", "/etc/out", "/etc/loop", "/etc/newline", "/sparse", "/etc/pipe")
    ),
    *(Query("walk", path, (("match", word),)) for path in FOLDERS for word in WORDS),
]


def fill(container: Container) -> None:
    """The target's files."""
    for path, text in {
        "/etc/motd": "the target's\n",
        "/etc/with\nnewline": "newline\n",
        "/etc/with\nnewline\n": "two newlines\n",
        "/etc/with\\nnewline": "backslash\n",
        "/etc/ a  b ": "spaces\n",
        "/etc/10-number": "number\n",
        "/etc/passwd": "root:x:0:0:the target's:/root:/bin/sh\napp:x:7:8::/:\n",
        "/etc/group": "root:x:0:\napp:x:8:\n",
        "/usr/lib/os-release": "ID=debian\nVERSION_ID=12\n",
        "/usr/lib/data": "data\n",
        "/self/data": "self\n",
        "/1/data": "1\n",
        "/closed/file": "closed\n",
        "/closed/inner/file": "closed\n",
        "/unlisted/file": "unlisted\n",
        "/mnt/image/etc/motd": "the target's folder of that name\n",
        "/var/lib/dpkg/status.d/one": "Package: one\nVersion: 1\nArchitecture: all\n",
        "/var/lib/dpkg/status.d/two.md5sums": "x",
        "/usr/share/three": "Package: three\nVersion: 3\nArchitecture: all\n",
    }.items():
        container.write(path, text)
    container.write("/etc/shadow", "root:$6$abc$def:1::::::\n", mode=0o640)
    container.write("/private/file", "private\n", mode=0o600, owner=(7, 8))
    container.write("/usr/lib/suid", "x", mode=0o4755)
    container.write("/usr/lib/open\n/mnt/image/etc", "x", mode=0o666)
    container.write("/etc/unowned", "x", owner=(4711, 4711))
    for path, text in LINKS.items():
        os.makedirs(os.path.dirname(os.fsencode(container.root) + os.fsencode(path)), exist_ok=True)
        os.symlink(text, container.root / path[1:])
    os.symlink("/usr/lib/os-release", container.root / "etc/os-release")
    os.symlink("/etc", container.root / "usr/lib/up")
    os.symlink("/usr/share/three", container.root / "var/lib/dpkg/status.d/three")
    (container.root / "run").mkdir()
    os.mkfifo(container.root / "run/pipe")
    bind_socket(container.root / "run")
    os.mknod(container.root / "run/disk", 0o666 | stat.S_IFBLK, os.makedev(250, 250))
    (container.root / "sparse").touch()
    os.truncate(container.root / "sparse", 1 << 40)
    (container.root / "closed").chmod(0o600)
    os.chown(container.root / "closed", 4711, 4711)
    (container.root / "unlisted").chmod(0o711)


def fill_scanner(container: Container) -> None:
    """The scanner's own container has everything that a link out of the target could lead to."""
    for path in (
        "/etc/motd",
        "/etc/passwd",
        "/etc/shadow",
        "/etc/group",
        "/etc/nothing",
        "/only/in/the/scanner",
        "/usr/lib/data",
        "/usr/lib/os-release",
        "/usr/share/three",
        "/closed/file",
        "/private/file",
        "/run/pipe",
        "/nowhere",
        "/motd",
        "/secret",
    ):
        container.write(path, SCANNERS_OWN, mode=0o4777)
    (container.root / IMAGE[1:]).mkdir(parents=True)


class MountedImage:
    """The scanner's container with a target's root mounted in it."""

    def __init__(self, scanner: Container, target: Container) -> None:
        self.scanner = scanner
        self.target = target
        self.mounted = True
        self.extra_mounts: list[tuple[str, str]] = []  # what of the image, and where in it
        self.output = b""

    def collect(self, *queries: Query, identity: Identity = ROOT, **options: Any) -> Facts:
        wanted = request.make_request(queries)
        view = TargetView(mount_point=IMAGE)
        done = self.scanner.run(
            script.build_script(wanted, NONCE, view), identity, prepare=self._mount, **options
        )
        self.output = done.stdout
        assert (done.returncode, done.stderr) == (0, b"")
        facts = collect.read_facts(wanted, done.stdout, NONCE, view)
        assert list(facts) == [query.key for query in wanted.queries]
        return facts

    def _mount(self) -> None:
        place = str(self.scanner.root) + IMAGE
        pairs = [
            (str(self.target.root), place),
            *((place + what, place + where) for what, where in self.extra_mounts),
        ]
        for what, where in pairs if self.mounted else []:
            bind_mount(what, where)


def differences(inside: Facts, outside: Facts, *, tells_closed: bool = True) -> list[Any]:
    """Facts that are not the same; how a cause is worded does not count.

    :param tells_closed: whether the outside knows which places the container's user cannot reach. Where it does
        not, a walk past such a place is unreadable
    """

    def seen(facts: Facts, key: str) -> Any:
        value = facts[key].value
        if tells_closed or not key.startswith("walk:") or value is None:
            return facts[key].status, value
        return value["entries"], value["unreadable"]

    return [(key, inside[key], outside[key]) for key in inside if seen(inside, key) != seen(outside, key)]


def shown(facts: Facts) -> str:
    """Everything that facts say, to be searched for what they must not say."""
    return repr([(key, fact.value, fact.cause) for key, fact in facts.items()])


MakeContainer = Callable[..., Container]
