# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documents of heimdall/ as inspecjs reads them, which is what Heimdall and the SAF CLI do."""

from __future__ import annotations

import json
import pathlib
from typing import Any

from .format_reader import FormatReader, Words
from .programs import TESTS, run, saf_installation

# Status of what stands for a target without results.
_WITHOUT = ("not_scanned", "unread", "not_judged")


def controls(folder: pathlib.Path, kind: str) -> list[tuple[str, dict[str, Any], str, bool]]:
    """(id, tags, status, waived) of all documents of a kind: run or place."""
    files = sorted(str(path) for path in folder.glob(f"{kind}-*.json"))
    assert files, f"there is no document of the {kind}"
    said = run(["node", str(TESTS / "saf" / "read_controls.js"), str(saf_installation()), *files])
    return [
        (name, tags, status, waived)
        for document in json.loads(said)
        for name, tags, status, _severity, waived in document
    ]


def _is_control(name: str) -> bool:
    return name.partition(" @ ")[0] not in _WITHOUT


def read(folder: pathlib.Path) -> Words:
    words: dict[str, Words] = {}
    for kind in ("run", "place"):
        words[kind] = {
            (tags["target"], tags["profile"], name.partition(" @ ")[0].partition("/")[2]): status
            + (", waived" if waived else "")
            for name, tags, status, waived in controls(folder, kind)
            if _is_control(name)
        }
    assert words["run"] == words["place"], "the documents of places say something else than those of the run"
    return words["run"]


def targets(folder: pathlib.Path) -> dict[str, str]:
    return {
        tags["target"]: f"{status} ({name.partition(' @ ')[0]})"
        for name, tags, status, _waived in controls(folder, "run")
        if not _is_control(name)
    }


READER = FormatReader("hdf", "inspecjs 2.12.6, which Heimdall and the SAF CLI read with", read, targets)
