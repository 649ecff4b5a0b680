# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the converters of the SAF CLI make of checklists, many at a time."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

SAF = pathlib.Path(__file__).resolve().parents[1] / "saf"


def converted(kind: str, paths: Sequence[pathlib.Path]) -> list[dict[str, Any]]:
    """For each path: {profile, controls: [[id, status, severity], ...]}.

    :param kind: ckl or xccdf
    :raises AssertionError: when SAF refuses one of them
    """
    program = subprocess.run(
        [sys.executable, str(SAF / "install.py")], stdout=subprocess.PIPE, check=True, text=True
    ).stdout.strip()
    installation = pathlib.Path(program).parents[2]
    with tempfile.TemporaryDirectory() as folder:
        listed = pathlib.Path(folder) / "list.json"
        listed.write_text(json.dumps([[kind, str(path)] for path in paths]), encoding="utf-8")
        done = subprocess.run(
            ["node", str(SAF / "convert_many.js"), str(installation), str(listed)],
            cwd=folder,
            stdout=subprocess.PIPE,
            check=True,
        )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    for path, one in zip(paths, found):
        assert "error" not in one, f"SAF refuses {path}: {one['error']}"
    return found
