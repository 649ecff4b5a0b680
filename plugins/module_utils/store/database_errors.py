# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a database says when it fails, as errors of the catalogue. Nothing of a password is in them."""

from __future__ import annotations

from ..errors import ScanError
from ..safe_text import server_text
from .address import StoreAddress

# What SQLite says (there is no stable code before Python 3.11), and the reason of the catalogue.
_SQLITE: tuple[tuple[str, str], ...] = (
    ("database is locked", "store_locked"),
    ("database table is locked", "store_locked"),
    ("disk is full", "store_full"),
    ("disk I/O error", "store_full"),
    ("file is not a database", "not_a_store"),
    ("malformed", "not_a_store"),
    ("Could not decode to UTF-8", "not_a_store"),
    ("no such table", "not_a_store"),
    ("no such column", "not_a_store"),
    ("has no column", "not_a_store"),
    ("unable to open database file", "store_unreachable"),
    ("readonly database", "store_unreachable"),
)
# PostgreSQL's SQLSTATE, or its class of two characters.
_POSTGRESQL: dict[str, str] = {
    "55P03": "store_locked",
    "40P01": "store_locked",
    "53100": "store_full",
    "53": "store_unreachable",
    "08": "store_unreachable",
    "28": "store_unreachable",
    "3D": "store_unreachable",
    "57": "store_unreachable",
    "25006": "store_unreachable",
    "42501": "store_unreachable",
    "42P01": "not_a_store",
    "XX": "not_a_store",
}


def database_error(address: StoreAddress, error: BaseException, tried: str) -> ScanError:
    """:param error: what SQLAlchemy raised, or the driver"""
    cause = getattr(error, "orig", None) or error
    text = server_text(" ".join(str(cause).split()), [address.password] if address.password else ())
    return ScanError(_reason(cause), f"{address.shown}: {text}", tried=tried)


def _reason(cause: BaseException) -> str:
    state = getattr(cause, "sqlstate", None)
    if state:
        return _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2]) or "internal"
    said = str(cause)
    for text, reason in _SQLITE:
        if text in said:
            return reason
    # psycopg gives no state where there was no server to give one
    is_lost = type(cause).__module__.startswith("psycopg") and type(cause).__name__ == "OperationalError"
    return "store_unreachable" if is_lost else "internal"
