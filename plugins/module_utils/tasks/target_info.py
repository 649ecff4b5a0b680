# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_target_info`: which containers a selection means. Reads only."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from ..cluster.rest import RestClient
from ..errors import ScanError
from ..options import selection
from ..targets.selection import select_targets
from .context import TaskContext
from .grantor import connect_grantor


def run_scan_target_info(params: Mapping[str, Any], context: TaskContext) -> Dict[str, Any]:
    """Result keys: changed (always false), targets (a list of identities), cluster."""
    connection = connect_grantor(params, context)
    targets = [selected.target.identity()
               for selected in select_targets(RestClient(connection), connection.cluster_name, selection(params))]
    if not targets and not params["allow_empty"]:
        raise ScanError("no_targets", "no container of %s matches" % ", ".join(params["namespaces"]),
                        tried="selecting containers")
    return {"changed": False, "cluster": connection.cluster_name, "targets": targets}
