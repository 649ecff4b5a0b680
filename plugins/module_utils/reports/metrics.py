# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a play has seen as metrics in Prometheus' text format, for a node exporter's textfile collector and a Pushgateway.

The format: https://prometheus.io/docs/instrumenting/exposition_formats/ (version 0.0.4). Samples have no times of their own,
because the textfile collector takes none: one metric of each subject holds when it was seen. A subject is what the first
label names: a host, a fleet or a store.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..results.fleet_run import FleetRun
from .cluster_metrics import CLUSTER_METRICS, SEEN, cluster_samples
from .fleet import ClusterRun
from .fleet_metrics import FLEET_METRICS, FLEET_SEEN, fleet_samples
from .health_metrics import HEALTH_METRICS, HEALTH_SEEN, ClusterHealth, health_samples
from .metric import Metric, Sample, metric_head, sample_line
from .store_metrics import STORE_METRICS, STORE_SEEN, StoreNumbers, store_samples

METRICS: tuple[Metric, ...] = (*CLUSTER_METRICS, *FLEET_METRICS, *HEALTH_METRICS, *STORE_METRICS)
_NAMES = frozenset(metric.name for metric in METRICS)
# When a subject was seen. What belongs together is replaced, kept and dropped together: a look at the health of a cluster
# leaves the series of its last scan alone.
_FAMILIES = {
    **{metric.name: SEEN for metric in CLUSTER_METRICS},
    **{metric.name: FLEET_SEEN for metric in FLEET_METRICS},
    **{metric.name: HEALTH_SEEN for metric in HEALTH_METRICS},
    **{metric.name: STORE_SEEN for metric in STORE_METRICS},
}
_MOST_KEPT = 5000
_LABEL = r'[a-z]+="(?:\\[\\"n]|[^"\\\n])*"'
_VALUE = r"[0-9]{1,20}(?:\.[0-9]{1,20})?(?:e[+-]?[0-9]{1,3})?"
_LINE = re.compile(rf"(?P<name>[a-z_]+)\{{(?P<labels>{_LABEL}(?:,{_LABEL})*)\}} (?P<value>{_VALUE})")
_SUBJECT = re.compile(r'(?:host|fleet|store)="(?:\\[\\"n]|[^"\\\n])*"')

# The metric that says when it was seen, and its first label, as written.
_Subject = tuple[str, str]


@dataclass(frozen=True)
class Observed:
    """What one play has seen."""

    runs: Sequence[ClusterRun] = ()
    fleet_runs: Sequence[FleetRun] = ()
    health: Sequence[ClusterHealth] = ()
    stores: Sequence[StoreNumbers] = ()

    def samples(self, now: datetime) -> Iterator[Sample]:
        for run in self.runs:
            if not run.is_planned:
                yield from cluster_samples(run, now)
        for fleet_run in self.fleet_runs:
            yield from fleet_samples(fleet_run)
        for health in self.health:
            yield from health_samples(health, now)
        for numbers in self.stores:
            yield from store_samples(numbers, now)


def render_metrics(observed: Observed, now: datetime, before: str = "", keep_days: float = 0) -> str:
    """The text of all samples, each metric with its help and type; empty where the play has seen nothing.

    :param now: with its time zone
    :param before: the text that the file holds. Its series of subjects that the play has not seen are kept
    :param keep_days: as long as they were seen within these days
    """
    lines = _lines(observed.samples(now))
    if not lines:
        return ""
    ours = {_subject(name, line) for name, line in lines}
    return _text([*lines, *_kept(before, ours, now, keep_days)])


def render_by_subject(observed: Observed, now: datetime) -> dict[tuple[str, str], str]:
    """(label, its value, such as the host's name) -> the text of all samples of that subject."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for sample in observed.samples(now):
        label = next(iter(sample[1]))
        found.setdefault((label, sample[1][label]), []).extend(_lines([sample]))
    return {subject: _text(lines) for subject, lines in found.items()}


def _lines(samples: Iterable[Sample]) -> list[tuple[str, str]]:
    """(metric, line) of each sample."""
    return [(sample[0], sample_line(sample)) for sample in samples]


def _text(lines: Sequence[tuple[str, str]]) -> str:
    by_metric: dict[str, list[str]] = {}
    for name, line in lines:
        by_metric.setdefault(name, []).append(line)
    text: list[str] = []
    for metric in METRICS:
        if metric.name in by_metric:
            text += [*metric_head(metric), *by_metric[metric.name]]
    return "\n".join(text) + "\n"


def _subject(name: str, line: str) -> _Subject:
    match = _SUBJECT.match(line, len(name) + 1)
    return _FAMILIES[name], match[0] if match else ""


def _kept(before: str, without: set[_Subject], now: datetime, keep_days: float) -> Iterator[tuple[str, str]]:
    """(metric, line) of the subjects in a file's text that are not among `without` and were seen within these days. What
    is no line of ours is dropped, and a series that is there again. None was seen later than now: it would stay for ever."""
    found: dict[tuple[str, frozenset[str]], tuple[_Subject, str]] = {}
    seen: dict[_Subject, float] = {}
    latest = now.timestamp()
    for line in before.splitlines():
        match = _LINE.fullmatch(line)
        if match is None or match["name"] not in _NAMES or not _SUBJECT.match(match["labels"]):
            continue
        subject = _subject(match["name"], line)
        labels = re.findall(_LABEL, match["labels"])
        series = match["name"], frozenset(labels)
        is_doubled = series in found or len({label.partition("=")[0] for label in labels}) < len(labels)
        if subject in without or is_doubled:
            continue
        found[series] = subject, line
        if match["name"] == subject[0]:
            seen[subject] = min(float(match["value"]), latest)
            if float(match["value"]) > latest:
                found[series] = subject, f"{subject[0]}{{{match['labels']}}} {latest!r}"
    oldest = (now - timedelta(days=keep_days)).timestamp()
    recent = sorted((one for one, moment in seen.items() if moment > oldest), key=lambda one: -seen[one])
    kept = set(recent[:_MOST_KEPT])
    return ((name, line) for (name, _of_series), (subject, line) in found.items() if subject in kept)
