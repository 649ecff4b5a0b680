# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there, but whose status the kernel refuses, is not absent: a file system whose server is gone."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    ABSENT,
    OK,
    UNREADABLE,
    Query,
)
from ansible_collections.securescan.kubernetes.tests.support.chroot_container import (
    CELLS,
    Container,
)

pytestmark = pytest.mark.in_container


@pytest.mark.skipif(
    not Path("/dev/fuse").exists(), reason="this kernel has no FUSE to make a dead mount with"
)
@pytest.mark.parametrize(("shell", "tools"), CELLS)
def test_a_dead_mount_is_not_absent(make_container: Callable[..., Container], shell: str, tools: str) -> None:
    container = make_container(shell, tools)
    names = ("d", "dead", "with *?[x] 'name", "é", ".hidden")
    for name in names:
        (container.root / "srv" / name).mkdir(parents=True)
    (container.root / "srv/link").symlink_to("dead")

    def mount() -> None:
        for name in names:
            server = os.open("/dev/fuse", os.O_RDWR)
            options = b"fd=%d,rootmode=40000,user_id=0,group_id=0" % server
            target = os.fsencode(container.root / "srv" / name)
            assert ctypes.CDLL(None).mount(b"none", target, b"fuse", 0, options) == 0
            os.close(server)

    wanted = [Query("file", "/srv/" + name) for name in names]
    below, content = Query("file", "/srv/dead/below"), Query("content", "/srv/dead/below")
    beside = [Query("file", "/srv/deadline"), Query("file", "/srv/dea"), Query("file", "/srv/x")]
    facts = container.collect(*wanted, below, content, *beside, prepare=mount)
    for query in (*wanted, below, content):
        fact = facts.get_fact(query)
        assert (fact.status, fact.value) == (UNREADABLE, None), query.key
        assert "status cannot be read" in fact.cause
    assert [facts.get_fact(query).status for query in beside] == [ABSENT] * 3
    link = container.fact(Query("file", "/srv/link"), prepare=mount)
    assert link.status == UNREADABLE
    assert container.fact(Query("file", "/srv")).status in (OK, "unsupported")
