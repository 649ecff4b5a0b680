# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of an image that is mounted beside the collector: never those of the scanner, whatever links say."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    ABSENT,
    OK,
    UNSUPPORTED,
    Query,
)
from ansible_collections.securescan.kubernetes.tests.support.chroot_container import (
    CELLS,
    TOOLS,
    Container,
)
from ansible_collections.securescan.kubernetes.tests.support.rpm_files import (
    make_header,
    make_sqlite,
)
from ansible_collections.securescan.kubernetes.tests.support.viewed_target import (
    IMAGE,
    SCANNERS_OWN,
    MakeContainer,
    MountedImage,
    shown,
)

pytestmark = pytest.mark.in_container


def _fill(container: Container, name: str, database: Path) -> None:
    container.write(
        "/srv/db", make_sqlite(database, [make_header({1000: name.encode(), 1001: b"1", 1002: b"1"})])
    )
    container.write(f"/srv/python/site-packages/{name}-1.dist-info/METADATA", "")
    container.write("/srv/python/info/PKG-INFO", f"Name: x\nVersion: {name}\n")


@pytest.mark.parametrize(("shell", "tools"), [cell for cell in CELLS if cell[1] != "none"])
def test_links_to_absolute_places(
    make_container: MakeContainer, tmp_path: Path, shell: str, tools: str
) -> None:
    target, scanner = (make_container(shell, tools, names=[*TOOLS, "gzip"]) for _side in range(2))
    _fill(target, "targets", tmp_path / "one")
    _fill(scanner, SCANNERS_OWN, tmp_path / "two")
    scanner.write("/bin/rpm", f"#!/bin/sh\nprintf '{SCANNERS_OWN}\\t1\\tnoarch\\n'\n", mode=0o755)
    root = target.root
    for folder in ("usr/lib", "var/lib/rpm"):
        (root / folder).mkdir(parents=True)
    (root / "var/lib/rpm/rpmdb.sqlite").symlink_to("/srv/db")
    (root / "usr/lib/python3.12").symlink_to("/srv/python")
    (root / "usr/lib64").symlink_to("/usr/lib")
    (root / "srv/python/site-packages/linked.egg-info").symlink_to("/srv/python/info")
    queries = (Query("packages"), Query("python_packages", "/usr"), Query("python_packages", "/opt"))
    (scanner.root / IMAGE[1:]).mkdir(parents=True)
    image = MountedImage(scanner, target)
    inside, outside = target.collect(*queries), image.collect(*queries)
    assert dict(inside) == dict(outside)
    assert SCANNERS_OWN not in shown(outside)
    packages, python, none = outside.values()
    assert [row["name"] for row in packages.value["packages"]] == ["targets"]
    assert sorted((row["name"], row["version"]) for row in python.value) == [
        ("linked", "targets"),
        ("targets", "1"),
    ]
    assert (packages.status, python.status, none.status) == (OK, OK, ABSENT)


def test_nothing_is_run_and_no_environment_is_guessed(make_container: MakeContainer) -> None:
    target, scanner = make_container(), make_container()
    (scanner.root / IMAGE[1:]).mkdir(parents=True)
    image = MountedImage(scanner, target)
    facts = image.collect(Query("command", '["cat"]'), Query("environment_value", "PATH"))
    assert [fact.status for fact in facts.values()] == [UNSUPPORTED, UNSUPPORTED]
