# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tutorial on profiles: its files are written and its commands run as they stand there, and print what it says."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "writing-profiles.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"`(mine/[\w/.-]+\.yml)`[^`]*\Z")


def blocks():
    """(kind, text, what stands before it) of each block of the page, in order."""
    page, end = PAGE.read_text(encoding="utf-8"), 0
    for block in BLOCK.finditer(page):
        yield block.group(1), block.group(2), page[end : block.start()]
        end = block.end()


def test_the_tutorial_works(cluster, operator_kubeconfig, tmp_path):
    environ = dict(os.environ, ANSIBLE_NOCOLOR="1", K8S_AUTH_KUBECONFIG=str(operator_kubeconfig))
    output, done = "", {"yaml": 0, "sh": 0, "text": 0}
    for kind, text, before in blocks():
        if kind == "yaml":
            path = tmp_path / FILE.search(before).group(1)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif kind == "sh":
            run = subprocess.run(
                ["bash", "-euc", text],
                cwd=tmp_path,
                env=environ,
                text=True,
                check=False,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            output = " ".join(run.stdout.split())
            assert run.returncode == 0, (text, run.stdout)
        else:
            for line in text.splitlines():
                assert " ".join(line.split()) in output, (line, output)
        done[kind] += 1
    assert done == {"yaml": 5, "sh": 7, "text": 6}
