# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics of a store: of all clusters that it remembers, also of those that no play had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .metric import Metric, Sample

STORE_SEEN = "securescan_store_observed_timestamp_seconds"
STORE_METRICS: tuple[Metric, ...] = (
    Metric(STORE_SEEN, "When the store was asked"),
    Metric(
        "securescan_store_open_findings",
        "Controls that fail now, each once for a place",
        ("cluster", "team", "severity"),
    ),
    Metric(
        "securescan_store_overdue_findings",
        "Findings that were not fixed within their deadline",
        ("cluster", "team", "severity"),
    ),
    Metric("securescan_store_places", "Places that are there", ("cluster", "team")),
    Metric(
        "securescan_store_overdue_places",
        "Places that were not scanned within their deadline",
        ("cluster", "team"),
    ),
    Metric(
        "securescan_store_oldest_seen_timestamp_seconds",
        "When the place was seen that was not seen for longest",
        ("cluster",),
    ),
)

_BySeverity = Mapping[tuple[str, str, str], int]
_ByTeam = Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class StoreNumbers:
    """What a store says now. `name` names it, and holds no secret. Findings are by (cluster, team, severity), places by (cluster,
    team); `oldest_seen` is by cluster, in seconds since 1970."""

    name: str
    open_findings: _BySeverity = field(default_factory=dict)
    overdue_findings: _BySeverity = field(default_factory=dict)
    places: _ByTeam = field(default_factory=dict)
    overdue_places: _ByTeam = field(default_factory=dict)
    oldest_seen: Mapping[str, float] = field(default_factory=dict)


def store_samples(numbers: StoreNumbers, now: datetime) -> Iterator[Sample]:
    here = {"store": numbers.name}
    yield STORE_SEEN, here, float(int(now.timestamp()))
    for name, findings in (
        ("securescan_store_open_findings", numbers.open_findings),
        ("securescan_store_overdue_findings", numbers.overdue_findings),
    ):
        for (cluster, team, severity), number in findings.items():
            yield name, dict(here, cluster=cluster, team=team, severity=severity), number
    for name, places in (
        ("securescan_store_places", numbers.places),
        ("securescan_store_overdue_places", numbers.overdue_places),
    ):
        for (cluster, team), number in places.items():
            yield name, dict(here, cluster=cluster, team=team), number
    for cluster, moment in numbers.oldest_seen.items():
        yield "securescan_store_oldest_seen_timestamp_seconds", dict(here, cluster=cluster), moment
