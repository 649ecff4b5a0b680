# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that pushes are tested with and that are written in Go: each is built once, into the cache.

A folder of tests/real/programs/ is a Go module without source, called like the program, which pins it by its `tool` line. The
build is found by a hash of the pins and of Go's version.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import time

from .python_environment import CACHE, say

MODULES = pathlib.Path(__file__).resolve().parents[1] / "real" / "programs"
_ENVIRONMENT = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}


def built(name: str) -> pathlib.Path:
    """The program; it is built first where it is not there yet.

    :raises subprocess.CalledProcessError: when Go is missing or cannot build it
    """
    module = MODULES / name
    version = subprocess.run(["go", "env", "GOVERSION"], check=True, stdout=subprocess.PIPE).stdout
    pins = b"\0".join([version, *((module / part).read_bytes() for part in ("go.mod", "go.sum"))])
    folder = CACHE / "go" / name / hashlib.sha256(pins).hexdigest()[:16]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _build(name, module, folder)
    return folder / name


def _build(name: str, module: pathlib.Path, folder: pathlib.Path) -> None:
    """Builds beside the final place, so that a half build is never taken for a whole one."""
    say(f"==> building {name} (a minute, once)")
    started = time.monotonic()
    for older in folder.parent.iterdir():
        if older.is_dir():
            shutil.rmtree(older)
    draft = folder.with_name("draft")
    draft.mkdir()
    subprocess.run(
        ["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", f"{draft}{os.sep}", "tool"],
        cwd=module,
        env={**os.environ, **_ENVIRONMENT},
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=2,
    )
    if not (draft / name).is_file():
        raise FileNotFoundError(f"the build of {module} has no program {name}")
    draft.rename(folder)
    say(f"==> built {name} in {time.monotonic() - started:.0f} s")
