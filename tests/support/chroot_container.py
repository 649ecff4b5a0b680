# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers for the collector's tests: chroots with chosen shells and tools, entered as any user."""

from __future__ import annotations

import ctypes
import os
import pickle
import shutil
import signal
import socket
import stat
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Callable, NamedTuple

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector import collect, request, script
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Fact, Facts, Query

NONCE = "0123456789abcdef0123456789abcdef"
PACKAGES = {"dash": "dash", "bash": "bash", "mksh": "mksh", "busybox": "busybox-static", "toybox": "toybox"}
TOOLS = (
    "stat",
    "readlink",
    "base64",
    "od",
    "cat",
    "tr",
    "head",
    "sleep",
    "sha256sum",
    "uname",
    "cut",
    "grep",
    "find",
)
# the shell and where its tools come from; Debian's busybox shell always uses its own applets
CELLS = [
    (shell, tools) for shell in ("dash", "bash", "mksh") for tools in ("gnu", "busybox", "toybox", "none")
]
CELLS.append(("ash", "busybox"))


def bind_socket(folder: Path) -> None:
    """Leave a socket of that name in a folder, whose own path may be longer than a socket's address."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"/proc/self/fd/{descriptor}/socket")
    finally:
        os.close(descriptor)


class Identity(NamedTuple):
    """Who enters the container; without capabilities, root is an ordinary user that owns much."""

    name: str
    uid: int = 0
    gid: int = 0
    capabilities: bool = False


ROOT = Identity("root", capabilities=True)
BARE_ROOT = Identity("root without capabilities")
NOBODY = Identity("nobody", 65534, 65534)
_LIBC = ctypes.CDLL(None, use_errno=True)


class Container:
    """A root folder that can be entered. Programs go to /bin, with the libraries they need."""

    def __init__(self, root: Path, store: ProgramStore) -> None:
        self.root = root
        self.output = b""  # what the last collection sent
        self._store = store
        for folder in ("bin", "etc", "proc", "dev", "tmp"):
            (root / folder).mkdir(parents=True)
        os.mknod(root / "dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        (root / "dev/null").chmod(0o666)

    def add_programs(self, shell: str, tools: str = "none", names: Iterable[str] = TOOLS) -> Container:
        self._store.install(self.root, "busybox" if shell == "ash" else shell, "sh")
        for name in [] if tools == "none" else names:
            if tools != "toybox" or name != "tr":  # Debian's toybox is built without it
                self._store.install(self.root, name if tools == "gnu" else tools, name)
        return self

    def add_program(self, name: str) -> Container:
        """One program of this machine under its own name."""
        self._store.install(self.root, name, name)
        return self

    def write(
        self, path: str, content: str | bytes = b"", mode: int = 0o644, owner: tuple[int, int] = (0, 0)
    ) -> Path:
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.chown(target, *owner)
        target.chmod(mode)
        return target

    def collect(self, *queries: Query, identity: Identity = ROOT, **options: Any) -> Facts:
        """The facts, gathered as a real exec does: /bin/sh, script by stdin. Checks what must hold for every run."""
        wanted = request.make_request(
            queries, **{key: options.pop(key) for key in ("time_limit", "output_limit") if key in options}
        )
        done = self.run(script.build_script(wanted, NONCE), identity, **options)
        assert (done.returncode, done.stderr) == (0, b"")
        self.output = done.stdout
        facts = collect.read_facts(wanted, done.stdout, NONCE)
        assert list(facts) == [query.key for query in wanted.queries]
        return facts

    def fact(self, query: Query, identity: Identity = ROOT, **options: Any) -> Fact:
        return self.collect(query, identity=identity, **options).get_fact(query)

    def run(
        self,
        shell_script: bytes,
        identity: Identity = ROOT,
        *,
        env: dict[str, str] | None = None,
        read_only: bool = False,
        proc: str = "rw",
        argv: Iterable[str] = ("/bin/sh",),
        prepare: Callable[[], None] = lambda: None,
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            list(argv),
            input=shell_script,
            capture_output=True,
            timeout=60,
            check=False,
            env={"PATH": "/bin"} if env is None else env,
            preexec_fn=lambda: self._enter(identity, read_only, proc, prepare),
        )

    def ask(self, identity: Identity, question: Callable[[], Any]) -> Any:
        """The answer of Python's own system calls in the same place as the same user: the oracle of these tests."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                self._enter(identity, False, "rw", lambda: None)
                os.write(writing, pickle.dumps(question()))
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as stream:
            answer = stream.read()
        os.waitpid(pid, 0)
        return pickle.loads(answer)

    def list_tree(self) -> list[Any]:
        """Every file with what a write would change."""
        found = []
        for folder, folders, files in os.walk(os.fsencode(self.root)):
            for name in [b".", *folders, *files]:
                status = os.lstat(os.path.join(folder, name))
                found.append(
                    (
                        os.path.join(folder, name),
                        status.st_mode,
                        status.st_size,
                        status.st_mtime_ns,
                        status.st_ino,
                    )
                )
        return sorted(found)

    def _enter(self, identity: Identity, read_only: bool, proc: str, prepare: Callable[[], None]) -> None:
        """In the child: a mount namespace of its own, /proc, what `prepare` does there, chroot, then the identity."""
        new_namespace, recursive_private, bind, read_only_remount = 0x20000, 0x44000, 0x1000, 0x1021
        _check(_LIBC.unshare(new_namespace))
        _check(_LIBC.mount(b"none", b"/", None, recursive_private, None))
        if proc:
            _check(_LIBC.mount(b"proc", bytes(self.root / "proc"), b"proc", 0, proc.encode()))
        prepare()
        if read_only:
            root = bytes(self.root)
            _check(_LIBC.mount(root, root, None, bind | 0x4000, None))
            _check(_LIBC.mount(None, root, None, read_only_remount, None))
            os.chdir(self.root)
        os.chroot(self.root)
        os.chdir("/")
        os.umask(0o022)
        if not identity.capabilities:
            for capability in range(64):
                _LIBC.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
        os.setgroups([])
        os.setgid(identity.gid)
        os.setuid(identity.uid)
        if identity.uid == 0 and not identity.capabilities:
            # a bounding set counts from the next exec; the oracle does not exec
            header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
            _check(_LIBC.capset(header, data))
        signal.alarm(0)


class ProgramStore:
    """Programs of this machine with their libraries, copied once and linked into each container."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._needed: dict[str, list[Path]] = {}

    def install(self, root: Path, program: str, name: str) -> None:
        for source in self._find(program):
            target = (
                root / "bin" / name if source == self._needed[program][0] else root / str(source).lstrip("/")
            )
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                os.link(self._keep(source), target)

    def _find(self, program: str) -> list[Path]:
        if program not in self._needed:
            path = shutil.which(program, path="/usr/local/bin:/usr/bin:/bin:/usr/sbin")
            if path is None:
                pytest.skip(f"{program} is not installed on this machine")
            libraries = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
            words = [word for line in libraries.splitlines() for word in line.split() if word.startswith("/")]
            self._needed[program] = [Path(path), *map(Path, words)]
        return self._needed[program]

    def _keep(self, source: Path) -> Path:
        kept = self._folder / str(source).replace("/", "_")
        if not kept.exists():
            shutil.copyfile(source, kept)
            kept.chmod(0o755)
        return kept


def bind_mount(what: str, where: str) -> None:
    """Show a folder at another place too; to be called where Container.run prepares its mounts."""
    _check(_LIBC.mount(what.encode(), where.encode(), None, 0x1000, None))


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
