# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real NetBox behind TLS, with its own PostgreSQL and Redis. Its tables are made once (six minutes) and kept as a dump."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import re
import secrets
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..cluster import debian_packages
from ..environment.interpreters import interpreter
from ..environment.python_environment import CACHE, ensure_environment, say
from ..fake_api_server.certificates import Authority
from ..support.free_port import free_port
from ..support.postgresql_server import PostgresqlServer, postgresql_server
from ..support.served_program import served
from ..support.tls_front import TlsFront

_REQUIREMENTS = pathlib.Path(__file__).parent / "netbox" / "requirements.txt"
VERSION = re.findall(r"netbox==(\d+\.\d+\.\d+)", _REQUIREMENTS.read_text())[0]
_PYTHON = "3.12"
_START_SECONDS = 240.0
_ADMIN, _ADMIN_PASSWORD = "admin", "Admin-Password-4711"


@dataclass(frozen=True)
class NetBox:
    """`url` is reached by TLS. `_token` is the administrator's."""

    url: str
    front: TlsFront
    _port: int
    _authorization: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer to a request as an administrator."""
        return _ask(self._port, method, path, body, {"Authorization": self._authorization})

    def token_of(self, user: str, grants: Mapping[str, list[str]]) -> str:
        """The token of a new user who has these rights, and no other: actions by types of objects."""
        made = self.ask("POST", "/users/users/", {"username": user, "password": f"Pw-4711-{user}-Pw"})
        for object_type, actions in grants.items():
            right = {
                "name": f"{user} {object_type}",
                "object_types": [object_type],
                "actions": actions,
                "users": [made["id"]],
            }
            self.ask("POST", "/users/permissions/", right)
        return _token(
            _ask(
                self._port,
                "POST",
                "/users/tokens/provision/",
                {"username": user, "password": f"Pw-4711-{user}-Pw"},
            )
        )


@contextlib.contextmanager
def netbox(folder: pathlib.Path, authority: Authority) -> Iterator[NetBox]:
    """It is fetched and prepared where it was never started on this machine."""
    debian_packages.ensure(["redis-server", "/usr/include/postgresql/libpq-fe.h", "gcc"])
    python = interpreter(_PYTHON)
    assert python, f"NetBox needs a Python {_PYTHON}"
    environment = ensure_environment(_REQUIREMENTS, python)
    program = environment / "bin" / "netbox"
    redis, port = free_port(), free_port()
    cache = ["redis-server", "--bind", "127.0.0.1", "--port", str(redis), "--save", "", "--dir", folder]
    with postgresql_server() as database, served(cache, redis, folder / "redis.log"):
        _configure(folder, database, redis)
        variables = {**os.environ, "NETBOX_ROOT": str(folder)}
        _restore(database, program, variables)
        command = [program, "runserver", f"127.0.0.1:{port}", "--noreload", "--insecure"]
        with (
            served(command, port, folder / "netbox.log", variables, seconds=_START_SECONDS),
            TlsFront(authority, port) as front,
        ):
            login = {"username": _ADMIN, "password": _ADMIN_PASSWORD}
            token = _token(_ask(port, "POST", "/users/tokens/provision/", login))
            yield NetBox(f"https://127.0.0.1:{front.port}", front, port, _authorization(token))


def _configure(folder: pathlib.Path, database: PostgresqlServer, redis: int) -> None:
    (folder / "conf").mkdir(parents=True)
    server = {"HOST": "127.0.0.1", "PORT": redis, "USERNAME": "", "PASSWORD": "", "SSL": False}
    settings: dict[str, Any] = {
        "ALLOWED_HOSTS": ["*"],
        "DATABASES": {
            "default": {
                "ENGINE": "django.db.backends.postgresql", "NAME": "netbox", "USER": "owner", "PASSWORD": database.password,
                "HOST": "127.0.0.1", "PORT": str(database.port),
            }
        },
        "REDIS": {"tasks": {**server, "DATABASE": 0}, "caching": {**server, "DATABASE": 1}},
        "SECRET_KEY": secrets.token_hex(40),
        "API_TOKEN_PEPPERS": {1: secrets.token_hex(40)},
        "ISOLATED_DEPLOYMENT": True,
        "CENSUS_REPORTING_ENABLED": False,
    }  # fmt: skip
    text = "".join(f"{name} = {value!r}\n" for name, value in settings.items())
    (folder / "conf" / "configuration.py").write_text(text)


def _restore(database: PostgresqlServer, program: pathlib.Path, variables: Mapping[str, str]) -> None:
    """The tables of this version with an administrator, from the dump, which is made where there is none."""
    database.run("CREATE DATABASE netbox")
    dump = CACHE / "netbox" / f"{VERSION}.dump"
    dump.parent.mkdir(parents=True, exist_ok=True)
    address = database.address(database="netbox")
    with (dump.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if dump.exists():
            subprocess.run(["pg_restore", "--no-owner", "-d", address, dump], check=True, stdout=2)
            return
        say(f"==> making the tables of NetBox {VERSION} (six minutes, once)")
        subprocess.run([program, "migrate", "--no-input"], check=True, stdout=2, env=variables)
        made = {**variables, "DJANGO_SUPERUSER_PASSWORD": _ADMIN_PASSWORD}
        account = ["createsuperuser", "--no-input", "--username", _ADMIN, "--email", "admin@example.com"]
        subprocess.run([program, *account], check=True, stdout=2, env=made)
        draft = dump.with_suffix(".draft")
        subprocess.run(["pg_dump", "-Fc", "-f", draft, address], check=True, stdout=2)
        draft.rename(dump)


def _token(made: Mapping[str, Any]) -> str:
    """The text of a token that was just made: of version 2 it has its key in front."""
    return f"nbt_{made['key']}.{made['token']}" if made.get("version") == 2 else str(made["key"])


def _authorization(token: str) -> str:
    return f"Bearer {token}" if token.startswith("nbt_") else f"Token {token}"


def _ask(
    port: int, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> Any:
    data = None if body is None else json.dumps(body).encode("ascii")
    given = {"Content-Type": "application/json", "Accept": "application/json", **(headers or {})}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api{path}", data, given, method=method)
    with urllib.request.urlopen(request, timeout=60) as reply:
        content = reply.read()
        return json.loads(content) if content else None
