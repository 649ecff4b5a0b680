# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleet runs for tests: clusters with runs in an output folder, and entries of every state."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.cluster_entry import (
    BROKEN,
    NOT_REACHED,
    OUT_OF_TIME,
    REFUSED,
    UNREACHABLE,
    ClusterEntry,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.decision import FailedControl
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.decisions import keep_decision
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.fleet_comparison import (
    FleetComparison,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.fleet_gate import (
    KINDS,
    decide_fleet,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.fleet_run import (
    FLEET_FOLDER,
    FleetRun,
    open_fleet_run,
    write_fleet_run,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.gate import decide
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Producer, open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_folder import cluster_folder
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.target_record import ErrorRecord
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import (
    DEFAULT_THRESHOLD,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_target,
    write_run,
)

STARTED = "2026-11-23T09:59:00Z"
FINISHED = "2026-11-23T10:05:00Z"
HOSTILE_NAME = "x\x1b[31m<b>|`=cmd()\u202e"


def error_record(reason: str, message: str = "said the server") -> ErrorRecord:
    return ErrorRecord(**ScanError(reason, message, tried="scan").record())


def write_cluster_run(
    output: pathlib.Path,
    cluster: str,
    statuses: Mapping[str, str],
    *,
    run_id: str = "run-1",
    missing: Sequence[str] = (),
    **fields: Any,
) -> ClusterEntry:
    """Writes a run of one container for each of `missing` that was not scanned, and one that was, whose controls have these
    statuses (none of them without any); decides its gate; and returns the cluster's entry."""
    target = make_target("api-1", cluster=cluster)
    document = make_document(
        target, *(make_control(name, status, impact=0.9) for name, status in statuses.items())
    )
    lost = [(make_target(pod, cluster=cluster), ScanError("pod_gone", "there is none")) for pod in missing]
    runs = cluster_folder(str(output), cluster)
    folder = write_run(
        runs, run_id, [(target, document)] if statuses else [], lost, cluster=cluster, **fields
    )
    run = open_run(str(folder))
    keep_decision(run, decide(DEFAULT_THRESHOLD, run.documents(), run.expected_targets()))
    run = open_run(str(folder))
    return ClusterEntry.of_run(cluster, cluster, {"region": "eu"}, run, f"{runs.name}/{run_id}")


def write_sample_fleet(output: pathlib.Path, fleet_run_id: str = "fleet-1") -> FleetRun:
    """A finished fleet run with a cluster of each state, a comparison, hostile names, and each kind of reason."""
    passed = write_cluster_run(output, "alpha", {"c-1": "passed"})
    failed = write_cluster_run(output, "beta", {"c-1": "failed", "c-2": "passed"})
    partly = write_cluster_run(output, "gamma", {"c-1": "passed"}, missing=["api-2"])
    late = write_cluster_run(output, "delta", {"c-1": "passed"}, missing=["api-2", "api-3"])
    nothing = write_cluster_run(output, "theta", {}, missing=["api-2"])
    entries = [
        nothing,
        passed,
        failed,
        partly,
        late.with_error(OUT_OF_TIME, error_record("timed_out")),
        ClusterEntry("epsilon", "host-e", {}, NOT_REACHED),
        ClusterEntry("zeta", "zeta", {"region": "us"}, UNREACHABLE).with_error(
            UNREACHABLE, error_record("unreachable")
        ),
        ClusterEntry("eta", "eta", {}, REFUSED).with_error(REFUSED, error_record("not_permitted")),
        ClusterEntry(HOSTILE_NAME, HOSTILE_NAME, {"region": HOSTILE_NAME}, BROKEN).with_error(
            BROKEN, error_record("internal", HOSTILE_NAME)
        ),
    ]
    return write_fleet(output, entries, fleet_run_id, comparison=sample_comparison())


def sample_comparison() -> FleetComparison:
    place = "beta/shop/Deployment/api/app"
    return FleetComparison(
        previous="fleet-0",
        counts={"new": 1, "fixed": 1, "reopened": 1},
        new=(FailedControl(place, "baseline", "c-1"),),
        fixed=(FailedControl(place, "baseline", "c-2"),),
        reopened=(FailedControl(place, "baseline", "c-3"),),
        came=("beta",),
        went=("omega",),
    )


def make_fleet(entries: Sequence[ClusterEntry], fleet_run_id: str = "fleet-1", **fields: Any) -> FleetRun:
    """A finished fleet run of these entries."""
    ordered = sorted(entries, key=lambda entry: entry.cluster)
    fleet_run = FleetRun(
        fleet_run_id=fleet_run_id,
        started=STARTED,
        finished=FINISHED,
        duration=360.0,
        deadline=3600,
        collection=Producer("securescan.kubernetes", "0.1.0"),
        fail_on=KINDS,
        expected=tuple(entry.cluster for entry in ordered),
        slice=None,
        merged_from=(),
        superseded=(),
        clusters=tuple(ordered),
        comparison=None,
        gate=decide_fleet(ordered, KINDS),
    )
    return replace(fleet_run, **fields)


def write_fleet(
    output: pathlib.Path, entries: Sequence[ClusterEntry], fleet_run_id: str = "fleet-1", **fields: Any
) -> FleetRun:
    """Writes it, and opens it from its folder."""
    folder = output / FLEET_FOLDER / fleet_run_id
    folder.mkdir(parents=True)
    write_fleet_run(folder, make_fleet(entries, fleet_run_id, **fields))
    return open_fleet_run(str(folder))
