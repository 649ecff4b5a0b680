# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hardened scanner image, made by the command of scanner_image/Containerfile in the sample image busybox."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from ..rootfs import Rootfs

BASE = "busybox"
SOURCES = ("../../../scanner_image/Containerfile",)
_TEXT = (Path(__file__).resolve().parents[1] / SOURCES[0]).read_text(encoding="utf-8")
CONFIG = {
    "Env": re.findall(r"^ENV (.*)$", _TEXT, re.MULTILINE),
    "User": re.findall(r"^USER (.*)$", _TEXT, re.MULTILINE)[0],
    "Cmd": json.loads(re.findall(r"^CMD (.*)$", _TEXT, re.MULTILINE)[0]),
}


def fill(root: Rootfs) -> None:
    (command,) = re.findall(r"^RUN ((?:.*\\\n)*.*)$", _TEXT, re.MULTILINE)
    root.run_inside("/bin/sh", "-c", command)
    made = root.folder / "scanner"
    for path in root.folder.iterdir():
        if path != made:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for path in list(made.iterdir()):
        path.rename(root.folder / path.name)
    made.rmdir()
