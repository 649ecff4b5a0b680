# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder that becomes an image, and the steps that recipes are made of."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from .. import debian_packages
from ..failure import ClusterError, say
from . import debian_archive

MUSL_LOADER = f"ld-musl-{platform.machine()}.so.1"

_HERE = Path(__file__).resolve().parent
_ENVIRONMENT = {
    **os.environ,  # such as a proxy
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C",
    "DEBIAN_FRONTEND": "noninteractive",
}
# Documents, translations, caches, logs and what debootstrap copied from this machine: files go, folders stay.
_DISPENSABLE = (
    *(
        f"usr/share/{name}"
        for name in ("bug", "doc", "doc-base", "info", "lintian", "linda", "locale", "man")
    ),
    *(
        "var/cache",
        "var/lib/apt/lists",
        "var/log",
        "tmp",
        "dev",
        "etc/resolv.conf",
        "etc/hostname",
        "etc/machine-id",
    ),
)


class Rootfs:
    """One rootfs under `folder`. Paths are given without the leading slash. A step that fails raises ClusterError
    with the end of `log`, which gets what the programs print."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder = folder
        self._log = log
        log.unlink(missing_ok=True)

    def debootstrap(self) -> None:
        """Install Debian's smallest system with package manager."""
        debian_packages.ensure(["debootstrap"])
        mirror = debian_archive.mirror()
        say(f"  debootstrap of Debian {debian_archive.SUITE}, about half a minute")
        # in a mount namespace, so that its /proc in the folder never outlives it
        command = ["unshare", "--mount", "debootstrap", "--variant=minbase"]
        self._run([*command, debian_archive.SUITE, str(self.folder), mirror])

    def install(self, *packages: str) -> None:
        """Install Debian packages with their dependencies by the rootfs's own dpkg."""
        say(f"  installing {', '.join(packages)}")
        with tempfile.TemporaryDirectory(dir=self.folder / "tmp") as inside:
            status = self.folder / "var/lib/dpkg/status"
            files = debian_archive.download_with_dependencies(packages, status, Path(inside))
            self.run_inside("dpkg", "--install", *(f"/{file.relative_to(self.folder)}" for file in files))

    def unpack(self, *packages: str, records: bool = False) -> None:
        """Unpack Debian packages without installing them: no scripts run, no dpkg is needed in the rootfs.

        With `records`, each leaves its control data in var/lib/dpkg/status.d as the distroless images have it.
        """
        say(f"  unpacking {', '.join(packages)}")
        with tempfile.TemporaryDirectory() as downloads:
            for file in debian_archive.download(packages, Path(downloads)):
                self._run(["dpkg-deb", "--extract", str(file), str(self.folder)])
                if records:
                    self._record(file)

    def _record(self, package_file: Path) -> None:
        name = self._run(["dpkg-deb", "--field", str(package_file), "Package"]).strip()
        self.write(f"var/lib/dpkg/status.d/{name}", self._run(["dpkg-deb", "--field", str(package_file)]))
        with tempfile.TemporaryDirectory() as control:
            self._run(["dpkg-deb", "--control", str(package_file), control])
            checksums = Path(control, "md5sums")
            if checksums.exists():
                self.write(f"var/lib/dpkg/status.d/{name}.md5sums", checksums.read_text(encoding="utf-8"))

    def install_rpm_records(self, packages: dict[str, str]) -> None:
        """Make an rpm database (SQLite, where Fedora and its relatives have it) of these packages, by name and version."""
        debian_packages.ensure(["rpm", "rpmbuild"])
        with tempfile.TemporaryDirectory() as top:
            for name, version in packages.items():
                spec = Path(top, f"{name}.spec")
                spec.write_text(
                    f"Name: {name}\nVersion: {version}\nRelease: 1.el9\nSummary: {name}\nLicense: "
                    "MIT\nVendor: Sample\n"
                    "%description\nA sample.\n%files\n",
                    encoding="utf-8",
                )
                self._run(["rpmbuild", "-bb", "--quiet", "--define", f"_topdir {top}", str(spec)])
            database = [
                "--root",
                str(self.folder),
                "--dbpath",
                "/usr/lib/sysimage/rpm",
                "--define",
                "_db_backend sqlite",
            ]
            files = [str(file) for file in sorted(Path(top, "RPMS").rglob("*.rpm"))]
            self._run(["rpm", *database, "--justdb", "--nodeps", "--nosignature", "--install", *files])

    def compile(self, source: str, path: str) -> None:
        """Compile a C file that lies beside this one to a static program."""
        self._compile(["gcc", "-static"], source, path)

    def install_musl(self) -> None:
        """Put in musl's loader, which is its C library too, where programs that are linked against it look for it."""
        self.unpack("musl")
        loader = self.folder / "lib" / MUSL_LOADER
        (loader.parent / loader.readlink()).replace(
            loader
        )  # Debian has it in a folder of its own, and a link
        self.remove("lib/*-linux-musl", "etc/ld-musl-*", "usr/bin/ld-musl-config")

    def compile_with_musl(self, source: str, path: str) -> None:
        """Compile a C file that lies beside this one to a program that needs musl's loader (install_musl)."""
        self._compile(["musl-gcc"], source, path)
        self.run_inside(
            f"/lib/{MUSL_LOADER}", "--list", f"/{path}"
        )  # fails for what is linked against another library

    def _compile(self, compiler: list[str], source: str, path: str) -> None:
        debian_packages.ensure(["gcc", compiler[0]])
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        self._run([*compiler, "-Os", "-s", "-Wall", "-Werror", "-o", str(target), str(_HERE / source)])
        target.chmod(0o755)

    def run_inside(self, *command: str) -> str:
        """Run a program of the rootfs in it, with this machine's /dev, and return what it prints."""
        (self.folder / "dev").mkdir(exist_ok=True)
        script = 'mount --bind /dev "$1/dev" && root=$1 && shift && exec chroot "$root" "$@"'
        return self._run(["unshare", "--mount", "sh", "-c", script, "sh", str(self.folder), *command])

    def write(self, path: str, text: str, mode: int = 0o644, uid: int = 0, gid: int = 0) -> None:
        """Write a whole file, replacing a link or a file that is there."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.write_text(text, encoding="utf-8")
        os.chown(target, uid, gid)
        target.chmod(mode)

    def append(self, path: str, text: str) -> None:
        """Add lines to a file that must be there already."""
        target = self.folder / path
        if not target.is_file():
            raise ClusterError(f"No file to add to: /{path}")
        with target.open("a", encoding="utf-8") as stream:
            stream.write(text)

    def make_folder(self, path: str, mode: int = 0o755, uid: int = 0, gid: int = 0) -> None:
        """Make a folder or set the mode and owner of one that is there."""
        target = self.folder / path
        target.mkdir(parents=True, exist_ok=True)
        os.chown(target, uid, gid)
        target.chmod(mode)

    def remove(self, *patterns: str) -> None:
        """Remove files and folders by shell patterns. Raises ClusterError for a pattern that matches nothing."""
        for pattern in patterns:
            found = list(self.folder.glob(pattern))
            if not found:
                raise ClusterError(f"Nothing to remove: /{pattern}")
            for path in found:
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()

    def set_login_defaults(self, **values: str) -> None:
        """Set values in /etc/login.defs. Raises ClusterError for a key that is not set there yet."""
        path = self.folder / "etc/login.defs"
        lines = path.read_text(encoding="utf-8").splitlines()
        for key, value in values.items():
            places = [index for index, line in enumerate(lines) if line.split()[:1] == [key]]
            if len(places) != 1:
                raise ClusterError(f"/etc/login.defs sets {key} {len(places)} times")
            lines[places[0]] = f"{key}\t{value}"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def remove_special_modes(self) -> None:
        """Take setuid and setgid from every program."""
        for path in self.folder.rglob("*"):
            info = path.lstat()
            if stat.S_ISREG(info.st_mode) and info.st_mode & (stat.S_ISUID | stat.S_ISGID):
                path.chmod(stat.S_IMODE(info.st_mode) & 0o777)

    def trim(self) -> None:
        """Remove what a small image does without: documents, translations, caches, logs, device nodes."""
        for name in _DISPENSABLE:
            path = self.folder / name
            if name.startswith("usr/share/") or name == "dev":
                shutil.rmtree(path, ignore_errors=True)
            elif path.is_dir():
                for inner in path.rglob("*"):
                    if not inner.is_dir() or inner.is_symlink():
                        inner.unlink()
            else:
                path.unlink(missing_ok=True)
        for old in (self.folder / "var/lib/dpkg").glob("*-old"):
            old.unlink()
        self.make_folder("dev")

    def _run(self, command: list[str]) -> str:
        """Run a program; its output is returned, and kept in the log with its errors."""
        # the cache lock is inherited: a program that outlives its killed builder keeps the next builder waiting
        done = subprocess.run(
            command,
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            close_fds=False,
        )
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}")
        if done.returncode != 0:
            raise ClusterError(f"{command[0]} ended with {done.returncode} in an image build", self._log)
        return done.stdout
