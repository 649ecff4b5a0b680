# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shells x tools x users x images: the same request gives equal facts in all of them. docs/evidence/collector-matrix.md shows it.

That the facts are right is shown elsewhere (test_shell_matrix.py and the tests of each kind compare with Python's own
calls); here they are equal, or a fact is said not to be possible, with its cause. With SECURESCAN_WRITE_DOCS set the page is
written, otherwise what is committed must be what came out now.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector import collect, request, script
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    ABSENT,
    OK,
    UNREADABLE,
    UNSUPPORTED,
    Fact,
    Query,
)
from ansible_collections.securescan.kubernetes.tests.integration.faults.fault_table import CHECKOUT
from ansible_collections.securescan.kubernetes.tests.support.chroot_container import (
    BARE_ROOT,
    CELLS,
    NOBODY,
    NONCE,
    ROOT,
    TOOLS,
    Container,
    Identity,
)
from ansible_collections.securescan.kubernetes.tests.support.rpm_files import (
    make_header,
    make_sqlite,
)

pytestmark = pytest.mark.in_container

PAGE = Path("docs", "evidence", "collector-matrix.md")
USERS = (ROOT, BARE_ROOT, NOBODY)
SITE = "/usr/lib/python3.12/site-packages/"
ACCOUNTS = {
    "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/false\n",
    "/etc/group": "root:x:0:\napp:x:1000:root\n",
    "/etc/shadow": "root:*:19000:0:99999:7:::\napp:!:19000::::::\n",
}
# what each image holds, besides what all of them hold
IMAGES: dict[str, dict[str, str]] = {
    "Debian": {
        **ACCOUNTS,
        "/etc/os-release": "ID=debian\nVERSION_ID=12\n",
        "/etc/debian_version": "12.11\n",
        "/var/lib/dpkg/status": "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9\nArchitecture: amd64\n",
    },
    "Alpine": {
        **ACCOUNTS,
        "/etc/alpine-release": "3.20.1\n",
        "/etc/os-release": "ID=alpine\nVERSION_ID=3.20.1\n",
        "/lib/apk/db/installed": "P:musl\nV:1.2.5-r0\nA:x86_64\n\n",
    },
    "Red Hat, no rpm program": {
        **ACCOUNTS,
        "/etc/os-release": 'ID="rhel"\nVERSION_ID="9.4"\nID_LIKE="fedora"\n',
        "/etc/redhat-release": "Red Hat Enterprise Linux release 9.4 (Plow)\n",
    },
    "distroless, no /etc/passwd": {
        "/usr/lib/os-release": "ID=debian\nVERSION_ID=12\n",
        "/var/lib/dpkg/status.d/base": "Package: base-files\nVersion: 12.4\nArchitecture: amd64\n",
    },
}
ODD = (
    "with space",
    "-n",
    "--",
    "quo'te\"",
    "üñí",
    "\udcff\udcfe",
    "*?[a]",
    "back\\slash",
    "$(id)`id`",
    "tab\there",
)
# Neither the locale nor the time zone nor the PATH of a container may matter.
ENV = {
    "PATH": "/bin:/opt/bin",
    "LC_ALL": "tr_TR.UTF-8",
    "TZ": "Asia/Tokyo",
    "MULTI": "a\nFAKE=b\n",
    "SECRET": "planted",
}

REQUEST = (
    *map(Query, ("os", "packages", "passwd", "shadow", "group", "environment", "process_status")),
    *(Query("file", "/data/" + name) for name in ODD),
    *(
        Query("file", path)
        for path in ("/private/file", "/private/nothing", "/nowhere", "/link", "/dangling", "/tmp", "/pipe")
    ),
    *(
        Query("content", path)
        for path in ("/data/text", "/data/binary", "/data/empty", "/secret", "/nowhere", "/proc/version")
    ),
    Query("sha256", "/data/binary"),
    *(Query("readable", path) for path in ("/data/text", "/secret", "/private/file", "/nowhere")),
    *(Query("sysctl", name) for name in ("kernel.ostype", "kernel.pid_max", "no.such")),
    *(Query("walk", "/data", (("match", match),)) for match in ("setuid", "world_writable")),
    *(Query("environment_value", name) for name in ("MULTI", "FAKE")),
    *(Query("python_packages", prefix) for prefix in ("/usr", "/opt/none")),
    Query("command", '["show","two words","$(id)"]'),
    Query("command", '["no-such-program"]'),
)

_HEAD = """<!-- Made by tests/unit/plugins/module_utils/collector/test_collector_matrix.py with SECURESCAN_WRITE_DOCS=1;
changes here are lost. -->

# Where the collector works

One request of %d facts, gathered in %d containers: each shell with each set of tools, as each user, in each kind of image.
All on a read-only root, with a locale and a time zone of its own, with names that hold spaces, quotes, tabs, leading
dashes, pattern characters and bytes that are not UTF-8.

A cell says how many facts are equal to those that dash with GNU tools gives there. Where fewer than all are, the others
were said not to be possible, each with its cause; no fact differed. Debian's busybox shell always has its own tools.

"""
_SEEN: dict[tuple[str, str, str, str], int] = {}
_CAUSES: dict[tuple[str, str], dict[str, set[str]]] = {}
_REFERENCE: dict[tuple[str, str], list[Fact]] = {}


