# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of a newer Debian, unpacked into the cache: nothing is installed, no service starts.

It fits programs that need no libraries of that Debian, such as those written in Go. The packages come from the mirror that the
machine's apt uses, and are checked by its keys.
"""

from __future__ import annotations

import fcntl
import pathlib
import shutil
import subprocess

from .python_environment import CACHE, say


def unpacked(package: str, suite: str = "trixie") -> pathlib.Path:
    """The folder of a package's files (`usr/bin/...`), fetched once and kept.

    :raises subprocess.CalledProcessError: when the package or the suite cannot be had
    """
    folder = CACHE / "debian" / suite / package
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _unpack(package, suite, folder)
    return folder


def _unpack(package: str, suite: str, folder: pathlib.Path) -> None:
    say(f"==> fetching {package} of Debian {suite} (seconds, once)")
    state = folder.parent / "apt"
    for name in ("lists/partial", "cache/archives/partial"):
        (state / name).mkdir(parents=True, exist_ok=True)
    sources = state / "sources.list"
    sources.write_text(f"deb {_mirror()} {suite} main\n", encoding="utf-8")
    apt = [
        "apt-get",
        "-qq",
        *("-o", f"Dir::Etc::SourceList={sources}"),
        *("-o", "Dir::Etc::SourceParts=-"),
        *("-o", f"Dir::State::Lists={state / 'lists'}"),
        *("-o", f"Dir::Cache={state / 'cache'}"),
        *("-o", "APT::Sandbox::User=root"),
    ]
    draft = folder.with_name(f"{package}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    subprocess.run([*apt, "update"], check=True, stdout=2)
    subprocess.run([*apt, "download", package], cwd=draft, check=True, stdout=2)
    (archive,) = draft.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", archive, draft], check=True, stdout=2)
    archive.unlink()
    draft.rename(folder)


def _mirror() -> str:
    """The address from which the machine takes its own Debian packages."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.split()
    return next(address for address in listed if "security" not in address)
