# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A play for tests that has seen something for every metric: teams, overdue findings, a fleet run, leftovers, hostile names."""

from __future__ import annotations

import pathlib
from dataclasses import replace

from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.fleet import ClusterRun
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.health_metrics import (
    ClusterHealth,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.metrics import Observed
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.store_metrics import StoreNumbers
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.deadline_policy import (
    DeadlinePolicy,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.deadlines import DeadlineBook
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import NamespaceOwner, Run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_folder import RunFolder
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.teams import Ownership
from ansible_collections.securescan.kubernetes.tests.support.sample_fleet import (
    HOSTILE_NAME,
    write_sample_fleet,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_run,
    make_target,
)

POLICY = DeadlinePolicy.of_mapping(
    {"default": {"scan_every_hours": 24, "fix_within_days": {"high": 2, "medium": 2}}}
)


def run_with_deadlines(folder: pathlib.Path) -> Run:
    """A run with two findings of team shop, which have been open since 1 November, and a container that was not scanned."""
    book, target, other = DeadlineBook(), make_target("api-1"), make_target("api-2")
    controls = [
        make_control("c-1", "failed", impact=0.7),
        make_control("c-2", "failed"),
        make_control("c-3", "passed"),
    ]
    run = make_run(
        [(target, make_document(target, *controls)), (other, make_document(other, *controls))],
        [(make_target("db-0", workload="db"), ScanError("pod_gone", "gone"))],
        book=book,
        namespaces=[
            NamespaceOwner("shop", "shop-team", "production"),
            NamespaceOwner("web", HOSTILE_NAME, ""),
        ],
    )
    started = "2026-11-01T00:00:00+00:00"
    book.add_scanned(run.targets[0].place_id, "shop", started, {("baseline", "c-1"): "high"}, ())
    made = book.finish(
        run_id=run.run_id,
        cluster=run.cluster,
        started=started,
        policy=POLICY,
        owners={"shop": Ownership("shop-team", "production")},
        before=None,
    )
    written = RunFolder(str(folder), run.run_id)
    written.create()
    return replace(run, deadlines_sha256=written.write_deadlines(made), folder=str(written.path))


def sample_observed(folder: pathlib.Path) -> Observed:
    runs = [
        ClusterRun(
            "edge",
            run_with_deadlines(folder / "runs"),
            passed=False,
            reason="gate_failed",
            requests={"grantor": 20, "scanner": 12, "exec": 2},
            left={"ephemeral_container": 3, "running_container": 1, "access": 1},
        ),
        ClusterRun(HOSTILE_NAME, error="away", reason="unreachable"),
    ]
    checks = {"reach": True, "canaries": False}
    health = [ClusterHealth("edge", "demo", checks, {"access": 2, "running_container": 0})]
    key = ("demo", "shop-team", "high")
    numbers = StoreNumbers("scans.db", {key: 3}, {key: 1}, {key[:2]: 9}, {key[:2]: 2}, {"demo": 1793491200.0})
    return Observed(runs, [write_sample_fleet(folder / "fleet")], health, [numbers])
