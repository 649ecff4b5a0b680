# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_target_info`: the containers of a selection, what a scan would do to them. Reads only."""

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
from ..options.spec import Params
from ..options.target_info import TargetInfoOptions
from ..preflight.report import footprint_lines, preflight_lines
from ..results.output_folder import check_can_write
from ..targets.selection import SelectedTarget, SelectionReport, check_selected, select_targets
from .context import TaskContext, connect_grantor
from .preflight import expectation_as_result, explain

# How many of the names that gave nothing the result holds.
_LISTED_NAMES = 50


def run_scan_target_info(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed (always false), cluster, targets, counts, looked_at, limit_reached; explained and
    footprint where they are asked for; output_file; table, the text to show."""
    options = TargetInfoOptions.from_params(params)
    if options.output_file:
        check_can_write(Path(options.output_file).expanduser().parent, "writing output_file")
    connection = connect_grantor(options.connection, context)
    cluster = options.cluster_name or connection.cluster_name
    client, looked_at = RestClient(connection), SelectionReport()
    targets: list[dict[str, Any]] = []
    held: list[SelectedTarget] = []
    footprint = _Footprint()
    for selected in select_targets(client, cluster, options.targets.selection, looked_at):
        targets.append(_as_result(selected))
        if options.explain:
            held.append(selected)
        if options.footprint:
            footprint.add(selected)
    context.warnings += check_selected(
        client, options.targets.selection, looked_at, options.targets.allow_empty
    )
    result: dict[str, Any] = {
        "changed": False,
        "cluster": cluster,
        "counts": _counts(targets, looked_at),
        "looked_at": dict(looked_at.as_dict(), unmatched=looked_at.unmatched[:_LISTED_NAMES]),
        "limit_reached": looked_at.limit_reached,
        "table": [],
    }
    if options.explain:
        result["explained"], expectations = explain(options, context, client, held, looked_at)
        for record, expected in zip(targets, expectations):
            record.update(expectation_as_result(expected))
        result["table"] += preflight_lines(cluster, result["explained"])
    if options.footprint:
        result["footprint"] = entries_as_result(footprint.entries)
        result["table"] += footprint_lines(cluster, result["footprint"])
    if options.output_file and not context.check_mode:
        whole = {name: value for name, value in result.items() if name not in ("changed", "table")}
        whole["looked_at"] = looked_at.as_dict()
        if options.footprint:
            whole["footprint"] = entries_as_result(footprint.entries, len(footprint.entries))
        result["output_file"] = _written(options.output_file, dict(whole, targets=targets))
    if len(targets) > options.listed > 0:
        context.warnings.append(
            f"targets: the result holds the first {options.listed} of {len(targets)} (the option listed); "
            "a file holds all (output_file)"
        )
    result["targets"] = targets[: options.listed]
    return result


class _Footprint:
    """What scans have left in the pods of the targets, each pod once."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self._seen: set[str] = set()
        self._now = datetime.now(timezone.utc)

    def add(self, selected: SelectedTarget) -> None:
        if selected.pod.uid not in self._seen:
            self._seen.add(selected.pod.uid)
            self.entries += entries_of(selected.pod.object(), self._now)


def _as_result(selected: SelectedTarget) -> dict[str, Any]:
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
