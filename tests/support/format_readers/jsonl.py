# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""results.jsonl, line by line, as a strict parser of JSON takes it."""

from __future__ import annotations

import json
import pathlib
from typing import Any

from .format_reader import FormatReader, Words
from .programs import run

# Node's parser; each line must be an object of its own.
_READ = (
    "const lines = require('fs').readFileSync(process.argv[1], 'utf8').split('\\n');"
    "if (lines.pop() !== '') throw new Error('the last line does not end');"
    "process.stdout.write(JSON.stringify(lines.map((line) => JSON.parse(line))));"
)


def lines(path: pathlib.Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(["node", "-e", _READ, str(path)]))
    assert [one["kind"] for one in found].count("run") == 1
    assert len({one["schema"] for one in found}) == 1
    return found


def _word(line: dict[str, Any]) -> str:
    marks = [name for name in ("waived", "attested") if line[name]]
    marks += [f"{one['kind']} counts for nothing" for one in line["exceptions"] if one.get("why_not")]
    return ", ".join((line["status"], *marks))


def read(path: pathlib.Path) -> Words:
    return {
        (line["target"]["target_id"], line["profile"], line["control"]["id"]): _word(line)
        for line in lines(path)
        if line["kind"] == "control"
    }


def targets(path: pathlib.Path) -> dict[str, str]:
    return {line["target"]["target_id"]: line["status"] for line in lines(path) if line["kind"] == "target"}


READER = FormatReader("jsonl", "Node.js, each line an object of its own", read, targets)
