# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unit tests of the collection run under pytest-ansible, as contributors of other collections are used to.

It is switched off for our own runs (pyproject.toml), since it puts Ansible's importer in place for the whole process and may
make a folder of links in the checkout. What is left of it for modules (hosts as fixtures) is deprecated, so here it does
what it will keep: it lets Ansible's importer find the collection. In a process of its own.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_unit_tests_pass_under_it() -> None:
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-o",
        "addopts=--import-mode=importlib",
        "-p",
        "no:cacheprovider",
        "--ansible-unit-inject-only",
        # the fixtures above are imported before its importer is in place
        "--confcutdir=tests/unit/plugins/filter",
        "tests/unit/plugins/filter",
    ]
    environ["ANSIBLE_COLLECTIONS_PATH"] = str(ROOT.parents[2])
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environ,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert " passed" in done.stdout
    assert not (ROOT / "collections").exists()
