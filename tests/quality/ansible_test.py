# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-test on a copy of the tree, since it leaves its output there; needs no network but the Python package index."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import tempfile

from ansible_collections.securescan.kubernetes.tests.environment import interpreters
from ansible_collections.securescan.kubernetes.tests.environment.python_environment import CACHE

TESTS = pathlib.Path(__file__).resolve().parents[1]


# The versions of pip whose bootstrap script these ansible-tests want.
BOOTSTRAPPED_PIPS = ("23.1.2", "24.2", "25.2")


def run(environment: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`ansible-test ARGUMENTS` by the Python environment of that folder; its output is in `stdout`."""
    path = [str(environment / "bin"), *interpreters.folders(), os.environ["PATH"]]
    with tempfile.TemporaryDirectory(prefix="ansible-test-") as folder:
        tree = pathlib.Path(folder) / "ansible_collections" / "securescan" / "kubernetes"
        shutil.copytree(TESTS.parent, tree, ignore=shutil.ignore_patterns("__pycache__", ".git", "build"))
        environ = {
            name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON"))
        }
        return subprocess.run(
            ["ansible-test", *arguments],
            cwd=tree,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=dict(environ, HOME=str(_prepared_home()), PATH=":".join(path)),
        )


def _prepared_home() -> pathlib.Path:
    """The home folder that ansible-test gets: it keeps its environments there, and looks there for pip's bootstrap script."""
    home = CACHE / "ansible-test"
    scripts = home / ".ansible" / "test" / "cache"
    scripts.mkdir(parents=True, exist_ok=True)
    for version in BOOTSTRAPPED_PIPS:
        shutil.copyfile(
            TESTS / "quality" / "bundled_pip.py",
            scripts / ("get_pip_{}.py".format(version.replace(".", "_"))),
        )
    return home
