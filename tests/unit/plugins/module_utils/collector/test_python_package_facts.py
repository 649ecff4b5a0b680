# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python_packages: the distributions below a prefix, against what Python itself finds there."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector import language_packages
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    ABSENT,
    OK,
    TOO_LARGE,
    UNREADABLE,
    Query,
)
from ansible_collections.securescan.kubernetes.tests.support.chroot_container import (
    CELLS,
    NOBODY,
    Container,
)

pytestmark = pytest.mark.in_container

QUERY = Query("python_packages", "/usr")
SITE = "/usr/lib/python3.12/site-packages/"
DEBIAN = "/usr/lib/python3/dist-packages/"


def _rows(value: Any) -> list[tuple[str, str | None, str]]:
    return sorted((row["name"], row["version"] or "", row["path"]) for row in value)


def _fill(container: Container) -> None:
    for name, text in {
        SITE + "requests-2.31.0.dist-info/METADATA": "Name: requests\nVersion: 2.31.0\n",
        SITE + "torch-2.0.1+cu118.dist-info/METADATA": "Name: torch\nVersion: 2.0.1+cu118\n",
        SITE + "zope.interface-5.5.2-py3.12.egg-info/PKG-INFO": "Name: zope.interface\nVersion: 5.5.2\n",
        SITE
        + "developed.egg-info/PKG-INFO": "Metadata-Version: 2.1\nName: developed\nVersion: 0.1.dev0\n\nVersion: 9\n",
        SITE + "~equests-2.30.0.dist-info/METADATA": "Name: x\nVersion: 1\n",
        SITE + "not a name-1.dist-info/METADATA": "",
        SITE + "two\nlines-1.dist-info/METADATA": "",
        SITE + "requests/__init__.py": "",
        DEBIAN + "PyGObject-3.42.2.egg-info": "Name: PyGObject\nVersion: 3.42.2\n",
        DEBIAN + "ubuntu_drivers-0.0.0.egg-info": "Name: ubuntu-drivers\nVersion: 0.0.0\n",
        "/usr/lib/python3.12/json/__init__.py": "",
        "/usr/lib64/python3.9/site-packages/numpy-1.26.0.dist-info/METADATA": "Name: numpy\nVersion: 1.26.0\n",
    }.items():
        container.write(name, text)


@pytest.mark.parametrize(("shell", "tools"), CELLS)
def test_every_shell_finds_what_python_finds(
    make_container: Callable[..., Container], shell: str, tools: str
) -> None:
    container = make_container(shell, tools)
    _fill(container)
    fact = container.fact(QUERY, NOBODY, read_only=True)
    assert fact.status == OK, fact
    folders = [SITE, DEBIAN, "/usr/lib64/python3.9/site-packages/"]
    seen = sorted(
        (found.metadata["Name"].replace("-", "_"), found.version, folder.rstrip("/"))
        for folder in folders
        for found in importlib.metadata.distributions(path=[str(container.root) + folder])
        if found.metadata["Name"] not in (None, "x")  # Python's library also lists what pip leaves out
    )
    assert len(seen) == 7 and _rows(fact.value) == seen


@pytest.mark.parametrize("shell", ["dash", "bash", "mksh", "ash"])
def test_where_there_is_none_or_nothing_can_be_seen(
    make_container: Callable[..., Container], shell: str
) -> None:
    container = make_container(shell, "busybox")
    assert container.fact(QUERY).status == ABSENT
    (container.root / "usr/lib/python3").mkdir(parents=True)
    (container.root / "usr/lib/python3/dist-packages").write_text("a file")
    assert container.fact(QUERY).status == ABSENT
    (container.root / "usr/lib/python3/dist-packages").unlink()
    (container.root / "usr/lib/python3/dist-packages").mkdir()
    assert (container.fact(QUERY).status, container.fact(QUERY).value) == (OK, [])
    for folder in ("usr/lib/python3/dist-packages", "usr/lib/python3", "usr/lib", "usr"):
        for mode in (0o711, 0o700):
            (container.root / folder).chmod(mode)
            fact = container.fact(QUERY, NOBODY)
            listed = mode == 0o711 and folder in ("usr/lib/python3", "usr")
            assert fact.status == (OK if listed else UNREADABLE), (folder, oct(mode), fact)
        (container.root / folder).chmod(0o755)


def test_links_and_a_second_name_of_the_same_folder(make_container: Callable[..., Container]) -> None:
    container = make_container()
    _fill(container)
    (container.root / "usr/lib64").rename(container.root / "opt")
    (container.root / "usr/lib64").symlink_to("lib")
    (container.root / "usr/lib/python3.13").symlink_to("/opt/python3.9")
    rows = _rows(container.fact(QUERY).value)
    assert len(rows) == len(set(rows)) == 7
    assert ("numpy", "1.26.0", "/usr/lib/python3.13/site-packages") in rows
    assert len(container.fact(Query("python_packages", "/usr/nothing")).cause) > 10


def test_more_packages_than_the_limit_are_too_large(make_container: Callable[..., Container]) -> None:
    container = make_container()
    folder = Path(str(container.root) + SITE)
    folder.mkdir(parents=True)
    for number in range(language_packages._LIMIT + 1):
        (folder / (f"p{number}-1.dist-info")).touch()
    assert container.fact(QUERY).status == TOO_LARGE
    (folder / "p0-1.dist-info").unlink()
    assert len(container.fact(QUERY).value) == language_packages._LIMIT
