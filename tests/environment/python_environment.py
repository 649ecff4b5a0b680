# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the Python environment that a requirements file describes, once, outside the tree; prints its folder.

    python3 python_environment.py [REQUIREMENTS [PYTHON]]

The environment is named by a hash of the requirement files and the interpreter's version, so a changed requirement
or another Python makes a new one and an unchanged one is found at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(
    os.environ.get("SECURESCAN_CACHE") or pathlib.Path.home() / ".cache" / "securescan-kubernetes"
)


def requirement_text(path: pathlib.Path) -> str:
    """The file's text with that of every file it includes by -r."""
    text = path.read_text(encoding="utf-8")
    included = [line.split(None, 1)[1].strip() for line in text.splitlines() if line.startswith("-r ")]
    return text + "".join(requirement_text((path.parent / name).resolve()) for name in included)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def ensure_venv_module(python: str) -> None:
    """Debian splits ensurepip into a package of its own."""
    probe = subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True, check=False)
    if probe.returncode:
        say("==> installing python3-venv (Debian package)")
        subprocess.run(["apt-get", "update", "-qq"], check=True, stdout=sys.stderr)
        subprocess.run(["apt-get", "install", "-y", "-qq", "python3-venv"], check=True, stdout=sys.stderr)


def ensure_environment(requirements: pathlib.Path, python: str) -> pathlib.Path:
    """The environment's folder, made when it is not there; concurrent callers wait for the first."""
    version = subprocess.run(
        [python, "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=True
    ).stdout
    digest = hashlib.sha256((requirement_text(requirements) + version).encode()).hexdigest()[:16]
    folder = CACHE / "python" / (f"{version.split()[0]}-{digest}")
    if (folder / "complete").exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / (folder.name + ".lock")).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "complete").exists():
            return folder
        say(
            f"==> making the Python {version.split()[0]} environment for {requirements.name} (about a "
            "minute, once)"
        )
        shutil.rmtree(folder, ignore_errors=True)
        ensure_venv_module(python)
        subprocess.run([python, "-m", "venv", str(folder)], check=True, stdout=sys.stderr)
        subprocess.run(
            [
                str(folder / "bin" / "python"),
                "-m",
                "pip",
                "install",
                "-q",
                "--disable-pip-version-check",
                "-r",
                str(requirements),
            ],
            check=True,
            stdout=sys.stderr,
        )
        (folder / "complete").touch()
    return folder


def main() -> int:
    requirements = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent / "requirements.txt"
    python = sys.argv[2] if len(sys.argv) > 2 else sys.executable
    try:
        print(ensure_environment(requirements.resolve(), python))
    except subprocess.CalledProcessError as error:
        say("==> failed: {} (exit status {})".format(" ".join(map(str, error.cmd)), error.returncode))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
