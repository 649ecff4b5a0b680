# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of the operating system that the cluster needs, installed as Debian packages where they are missing."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from .failure import ClusterError, say
from .places import cache

PACKAGE_OF: dict[str, str] = {
    "chromium": "chromium",
    "debootstrap": "debootstrap",
    "dpkg-deb": "dpkg",
    "fish": "fish",
    "gcc": "gcc libc6-dev",
    "ip": "iproute2",
    "mount": "mount",
    "musl-gcc": "musl-tools",
    "oscap": "openscap-scanner",
    "openssl": "openssl",
    "pkg-config": "pkg-config",
    "podman": "podman runc",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "redis-server": "redis-server",
    "rpm": "rpm",
    "rpmbuild": "rpm",
    "rsync": "rsync",
    "ssconvert": "gnumeric",
    "tar": "tar",
    "unshare": "util-linux",
    "zsh": "zsh",
    "/usr/include/postgresql/libpq-fe.h": "libpq-dev",
    "/usr/include/seccomp.h": "libseccomp-dev",
    "/usr/lib/postgresql": "postgresql",
    "/usr/share/request-tracker5/libexec/rt-server": "request-tracker5 rt5-db-sqlite rt5-standalone",
}
_LOCK_SECONDS = 600
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def ensure(programs: Iterable[str]) -> None:
    """Install the packages of those `programs` (or files) that are missing. Raises ClusterError if that does not bring them."""
    missing = [program for program in programs if not _is_there(program)]
    if not missing:
        return
    # apt-get waits for another that installs, and not for one that reads the package lists
    locks = cache() / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    with (locks / "apt-get.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _ensure([program for program in missing if not _is_there(program)])


def _ensure(missing: list[str]) -> None:
    if not missing:
        return
    packages = sorted({package for program in missing for package in PACKAGE_OF[program].split()})
    if shutil.which("apt-get") is None:
        raise ClusterError(
            f"These programs are missing and there is no apt-get to install them: {', '.join(missing)}."
        )
    say(f"Installing the Debian packages {', '.join(packages)} (for {', '.join(missing)})")
    if not _install(packages):
        say("Reading the package lists again (apt-get update)")
        _apt_get(["update"])
        if not _install(packages):
            raise ClusterError(f"apt-get could not install {', '.join(packages)}; its messages are above.")
    still = [program for program in missing if not _is_there(program)]
    if still:
        raise ClusterError(
            f"After the installation of {', '.join(packages)} there still is no {', '.join(still)}."
        )


def path_of(program: str) -> Path:
    """The full path of a program of the system. Raises ClusterError where it is missing."""
    found = shutil.which(program, path=SYSTEM_PATH)
    if found is None:
        raise ClusterError(f"The program {program} is missing (Debian package {PACKAGE_OF[program]}).")
    return Path(found)


def _is_there(program: str) -> bool:
    return (
        Path(program).exists()
        if program.startswith("/")
        else shutil.which(program, path=SYSTEM_PATH) is not None
    )


def _install(packages: Iterable[str]) -> bool:
    return _apt_get(["install", "-y", "-qq", "--no-install-recommends", *packages])


def _apt_get(arguments: Iterable[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # what apt-get prints belongs to the person, not to the program that reads our standard output; another apt-get, of a test
    # beside this one for instance, is waited for
    command = ["apt-get", "-o", f"DPkg::Lock::Timeout={_LOCK_SECONDS}", *arguments]
    return (
        subprocess.run(command, check=False, env=environment, stdin=subprocess.DEVNULL, stdout=2).returncode
        == 0
    )
