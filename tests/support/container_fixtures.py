# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: containers without a container engine. They need root, as chroot and mount do, and Debian's shells; they say so."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.tests.support.chroot_container import (
    PACKAGES,
    Container,
    ProgramStore,
)


@pytest.fixture(scope="session")
def program_store(tmp_path_factory: pytest.TempPathFactory) -> ProgramStore:
    if os.geteuid() != 0:
        pytest.skip("containers of the tests are chroots, which need root")
    missing = [package for program, package in PACKAGES.items() if shutil.which(program) is None]
    if missing and shutil.which("apt-get"):
        subprocess.run(
            [
                *("apt-get", "-o", "DPkg::Lock::Timeout=600"),
                *("install", "-y", "-qq", "--no-install-recommends", *missing),
            ],
            check=False,
            stdout=subprocess.DEVNULL,
            env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"),
        )
    return ProgramStore(tmp_path_factory.mktemp("programs"))


@pytest.fixture
def make_container(tmp_path: Path, program_store: ProgramStore) -> Callable[..., Container]:
    """Makes containers: make_container(shell, tools); dash with GNU tools by default."""
    made: list[Container] = []

    def make(shell: str = "dash", tools: str = "gnu", **options: Any) -> Container:
        made.append(Container(tmp_path / (f"container{len(made)}"), program_store))
        return made[-1].add_programs(shell, tools, **options)

    tmp_path.chmod(0o755)
    return make
