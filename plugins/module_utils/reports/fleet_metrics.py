# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics of a fleet run: how many of the clusters that were expected were scanned, and what became of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..results.cluster_entry import STATES
from ..results.fleet_run import FleetRun
from ..times import parse_rfc3339
from .metric import Metric, Sample

FLEET_SEEN = "securescan_fleet_finished_timestamp_seconds"
FLEET_METRICS: tuple[Metric, ...] = (
    Metric(FLEET_SEEN, "When the fleet run ended"),
    Metric("securescan_fleet_duration_seconds", "How long the fleet run took"),
    Metric("securescan_fleet_deadline_seconds", "How long the fleet run could take"),
    Metric("securescan_fleet_clusters", "Clusters that were expected, by what became of them", ("state",)),
    Metric("securescan_fleet_gate_passed", "1 where the fleet run passed, 0 where it failed"),
)
# The label `fleet` of a run over the whole inventory.
ALL = "all"


def fleet_samples(run: FleetRun) -> Iterator[Sample]:
    """None of one that is not finished."""
    if not run.is_finished or run.gate is None:
        return
    here = {"fleet": f"{run.slice.offset}::{run.slice.count}" if run.slice else ALL}
    yield FLEET_SEEN, here, parse_rfc3339(run.finished).timestamp()
    yield "securescan_fleet_duration_seconds", here, run.duration
    if run.deadline is not None:
        yield "securescan_fleet_deadline_seconds", here, run.deadline
    states = Counter(entry.state for entry in run.clusters)
    for state in STATES:
        yield "securescan_fleet_clusters", dict(here, state=state), states[state]
    yield "securescan_fleet_gate_passed", here, 1.0 if run.gate.passed else 0.0
