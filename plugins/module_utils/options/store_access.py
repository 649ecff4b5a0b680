# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that say where a store is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..store.address import StoreAddress
from .run import shared_folder_spec
from .spec import Params, Spec


@dataclass(frozen=True)
class StoreAccess:
    """Where a store is, and how to get in. `environment` is that of libpq."""

    address: str
    password: str
    allow_shared: bool

    @classmethod
    def from_params(cls, params: Params, environ: Mapping[str, str]) -> StoreAccess:
        """:raises ScanError: bad_option"""
        password = params["password"] or ""
        address = StoreAddress.of(params["store"], password)
        if not address.password:
            password = environ.get("PGPASSWORD", "")
        return cls(params["store"], password, params["allow_shared_folder"])

    @property
    def shown(self) -> str:
        return StoreAddress.of(self.address).shown


def access_spec(required: bool = True) -> Spec:
    return {
        "store": {"type": "str", "required": required},
        "password": {"type": "str", "no_log": True},
        **shared_folder_spec(),
    }
