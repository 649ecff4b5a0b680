# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine runs on every Python that it claims, without Ansible: its unit tests are run under each.

The oldest runs all of them. The others import every module; the newest also runs what rests most on Python's own library, because
Python gives warning for years before it takes something away; `make pythons` runs all of them on each.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest
from ansible_collections.securescan.kubernetes.tests.environment.interpreters import SUPPORTED, interpreter

ROOT = pathlib.Path(__file__).resolve().parents[2]

ALL = ("tests/unit/plugins",)
NEWER = tuple(f"tests/unit/plugins/module_utils/{room}" for room in ("network", "cluster", "results"))

# The version that runs this test has run the unit tests already.
VERSIONS = [version for version in SUPPORTED if version != "{}.{}".format(*sys.version_info[:2])]


def folders_for(version: str) -> tuple[str, ...]:
    if version == SUPPORTED[0] or os.environ.get("SECURESCAN_ALL_ON_EACH_PYTHON") == "1":
        return ALL
    return NEWER if version == SUPPORTED[-1] else NEWER[:1]


@pytest.mark.parametrize("version", VERSIONS)
def test_unit_tests_pass_on_python(version: str) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"this machine has no Python {version}")
    made = subprocess.run(
        [
            sys.executable,
            str(ROOT / "tests/environment/python_environment.py"),
            str(ROOT / "tests/environment/engine-requirements.txt"),
            python,
        ],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    python = str(pathlib.Path(made.stdout.strip()) / "bin" / "python")
    collected = pytest_on(python, "--collect-only", *ALL)
    assert collected.returncode == 0, collected.stdout[-4000:]
    done = pytest_on(python, *folders_for(version))
    assert done.returncode == 0, done.stdout[-4000:]
    assert " passed" in done.stdout


def pytest_on(python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not in_container", *arguments],
        cwd=ROOT,
        env=dict(os.environ, PYTHONPATH=str(ROOT.parents[2]), PYTHONDONTWRITEBYTECODE="1"),
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
