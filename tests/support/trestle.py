# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OSCAL documents before compliance-trestle, which has an environment of its own (tests/oscal/requirements.txt)."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile

from ..environment.python_environment import ensure_environment

_REQUIREMENTS = pathlib.Path(__file__).resolve().parents[1] / "oscal" / "requirements.txt"


def validate(path: pathlib.Path, kind: str) -> None:
    """Imports the document into a workspace of trestle's, and validates it there.

    :param kind: as trestle calls it: assessment-results, component-definition
    :raises AssertionError: trestle refuses it
    """
    program = ensure_environment(_REQUIREMENTS, sys.executable) / "bin" / "trestle"
    with tempfile.TemporaryDirectory() as folder:
        for arguments in (
            ["init", "--local"],
            ["import", "-f", str(path.resolve()), "-o", "document"],
            ["validate", "-t", kind, "-n", "document"],
        ):
            done = subprocess.run(
                [str(program), *arguments],
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"trestle {arguments[0]}: {done.stdout[-2000:]}"
        assert "VALID" in done.stdout, done.stdout
