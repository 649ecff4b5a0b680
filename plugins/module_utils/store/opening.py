# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens a store. This, `Store` and the questions are what the rest of the collection knows of this room."""

from __future__ import annotations

from .address import StoreAddress
from .database import Database
from .schema import check_version, migrate
from .store import Store


def open_store(address: str, password: str = "", allow_shared: bool = False) -> Store:
    """A store that is there.

    :param address: a path, or postgresql://user@host:port/database
    :raises ScanError: missing_library, store_unreachable, store_locked, store_newer, store_outdated, not_a_store
    """
    database = Database(StoreAddress.of(address, password), allow_shared)
    check_version(database)
    return Store(database)


def make_store(address: str, password: str = "", allow_shared: bool = False) -> Store:
    """A store, made where there is none. :raises ScanError: as `open_store`"""
    database = Database(StoreAddress.of(address, password), allow_shared)
    migrate(database)
    return Store(database)
