# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_recycle."""

from __future__ import annotations

from dataclasses import dataclass

from ..cluster.connection import ConnectionOptions
from .bounds import check_numbers
from .connection import connection_options, connection_spec
from .selection import SelectionOptions, targets_spec
from .spec import Params, Spec


@dataclass(frozen=True)
class RecycleOptions:
    """`wait_timeout`: seconds that one pod may take. `concurrency`: workloads at a time."""

    connection: ConnectionOptions
    targets: SelectionOptions
    wait_timeout: float
    concurrency: int

    @classmethod
    def from_params(cls, params: Params) -> RecycleOptions:
        """:raises ScanError: bad_option"""
        check_numbers(params)
        return cls(
            connection=connection_options(params),
            targets=SelectionOptions.from_params(params),
            wait_timeout=params["wait_timeout"],
            concurrency=params["concurrency"],
        )


def scan_recycle_spec() -> Spec:
    return {
        "wait_timeout": {"type": "float", "default": 300.0},
        "concurrency": {"type": "int", "default": 4},
        **targets_spec(),
        **connection_spec(),
    }
