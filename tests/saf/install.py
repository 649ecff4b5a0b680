# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs the pinned SAF CLI once, outside the tree, and prints the path of its `saf` program.

The folder is named by a hash of package.json and package-lock.json, so a changed pin is a new folder. It becomes
visible under its name only when it is complete: an interrupted install leaves nothing that looks finished. About
450 MB and one minute the first time. Progress goes to standard error, the path is the only line on standard output.

SAF writes log files into its working folder: run it in a temporary one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PINS = ("package.json", "package-lock.json")
_PROGRESS_SECONDS = 10


def cache_root() -> Path:
    """The cache folder: SECURESCAN_CACHE, or .cache/securescan-kubernetes in the home folder."""
    chosen = os.environ.get("SECURESCAN_CACHE")
    return Path(chosen).resolve() if chosen else Path.home() / ".cache" / "securescan-kubernetes"


def install_folder() -> Path:
    digest = hashlib.sha256()
    for name in PINS:
        digest.update((HERE / name).read_bytes() + b"\0")
    return cache_root() / "saf" / digest.hexdigest()[:16]


def saf_program(folder: Path) -> Path:
    return folder / "node_modules" / ".bin" / "saf"


def say(text: str) -> None:
    sys.stderr.write(f"saf: {text}\n")
    sys.stderr.flush()


def run_npm_ci(folder: Path) -> None:
    """`npm ci` in `folder`, without the packages' own install scripts; its output is shown only when it fails."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise SystemExit("saf: node and npm are needed to install the SAF CLI (Debian: nodejs, npm)")
    for name in PINS:
        shutil.copy(HERE / name, folder / name)
    started = time.monotonic()
    done = threading.Event()

    def report() -> None:
        while not done.wait(_PROGRESS_SECONDS):
            say(f"still installing, {time.monotonic() - started:.0f} s")

    threading.Thread(target=report, daemon=True).start()
    try:
        result = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    finally:
        done.set()
    if result.returncode != 0:
        say(result.stdout.decode("utf-8", "replace")[-4000:])
        raise SystemExit(f"saf: npm ci ended with exit code {result.returncode}")


def check_program(folder: Path) -> None:
    """Runs `saf --version` once: a folder that holds a program that does not start is not an installation."""
    if not saf_program(folder).exists():
        raise SystemExit(f"saf: npm ci made no program: {saf_program(folder)} does not exist")
    with tempfile.TemporaryDirectory() as elsewhere:
        result = subprocess.run(
            [str(saf_program(folder)), "--version"],
            cwd=elsewhere,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    text = result.stdout.decode("utf-8", "replace")
    if result.returncode != 0 or "@mitre/saf/" not in text:
        raise SystemExit(f"saf: the installed program does not start: {text[-2000:]}")


def install() -> Path:
    folder = install_folder()
    if saf_program(folder).exists():
        return saf_program(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / (folder.name + ".lock")).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if saf_program(folder).exists():  # another process made it while this one waited
            return saf_program(folder)
        say(f"installing the SAF CLI into {folder} (about 450 MB, once)")
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=folder.name + ".part.") as name:
            part = Path(name) / "saf"
            part.mkdir()
            run_npm_ci(part)
            check_program(part)
            shutil.rmtree(folder, ignore_errors=True)
            part.rename(folder)
        say("installed")
    return saf_program(folder)


if __name__ == "__main__":
    print(install())
