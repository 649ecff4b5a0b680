# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages and the mirror of Debian's archive, as this machine's own apt knows them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

from ..failure import ClusterError, say

SUITE = "bookworm"


def mirror() -> str:
    """The address that this machine fetches SUITE from. Raises ClusterError where its apt has no such source."""
    # the origin is known from the package lists only; a foreign archive may have a suite of the same name
    query = ["indextargets", "--format", "$(REPO_URI)", "Identifier: Packages", "Origin: Debian"]
    for attempt in ("as they are", "read again"):
        found = _apt_get([*query, f"Codename: {SUITE}", "Component: main"]).stdout.split()
        if found:
            return found[0]
        if attempt == "as they are":
            _read_lists_again()
    raise ClusterError(f"This machine's apt has no source for Debian {SUITE}: its packages can't be fetched.")


def download(packages: Iterable[str], folder: Path) -> list[Path]:
    """Fetch exactly these packages of SUITE into `folder`, whatever other archives this machine has packages from."""
    return _fetch(["-o", "Dir::State::status=/dev/null", "-t", SUITE, "download", *packages], folder)


def download_with_dependencies(packages: Iterable[str], dpkg_status: Path, folder: Path) -> list[Path]:
    """Fetch these packages and all they need beyond what `dpkg_status` (a rootfs's own) says is installed there."""
    (folder / "partial").mkdir()
    options = ["-o", f"Dir::State::status={dpkg_status}", "-o", f"Dir::Cache::archives={folder}"]
    return _fetch(
        [*options, "install", "--download-only", "-y", "--no-install-recommends", *packages], folder
    )


def _fetch(arguments: list[str], folder: Path) -> list[Path]:
    done = _apt_get(arguments, folder)
    if done.returncode != 0:
        _read_lists_again()
        done = _apt_get(arguments, folder)
    if done.returncode != 0:
        raise ClusterError(
            f"apt-get could not fetch packages ({' '.join(arguments)}):\n{done.stderr.strip()}"
        )
    return sorted(folder.glob("*.deb"))


def _read_lists_again() -> None:
    say("Reading the package lists again (apt-get update)")
    done = _apt_get(["update", "-qq"])
    if done.returncode != 0:
        raise ClusterError(f"apt-get update failed:\n{done.stderr.strip()}")


def _apt_get(arguments: list[str], folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    # apt's own user can't write to our folder; without this it warns about that each time
    command = ["apt-get", "-o", "APT::Sandbox::User=root", *arguments]
    return subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
