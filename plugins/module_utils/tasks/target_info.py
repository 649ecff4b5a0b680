# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_target_info`: which containers a selection means. Reads only."""

from __future__ import annotations

from collections import Counter
from typing import Any, Dict, List, Mapping

from ..cluster.rest import RestClient
from ..options import selection
from ..targets.selection import LookedAt, SelectedTarget, check_selected, select_targets
from .context import TaskContext
from .grantor import connect_grantor


def run_scan_target_info(params: Mapping[str, Any], context: TaskContext) -> Dict[str, Any]:
    """Result keys: changed (always false), cluster, targets, counts, looked_at, limit_reached."""
    connection = connect_grantor(params, context)
    client, chosen, looked_at = RestClient(connection), selection(params), LookedAt()
    targets = [_described(selected)
               for selected in select_targets(client, connection.cluster_name, chosen, looked_at)]
    context.warnings += check_selected(client, chosen, looked_at, params["allow_empty"])
    return {"changed": False, "cluster": connection.cluster_name, "targets": targets,
            "counts": _counts(targets, looked_at), "looked_at": looked_at.as_dict(),
            "limit_reached": looked_at.limit_reached}


def _described(selected: SelectedTarget) -> Dict[str, Any]:
    return dict(selected.target.identity(), operating_system=selected.operating_system, replicas=selected.replicas)


def _counts(targets: List[Dict[str, Any]], looked_at: LookedAt) -> Dict[str, Any]:
    def by(key: str) -> Dict[str, int]:
        return dict(sorted(Counter(target[key] for target in targets).items()))

    return {"targets": len(targets), "replicas_left_out": looked_at.replicas_left_out, "by_state": by("state"),
            "by_workload_kind": by("workload_kind"), "by_container_kind": by("container_kind")}
