# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine runs on every Python that it claims, without Ansible: its unit tests are run under each.

The oldest and the newest run all of them. Those between run what rests most on Python's own library, because what works on
both ends works between; `make pythons` runs all of them on each.
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
BETWEEN = tuple(
    f"tests/unit/plugins/module_utils/{room}" for room in ("network", "cluster", "results", "reports")
)

# The version that runs this test has run the unit tests already.
VERSIONS = [version for version in SUPPORTED if version != "{}.{}".format(*sys.version_info[:2])]


def folders_for(version: str) -> tuple[str, ...]:
    is_end = version in (SUPPORTED[0], SUPPORTED[-1])
    return ALL if is_end or os.environ.get("SECURESCAN_ALL_ON_EACH_PYTHON") == "1" else BETWEEN


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
    environment = pathlib.Path(made.stdout.strip())
    done = subprocess.run(
        [
            str(environment / "bin" / "python"),
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-m",
            "not in_container",
            *folders_for(version),
        ],
        cwd=ROOT,
        env=dict(os.environ, PYTHONPATH=str(ROOT.parents[2]), PYTHONDONTWRITEBYTECODE="1"),
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert " passed" in done.stdout
