# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleet runs of shards made into one. Their order does not matter, nor does it when one is given twice, or was merged before.

Of each cluster the newest whole run counts; without a whole one what is newest. What does not count is told as superseded.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ScanError
from ..times import parse_rfc3339
from .checked_json import bad_results
from .cluster_entry import ClusterEntry
from .fleet_folder import merged_fleet_run_id
from .fleet_run import FleetRun, Superseded, fleet_run_bytes
from .run_folder import json_bytes

# Of a cluster that was expected, and that no part had: nothing is lost when one comes.
_NO_SHARD = "no_shard"


def merge_fleet_runs(
    parts: Sequence[FleetRun],
    fail_on: Sequence[str],
    fleet_run_id: str = "",
    expected: Sequence[ClusterEntry] = (),
) -> FleetRun:
    """What these fleet runs are together. It has no comparison and no decision yet; `finished` is that of the last one.

    :param parts: with `finished` also where one was killed
    :param expected: entries of clusters for which no part may have one
    :param fleet_run_id: empty for one that is made of those of the parts
    :raises ScanError: `bad_results`, for two of one id that differ; `bad_option`, for none
    """
    leaves = _leaves(parts)
    best: dict[str, ClusterEntry] = {}
    lost: set[tuple[str, str, str]] = {
        (one.cluster, one.state, one.run_id) for part in parts for one in part.superseded
    }
    for entry in sorted((entry for part in parts for entry in part.clusters), key=_worth, reverse=True):
        kept = best.setdefault(entry.cluster, entry)
        if entry != kept and not (entry.error and entry.error.reason == _NO_SHARD):
            lost.add((entry.cluster, entry.state, entry.run_id))
    for entry in expected:
        best.setdefault(entry.cluster, entry)
    counted = {(entry.cluster, entry.state, entry.run_id) for entry in best.values()}
    started, finished = min(part.started for part in parts), max(part.finished for part in parts)
    deadlines = [part.deadline for part in parts]
    clusters = tuple(best[name] for name in sorted(best))
    return FleetRun(
        fleet_run_id=fleet_run_id or merged_fleet_run_id(leaves),
        started=started,
        finished=finished,
        duration=max((parse_rfc3339(finished) - parse_rfc3339(started)).total_seconds(), 0.0),
        deadline=max((one for one in deadlines if one is not None), default=None)
        if None not in deadlines
        else None,
        collection=max((part.collection for part in parts), key=lambda one: (one.version, one.name)),
        fail_on=tuple(fail_on),
        expected=tuple(entry.cluster for entry in clusters),
        slice=None,
        merged_from=tuple(leaves),
        superseded=tuple(Superseded(*one) for one in sorted(lost - counted)),
        clusters=clusters,
        comparison=None,
        gate=None,
    )


def _leaves(parts: Sequence[FleetRun]) -> list[str]:
    """The ids of the fleet runs that scanned, sorted."""
    if not parts:
        raise ScanError("bad_option", "no fleet run is named", tried="reading the option fleet_dirs")
    seen: dict[str, bytes] = {}
    for part in parts:
        data = fleet_run_bytes(part)
        if seen.setdefault(part.fleet_run_id, data) != data:
            raise bad_results(part.folder, f"is another fleet run of the id {part.fleet_run_id}")
    return sorted({leaf for part in parts for leaf in part.merged_from or (part.fleet_run_id,)})


def _worth(entry: ClusterEntry) -> tuple[bool, bool, str, str, bytes]:
    """The larger, the more it counts."""
    return (
        entry.is_whole,
        entry.has_run,
        entry.started or entry.finished,
        entry.run_id,
        json_bytes(entry.to_json()),
    )
