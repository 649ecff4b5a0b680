# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real PostgreSQL server for tests: on 127.0.0.1, as an unprivileged user, in a folder of its own, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import pathlib
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.securescan.kubernetes.tests.cluster import debian_packages

_PROGRAMS = pathlib.Path("/usr/lib/postgresql")
_SECONDS = 60


@dataclass
class PostgresqlServer:
    """`fsync`: whether it keeps what was acknowledged over a crash of the machine; over its own death it does in any case."""

    folder: pathlib.Path
    fsync: bool = False
    port: int = 0
    password: str = field(default_factory=lambda: secrets.token_hex(12))
    process: subprocess.Popen[bytes] | None = None
    _databases: int = 0

    def initialise(self) -> None:
        """Makes the data folder; its owner is the role `owner`."""
        _own(self.folder)
        secret = self.folder / "password"
        secret.write_text(self.password)
        _own(secret)
        self._run("initdb", "-D", str(self._data), "--no-sync", "-A", "scram-sha-256", "-U", "owner", f"--pwfile={secret}",
                  "-E", "UTF8", "--locale=C.UTF-8")  # fmt: skip

    def start(self) -> None:
        """Comes back when it answers."""
        self.port = self.port or _free_port()
        settings = {
            "listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": "",
            "fsync": "on" if self.fsync else "off", "max_connections": "30", "shared_buffers": "64MB",
        }  # fmt: skip
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(_program("postgres")), "-D", str(self._data), *arguments],
                stdout=log,
                stderr=log,
                cwd="/",
                **_as_user(),
            )
        end = time.monotonic() + _SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.05)

    def kill(self) -> None:
        """As a power failure of the server's processes: SIGKILL for all of them."""
        assert self.process
        children = (
            pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        )
        self.process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(_SECONDS)

    def address(self, user: str = "owner", database: str = "postgres", password: str = "") -> str:
        return f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The address of an empty one."""
        self._databases += 1
        name = f"store{self._databases}"
        self.run(f"CREATE DATABASE {name}")
        return self.address(database=name)

    def run(self, sql: str, address: str = "") -> list[tuple[Any, ...]]:
        """A statement in a connection of its own, and its rows."""
        import psycopg

        with psycopg.connect(address or self.address(), autocommit=True) as connection:
            cursor = connection.execute(sql)  # type: ignore[call-overload, unused-ignore]
            return cursor.fetchall() if cursor.description else []

    @property
    def _data(self) -> pathlib.Path:
        return self.folder / "data"

    def _answers(self) -> bool:
        import psycopg

        try:
            self.run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(_program(program)), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            **_as_user(),
        )
        assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def postgresql_server(fsync: bool = False) -> Iterator[PostgresqlServer]:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="securescan-postgresql-"))
    server = PostgresqlServer(folder, fsync)
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> pathlib.Path:
    debian_packages.ensure([str(_PROGRAMS)])
    (*_older, newest) = sorted(_PROGRAMS.glob(f"*/bin/{name}"))
    return newest


def _as_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _own(path: pathlib.Path) -> None:
    user = _as_user()
    if user:
        os.chown(path, user["user"], user["group"])


def _free_port() -> int:
    """One that the kernel gives to nobody else before the server listens there: below those of clients."""
    while True:
        port = 20000 + secrets.randbelow(12000)
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
