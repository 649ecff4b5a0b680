# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What STIG Manager takes from checklists when it imports them, many at a time."""

from __future__ import annotations

import json
import pathlib
import subprocess
import tempfile
from collections.abc import Sequence
from typing import Any

from ..environment.npm_packages import npm_packages

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "stig_manager"
# STIG Manager keeps no more characters of a rule's id.
MOST_OF_A_RULE_ID = 45
VERSION = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))["dependencies"].popitem()[1]


def imported(kind: str, paths: Sequence[pathlib.Path]) -> list[dict[str, Any]]:
    """For each path: {asset, benchmark, reviews: [[rule, result, detail, comment], ...]}.

    :param kind: ckl, cklb or xccdf
    :raises AssertionError: when STIG Manager refuses one of them
    """
    with tempfile.TemporaryDirectory() as folder:
        listed = pathlib.Path(folder) / "list.json"
        listed.write_text(json.dumps([[kind, str(path)] for path in paths]), encoding="utf-8")
        done = subprocess.run(
            ["node", str(FOLDER / "read_many.mjs"), str(npm_packages(FOLDER)), str(listed)],
            cwd=folder,
            stdout=subprocess.PIPE,
            check=True,
        )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    for path, one in zip(paths, found):
        assert "error" not in one, f"STIG Manager refuses {path}: {one['error']}"
    return found


def results(one: dict[str, Any]) -> list[tuple[str, str]]:
    """(rule, result) of each review that `imported` gives of a file, in its order. It cuts ids of rules."""
    return [(rule, result) for rule, result, _detail, _comment in one["reviews"]]
