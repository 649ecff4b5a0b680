# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics of a look at a cluster's health (playbook `health`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .metric import Metric, Sample

HEALTH_SEEN = "securescan_health_observed_timestamp_seconds"
HEALTH_METRICS: tuple[Metric, ...] = (
    Metric(HEALTH_SEEN, "When the playbook ended that looked at the cluster's health"),
    Metric(
        "securescan_health_passed",
        "1 where a check of the cluster's health passed, 0 where it failed",
        ("check",),
    ),
    Metric("securescan_leftovers", "What scans have left in the cluster and nobody has removed", ("kind",)),
)


@dataclass(frozen=True)
class ClusterHealth:
    """`checks`: name -> whether it passed; those that were not made are not there. `leftovers`: kind -> number."""

    host: str
    cluster: str
    checks: Mapping[str, bool] = field(default_factory=dict)
    leftovers: Mapping[str, int] = field(default_factory=dict)


def health_samples(one: ClusterHealth, now: datetime) -> Iterator[Sample]:
    here = {"host": one.host, "cluster": one.cluster}
    yield HEALTH_SEEN, here, float(int(now.timestamp()))
    for check, passed in one.checks.items():
        yield "securescan_health_passed", dict(here, check=check), 1.0 if passed else 0.0
    for kind, number in one.leftovers.items():
        yield "securescan_leftovers", dict(here, kind=kind), number