def _fill(container: Container, image: str) -> Container:
    for path, text in IMAGES[image].items():
        container.write(path, text, mode=0o640 if path == "/etc/shadow" else 0o644)
    if image.startswith("Red Hat"):
        header = make_header({1000: b"bash", 1001: b"5.1.8", 1002: b"9.el9", 1022: b"x86_64"}, padding=9000)
        (container.root / "var/lib/rpm").mkdir(parents=True)
        make_sqlite(container.root / "var/lib/rpm/rpmdb.sqlite", [header])
        (container.root / "usr/lib/sysimage").mkdir(parents=True)
        (container.root / "usr/lib/sysimage/rpm").symlink_to("../../../var/lib/rpm")
    for name in ODD:
        container.write(
            "/data/" + name,
            name.encode("utf-8", "surrogateescape"),
            mode=0o4755 if name == "-n" else 0o644,
            owner=(7, 8),
        )
    for name, content in (("text", b"one\ntwo"), ("binary", bytes(range(256)) * 8), ("empty", b"")):
        container.write("/data/" + name, content)
    (container.root / "data/text").chmod(0o666)
    container.write("/private/file", "x")
    (container.root / "private").chmod(0o700)
    container.write("/secret", "x", mode=0o600)  # one byte, as bash once took another byte for it
    container.write(SITE + "requests-2.31.0.dist-info/METADATA", "Version: 2.31.0\n")
    container.write(SITE + "developed.egg-info/PKG-INFO", "Name: developed\nVersion: 0.1\n")
    container.write(
        "/opt/bin/show", '#!/bin/dash\nfor word; do echo "$word"; done; echo "$TZ" >&2; exit 3\n', mode=0o755
    )
    container.add_program("dash")
    (container.root / "link").symlink_to("data/with space")
    (container.root / "dangling").symlink_to("/no/where")
    os.mkfifo(container.root / "pipe")
    (container.root / "tmp").chmod(0o1777)
    for path in [*container.root.rglob("*"), container.root]:
        if "bin" not in path.relative_to(container.root).parts[:1]:
            os.utime(path, (1_700_000_000, 1_700_000_000), follow_symlinks=False)
    return container


def _collect(container: Container, user: Identity) -> list[Fact]:
    wanted = request.make_request(REQUEST)
    done = container.run(script.build_script(wanted, NONCE), user, env=ENV, read_only=True)
    # on stderr some shells say that the container does not have its locale, before they read the script
    assert done.returncode == 0 and b"planted" not in done.stdout
    return list(collect.read_facts(wanted, done.stdout, NONCE).values())


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize(("shell", "tools"), CELLS)
def test_every_shell_and_set_of_tools_gives_the_facts_of_the_reference(
    make_container: Callable[..., Container], shell: str, tools: str, image: str
) -> None:
    names = [*TOOLS, "gzip", "setsid"]
    container = _fill(make_container(shell, tools, names=names), image)
    if not any(key[0] == image for key in _REFERENCE):
        reference = _fill(make_container("dash", "gnu", names=names), image)
        _REFERENCE.update({(image, user.name): _collect(reference, user) for user in USERS})
        assert {fact.status for fact in _REFERENCE[image, ROOT.name]} == {OK, ABSENT}
    for user in USERS:
        equal = 0
        for query, fact, wanted in zip(REQUEST, _collect(container, user), _REFERENCE[image, user.name]):
            if fact == wanted:
                equal += 1
                continue
            # never another value, and never absence where it is not absent
            assert fact.status in (UNSUPPORTED, UNREADABLE) and fact.cause, (query, fact, wanted)
            assert wanted.status != OK or fact.value is None or fact.value.items() <= wanted.value.items(), (
                query,
                fact,
            )
            _CAUSES.setdefault((shell, tools), {}).setdefault(query.kind, set()).add(fact.cause)
        assert tools in ("none", "toybox") or equal == len(REQUEST)
        _SEEN[shell, tools, user.name, image] = equal


def test_the_page_of_the_matrix_says_what_came_out() -> None:
    rows = [(shell, tools, user.name) for shell, tools in CELLS for user in USERS]
    if len(_SEEN) != len(rows) * len(IMAGES):
        pytest.skip("only a run of all cells can say what stands on the page")
    assert len(_SEEN) >= 40
    text = _page(rows)
    if os.environ.get("SECURESCAN_WRITE_DOCS"):
        (CHECKOUT / PAGE).write_text(text, encoding="utf-8")
    assert (CHECKOUT / PAGE).read_text(encoding="utf-8") == text, (
        "run this file's tests with SECURESCAN_WRITE_DOCS=1"
    )


def _page(rows: Iterable[tuple[str, str, str]]) -> str:
    lines = [*_table_row("shell", "tools", "user", *IMAGES), *_table_row(*["---"] * (3 + len(IMAGES)))]
    for row in rows:
        counts = [_SEEN[(*row, image)] for image in IMAGES]
        lines += _table_row(
            *row, *(f"all {count}" if count == len(REQUEST) else str(count) for count in counts)
        )
    lines += [
        "",
        "## What is not possible",
        "",
        *_table_row("shell", "tools", "fact", "cause"),
        *_table_row(*["---"] * 4),
    ]
    for (shell, tools), kinds in sorted(_CAUSES.items()):
        lines += [
            line
            for kind, causes in sorted(kinds.items())
            for cause in sorted(causes)
            for line in _table_row(shell, tools, f"`{kind}`", cause)
        ]
    return _HEAD % (len(REQUEST), len(_SEEN)) + "\n".join(lines) + "\n"


def _table_row(*cells: Any) -> list[str]:
    return ["| {} |".format(" | ".join(map(str, cells)))]
