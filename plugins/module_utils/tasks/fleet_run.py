# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_fleet_run`: one fleet run, from its manifest to its decision, and fleet runs merged into one."""

from __future__ import annotations

from typing import Any

from ..options.fleet_run import (
    BEGUN,
    CLUSTER_BEGUN,
    CLUSTER_ENDED,
    ENDED,
    MERGED,
    BegunOptions,
    ClusterBegunOptions,
    ClusterEndedOptions,
    EndedOptions,
    MergedOptions,
)
from ..options.spec import Params
from .context import TaskContext
from .fleet_begin import begin_fleet_run
from .fleet_cluster import begin_cluster, end_cluster
from .fleet_end import end_fleet_run
from .fleet_merge import merge_into_one

_STATES = {
    BEGUN: lambda params, context: begin_fleet_run(BegunOptions.from_params(params), context),
    CLUSTER_BEGUN: lambda params, context: begin_cluster(ClusterBegunOptions.from_params(params), context),
    CLUSTER_ENDED: lambda params, context: end_cluster(ClusterEndedOptions.from_params(params), context),
    ENDED: lambda params, context: end_fleet_run(EndedOptions.from_params(params), context),
    MERGED: lambda params, context: merge_into_one(MergedOptions.from_params(params), context),
}


def run_scan_fleet_run(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: those of the state's own file."""
    result: dict[str, Any] = _STATES[params["state"]](params, context)
    return result
