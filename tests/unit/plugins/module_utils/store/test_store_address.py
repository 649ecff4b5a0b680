# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a store is, and what is never shown of it."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.address import StoreAddress


def test_a_path_is_an_sqlite_file() -> None:
    address = StoreAddress.of("/var/lib/scans/store.db")
    assert (address.kind, address.path, address.shown) == (
        "sqlite",
        "/var/lib/scans/store.db",
        "/var/lib/scans/store.db",
    )


def test_a_url_is_a_database_of_postgresql_and_its_password_is_never_shown() -> None:
    address = StoreAddress.of("postgresql://scan%40er:s3cret%2F@db.example:6432/findings?sslmode=verify-full")
    assert (address.host, address.port, address.database, address.user) == (
        "db.example",
        6432,
        "findings",
        "scan@er",
    )
    assert (address.password, address.parameters) == ("s3cret/", (("sslmode", "verify-full"),))
    assert address.shown == "postgresql://scan@er@db.example:6432/findings"
    assert "s3cret" not in repr(address)
    assert StoreAddress.of("postgresql://u@h/d", "other").password == "other"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("mysql://u:s3cret@h/d", "postgresql://"),
        ("postgresql://u:s3cret@h", "name of one database"),
        ("postgresql://u:s3cret@h:x/d", "host or port"),
        ("postgresql://u@h/d?password=s3cret", "password has its own option"),
        ("postgresql://u@h/d?options=-csearch_path%3Devil", "options"),
    ],
)
def test_what_is_no_address_is_refused_without_its_password(text: str, said: str) -> None:
    with pytest.raises(ScanError, match=said) as failure:
        StoreAddress.of(text)
    assert failure.value.reason == "bad_option"
    assert "s3cret" not in str(failure.value)
