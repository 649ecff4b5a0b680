# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container with 100,000 files: walks find what there is, and what has no need to walk does not see them."""

from __future__ import annotations

import os
import time
from typing import Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    OK,
    TOO_LARGE,
    Query,
)
from ansible_collections.securescan.kubernetes.tests.support.chroot_container import (
    Container,
)

pytestmark = pytest.mark.in_container

SHELLS = (("dash", "gnu"), ("ash", "busybox"), ("mksh", "toybox"))


def test_a_tree_of_100_000_files_is_searched_in_time(make_container: Callable[..., Container]) -> None:
    containers = [make_container(shell, tools) for shell, tools in SHELLS]
    tree = containers[0].root / "tree"
    tree.mkdir()
    for number in range(100):
        (tree / str(number)).mkdir()
        folder = os.open(tree / str(number), os.O_RDONLY)
        for name in range(1000):
            os.mknod(f"a file {name}", 0o644, dir_fd=folder)
        os.close(folder)
    (tree / "57/a file 613").chmod(0o4755)
    (tree / "3").chmod(0o777)
    for name in range(11):
        (tree / "99" / (f"a file {name}")).chmod(0o666)
    for container in containers:
        if container.root not in tree.parents:
            tree = tree.rename(container.root / "tree")
        begun = time.process_time()
        facts = container.collect(
            Query("walk", "/tree", (("match", "setuid"),)),
            Query("walk", "/tree", (("match", "world_writable"), ("limit", 10))),
            Query("file", "/tree/57/a file 613"),
            Query("os"),
            Query("packages"),
        )
        setuid, writable, file = list(facts.values())[:3]
        assert setuid.status == OK and [entry["path"] for entry in setuid.value["entries"]] == [
            "/tree/57/a file 613"
        ]
        assert writable.status == TOO_LARGE and len(writable.value["entries"]) == 10
        assert file.status == OK and len(container.output) < 10_000
        assert time.process_time() - begun < 2
