# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine runs on every Python that it claims, without Ansible: its unit tests are run under each."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYENV = pathlib.Path(os.environ.get("PYENV_ROOT") or pathlib.Path.home() / ".pyenv") / "versions"
# The version that runs this test has run the unit tests already.
VERSIONS = [version for version in ("3.9", "3.10", "3.11", "3.12", "3.13")
            if version != "%d.%d" % sys.version_info[:2]]


def interpreter(version: str) -> str | None:
    """A real interpreter of that version: one that pyenv has, else the one on PATH."""
    found = sorted(PYENV.glob("%s.*/bin/python" % version))
    return str(found[-1]) if found else shutil.which("python" + version)


@pytest.mark.parametrize("version", VERSIONS)
def test_unit_tests_pass_on_python(version: str) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip("this machine has no Python %s" % version)
    made = subprocess.run([sys.executable, str(ROOT / "tests/environment/python_environment.py"),
                           str(ROOT / "tests/environment/engine-requirements.txt"), python],
                          check=True, stdout=subprocess.PIPE, text=True)
    environment = pathlib.Path(made.stdout.strip())
    done = subprocess.run(
        [str(environment / "bin" / "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/plugins"],
        cwd=ROOT, env=dict(os.environ, PYTHONPATH=str(ROOT.parents[2]), PYTHONDONTWRITEBYTECODE="1"),
        check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout[-4000:]
    assert " passed" in done.stdout
