# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_target_info`: which containers a selection means, and what a scan would do to them. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..access.scanner_kubeconfig import write_private
from ..cluster.rest import RestClient
from ..errors import ScanError
from ..footprint.left_entries import as_result as entries_as_result
from ..footprint.left_entries import entries_of
from ..options import approach_options, selection
from ..preflight.report import footprint_lines, preflight_lines
from ..targets.selection import SelectedTarget, SelectionReport, check_selected, select_targets
from .context import TaskContext, connect_grantor
from .preflight import described as described_expectation
from .preflight import explain


def run_scan_target_info(params: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Result keys: changed (always false), cluster, targets, counts, looked_at, limit_reached; explained and footprint where
    they are asked for; output_file; table, the text to show."""
    listed = params["listed"]
    if listed < 0:
        raise ScanError(
            "bad_option", f"listed is {listed}; it must not be negative", tried="reading the option listed"
        )
    approach_options(params)  # what cannot be understood is told before anything is asked
    connection = connect_grantor(params, context)
    client, chosen, looked_at = RestClient(connection), selection(params), SelectionReport()
    targets: list[dict[str, Any]] = []
    held: list[SelectedTarget] = []
    entries: list[dict[str, Any]] = []
    seen: set[str] = set()
    now = datetime.now(timezone.utc)
    for selected in select_targets(client, connection.cluster_name, chosen, looked_at):
        targets.append(_described(selected))
        if params["explain"]:
            held.append(selected)
        if params["footprint"] and selected.pod.uid not in seen:
            seen.add(selected.pod.uid)
            entries += entries_of(selected.pod.object(), now)
    context.warnings += check_selected(client, chosen, looked_at, params["allow_empty"])
    result: dict[str, Any] = {
        "changed": False,
        "cluster": connection.cluster_name,
        "counts": _counts(targets, looked_at),
        "looked_at": looked_at.as_dict(),
        "limit_reached": looked_at.limit_reached,
        "table": [],
    }
    if params["explain"]:
        result["explained"], expectations = explain(params, context, client, held)
        for record, expected in zip(targets, expectations):
            record.update(described_expectation(expected))
        result["table"] += preflight_lines(connection.cluster_name, result["explained"])
    if params["footprint"]:
        result["footprint"] = entries_as_result(entries)
        result["table"] += footprint_lines(connection.cluster_name, result["footprint"])
    if params["output_file"] and not context.check_mode:
        whole = {name: value for name, value in result.items() if name not in ("changed", "table")}
        if params["footprint"]:
            whole["footprint"] = entries_as_result(entries, len(entries))
        result["output_file"] = _written(params["output_file"], dict(whole, targets=targets))
    if len(targets) > listed > 0:
        context.warnings.append(
            f"targets: the result holds the first {listed} of {len(targets)} (the option listed); a file "
            "holds all (output_file)"
        )
    result["targets"] = targets[:listed]
    return result


def _described(selected: SelectedTarget) -> dict[str, Any]:
    return dict(
        selected.target.identity(), operating_system=selected.operating_system, replicas=selected.replicas
    )


def _written(path: str, document: Mapping[str, Any]) -> str:
    place, tried = Path(path).expanduser(), "writing output_file"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_private(place, document)
    except OSError as error:
        raise ScanError("write_failed", f"{place.parent}: {error.strerror or error}", tried=tried) from error
    except ScanError as error:
        raise ScanError(error.reason, error.message, tried=tried) from error
    return str(place)


def _counts(targets: list[dict[str, Any]], looked_at: SelectionReport) -> dict[str, Any]:
    def by(key: str) -> dict[str, int]:
        return dict(sorted(Counter(target[key] for target in targets).items()))

    return {
        "targets": len(targets),
        "replicas_left_out": looked_at.replicas_left_out,
        "by_state": by("state"),
        "by_workload_kind": by("workload_kind"),
        "by_container_kind": by("container_kind"),
    }
