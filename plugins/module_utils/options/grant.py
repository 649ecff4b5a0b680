# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an access is marked with, how long it lives, and where its ServiceAccounts are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .bounds import check_number
from .spec import Params, Spec, bad_option

# DNS label (Kubernetes: object names and IDs).
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")


@dataclass(frozen=True)
class GrantOptions:
    """`lifetime` in seconds. `account_namespace`: where the ServiceAccounts are, empty for the namespaces of
    the targets."""

    owner: str
    lifetime: int
    account_namespace: str

    @classmethod
    def from_params(cls, params: Params) -> GrantOptions:
        """:raises ScanError: bad_option, where account_namespace is no name of a namespace"""
        namespace = params["account_namespace"] or ""
        # exactly one, and a part of paths: no pattern
        if namespace and not _NAMESPACE.match(namespace):
            raise bad_option("account_namespace", f"{namespace[:100]!r} is no name of a namespace")
        return cls(params["owner"], params["lifetime"], namespace)

    def check(self) -> None:
        """:raises ScanError: bad_option, where no access can live so long"""
        check_number("lifetime", self.lifetime)


def grant_spec() -> Spec:
    return {
        "owner": {"type": "str", "default": "ansible"},
        "lifetime": {"type": "int", "default": 3600},
        "account_namespace": {"type": "str"},
    }
