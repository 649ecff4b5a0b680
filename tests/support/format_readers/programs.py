# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that read what formats wrote."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import tempfile
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from ansible_collections.securescan.kubernetes.tests.cluster import debian_packages
from ansible_collections.securescan.kubernetes.tests.environment.page_build import node_modules
from ansible_collections.securescan.kubernetes.tests.saf.install import install as install_saf

TESTS = pathlib.Path(__file__).resolve().parents[2]
_SECONDS = 120
# The type of a cell that is computed; others have a number.
FORMULA = "formula"


def run(command: Sequence[str], folder: pathlib.Path | None = None, **environment: str) -> str:
    """Runs a reader. What it printed. :raises AssertionError: it refuses what it was given"""
    done = subprocess.run(
        command,
        check=False,
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_SECONDS,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout


def saf_installation() -> pathlib.Path:
    """The folder in which the SAF CLI is, with inspecjs and Heimdall Lite."""
    return pathlib.Path(install_saf()).parents[2]


def sarif_modules() -> pathlib.Path:
    return node_modules(TESTS / "sarif")


def sarif_complaints(path: pathlib.Path) -> list[tuple[str, str]]:
    """(rule, message) of what Microsoft's validator has against a file; errors and warnings."""
    program = sarif_modules() / "@microsoft" / "sarif-multitool-linux" / "Sarif.Multitool"
    program.chmod(0o755)
    with tempfile.TemporaryDirectory() as name:
        said = pathlib.Path(name) / "said.sarif"
        run(
            [str(program), "validate", str(path), "--output", str(said), "--max-file-size-in-kb", "1000000"],
            DOTNET_SYSTEM_GLOBALIZATION_INVARIANT="1",
            DOTNET_BUNDLE_EXTRACT_BASE_DIR=name,
        )
        found = json.loads(said.read_text(encoding="utf-8-sig"))
    return [
        (result["ruleId"], str(result["message"]))
        for part in found["runs"]
        for result in part.get("results", ())
        if result.get("level", "warning") in ("error", "warning")
    ]


def spreadsheet(path: pathlib.Path) -> list[list[tuple[str, str]]]:
    """(text, type) of each cell of a table as Gnumeric has it after it has opened the file."""
    debian_packages.ensure(["ssconvert"])
    with tempfile.TemporaryDirectory() as name:
        opened = pathlib.Path(name) / "opened.xml"
        program = str(debian_packages.path_of("ssconvert"))
        run([program, "--export-type=Gnumeric_XmlIO:sax:0", str(path), str(opened)], HOME=name)
        root = ElementTree.parse(opened).getroot()
    space = "{http://www.gnumeric.org/v10.dtd}"
    rows: dict[int, dict[int, Any]] = {}
    for cell in root.iter(f"{space}Cell"):
        row = rows.setdefault(int(cell.attrib["Row"]), {})
        row[int(cell.attrib["Col"])] = (cell.text or "", cell.attrib.get("ValueType", FORMULA))
    width = max(column for row in rows.values() for column in row) + 1
    return [[rows[number].get(column, ("", "")) for column in range(width)] for number in sorted(rows)]
