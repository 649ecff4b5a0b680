# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python interpreters of this machine."""

from __future__ import annotations

import os
import pathlib
import shutil

PYENV = pathlib.Path(os.environ.get("PYENV_ROOT") or pathlib.Path.home() / ".pyenv") / "versions"
SUPPORTED = ("3.9", "3.10", "3.11", "3.12", "3.13")


def interpreter(version: str) -> str | None:
    """A real interpreter of that version: one that pyenv has, else the one on PATH; None where there is none."""
    found = sorted(PYENV.glob(f"{version}.*/bin/python"))
    return str(found[-1]) if found else shutil.which("python" + version)


def folders() -> list[str]:
    """The folders of the supported interpreters, for a PATH: the names that pyenv puts there need its whole environment."""
    found = map(interpreter, SUPPORTED)
    return list(dict.fromkeys(str(pathlib.Path(path).parent) for path in found if path))
