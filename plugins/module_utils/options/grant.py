# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an access is marked with, and how long it lives."""

from __future__ import annotations

from dataclasses import dataclass

from ..access.token import MAXIMUM_LIFETIME, MINIMUM_LIFETIME
from .spec import Params, Spec, bad_option


@dataclass(frozen=True)
class GrantOptions:
    """`lifetime` in seconds."""

    owner: str
    lifetime: int

    @classmethod
    def from_params(cls, params: Params) -> GrantOptions:
        return cls(params["owner"], params["lifetime"])

    def check(self) -> None:
        """:raises ScanError: bad_option, where no access can live so long"""
        if not MINIMUM_LIFETIME <= self.lifetime <= MAXIMUM_LIFETIME:
            raise bad_option(
                "lifetime",
                f"lifetime is {self.lifetime} s; it must be at least {MINIMUM_LIFETIME} s, the API's "
                f"minimum, and at most {MAXIMUM_LIFETIME} s",
            )


def grant_spec() -> Spec:
    return {
        "owner": {"type": "str", "default": "ansible"},
        "lifetime": {"type": "int", "default": 3600},
    }
