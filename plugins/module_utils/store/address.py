# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a store is: a path, or postgresql://user@host:port/database. A password is never shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from ..errors import ScanError
from ..safe_text import one_line

SQLITE, POSTGRESQL = "sqlite", "postgresql"
_SCHEMES = ("postgresql", "postgres")
_PORT = 5432
# libpq's parameters that a URL can hold. Others could name files, commands of the server or another host.
_PARAMETERS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout", "application_name")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True)
class StoreAddress:
    """`kind` is sqlite or postgresql. `path` is that of an SQLite file. The others are of PostgreSQL; `password` is empty where
    libpq is to find one (PGPASSWORD, the file that PGPASSFILE names, ~/.pgpass)."""

    kind: str
    path: str = ""
    host: str = ""
    port: int = _PORT
    database: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    parameters: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, text: str, password: str = "") -> StoreAddress:
        """:param text: a path, or a URL
        :param password: in place of one in the URL
        :raises ScanError: bad_option
        """
        if not text.strip():
            raise _bad("it is empty")
        if _URL.match(text) is None:
            return cls(SQLITE, path=str(Path(text).expanduser()))
        if not text.lower().startswith(tuple(f"{scheme}://" for scheme in _SCHEMES)):
            raise _bad("it must be a path, or begin with postgresql://")
        try:
            url = urlsplit(text)
            host, port = url.hostname or "", url.port or _PORT
        except ValueError:
            raise _bad("its host or port cannot be read") from None
        database = unquote(url.path.lstrip("/"))
        if not database or "/" in database or url.fragment:
            raise _bad("it must end with the name of one database: postgresql://user@host:5432/database")
        parameters = parse_qsl(url.query, keep_blank_values=True)
        for name, _value in parameters:
            if name not in _PARAMETERS:
                raise _bad(
                    f"the parameter {one_line(name, 60)} is none of {', '.join(_PARAMETERS)} (a password has its own option)"
                )
        return cls(
            POSTGRESQL,
            host=host,
            port=port,
            database=database,
            user=unquote(url.username or ""),
            password=password or unquote(url.password or ""),
            parameters=tuple(parameters),
        )

    @property
    def shown(self) -> str:
        """For messages and results."""
        if self.kind == SQLITE:
            return one_line(self.path, 300)
        user = f"{self.user}@" if self.user else ""
        return one_line(f"postgresql://{user}{self.host}:{self.port}/{self.database}", 300)


def _bad(why: str) -> ScanError:
    return ScanError("bad_option", f"the address of the store: {why}", tried="reading the option store")
