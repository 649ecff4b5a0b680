# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_target_info."""

from __future__ import annotations

from dataclasses import dataclass

from ..approaches.choice import ApproachOptions, check_options
from ..cluster.connection import ConnectionOptions
from ..results.teams import TeamRules
from .approach import approach_options, approach_spec
from .bounds import check_numbers
from .connection import connection_options, connection_spec
from .grant import GrantOptions, grant_spec
from .ownership import teams_option, teams_spec
from .run import cluster_name_option, cluster_name_spec
from .selection import SelectionOptions, targets_spec
from .spec import Params, Spec


@dataclass(frozen=True)
class TargetInfoOptions:
    """`listed`: how many targets the result holds. `timeout`: seconds that a scan would give a target.
    `earlier_run`: the folder of a run whose times the estimate takes. `concurrency`: targets at a time, in
    the scan that is estimated. `cluster_name`: empty where the connection's name for the cluster is taken."""

    connection: ConnectionOptions
    targets: SelectionOptions
    approach: ApproachOptions
    grant: GrantOptions
    listed: int
    output_file: str | None
    footprint: bool
    explain: bool
    earlier_run: str | None
    concurrency: int
    timeout: float
    cluster_name: str
    teams: TeamRules | None

    @classmethod
    def from_params(cls, params: Params) -> TargetInfoOptions:
        """:raises ScanError: bad_option"""
        check_numbers(params)
        approach = approach_options(params)
        if params["explain"]:
            check_options(approach)
        grant = GrantOptions.from_params(params)
        grant.check()
        return cls(
            connection=connection_options(params),
            approach=approach,
            targets=SelectionOptions.from_params(params),
            grant=grant,
            listed=params["listed"],
            output_file=params["output_file"],
            footprint=params["footprint"],
            explain=params["explain"],
            earlier_run=params["earlier_run"],
            concurrency=params["concurrency"],
            timeout=params["timeout"],
            cluster_name=cluster_name_option(params),
            teams=teams_option(params),
        )


def scan_target_info_spec() -> Spec:
    return {
        "listed": {"type": "int", "default": 20},
        "output_file": {"type": "path"},
        "footprint": {"type": "bool", "default": False},
        "explain": {"type": "bool", "default": False},
        "earlier_run": {"type": "path"},
        "concurrency": {"type": "int", "default": 8},
        "timeout": {"type": "float", "default": 60.0},
        **cluster_name_spec(),
        **teams_spec(),
        **approach_spec(),
        **grant_spec(),
        **targets_spec(),
        **connection_spec(),
    }
