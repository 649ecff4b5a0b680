# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runs of many clusters as metrics in Prometheus' text format, for a node exporter's textfile collector.

The format: https://prometheus.io/docs/instrumenting/exposition_formats/ (version 0.0.4). There is no metric of a single
target: a fleet has too many of them for labels. Samples have no times of their own, because the textfile collector takes
none: one metric holds when a cluster was seen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..results.evidence import GRADES
from ..results.status import NOT_SCANNED, RESULTS, SCANNED, SEVERITIES, STATUSES
from ..safe_text import escape_text
from .fleet import ClusterRun
from .wording import evidence_grades


@dataclass(frozen=True)
class Metric:
    """A gauge. `labels` are those that it has beside host and cluster."""

    name: str
    text: str
    labels: tuple[str, ...] = ()


_SEEN = "securescan_run_observed_timestamp_seconds"
METRICS: tuple[Metric, ...] = (
    Metric(_SEEN, "When the playbook ended that had the cluster"),
    Metric(
        "securescan_run_succeeded", "1 where containers of the cluster were scanned, 0 where none could be"
    ),
    Metric(
        "securescan_run_failure_info",
        "1, with the reason of the error with which the scan or the gate ended",
        ("reason",),
    ),
    Metric("securescan_run_finished_timestamp_seconds", "When the run ended"),
    Metric("securescan_run_duration_seconds", "How long the run took"),
    Metric("securescan_targets", "Containers that were selected, by what became of them", ("outcome",)),
    Metric("securescan_target_results", "Containers that were selected, by their result", ("result",)),
    Metric(
        "securescan_targets_by_evidence",
        "Containers that were scanned, by the grade of evidence",
        ("evidence",),
    ),
    Metric(
        "securescan_controls", "Controls over all targets, by status and severity", ("status", "severity")
    ),
    Metric("securescan_compliance_ratio", "Passed controls of those that count, 0 to 1"),
    Metric("securescan_gate_passed", "1 where the gate passed, 0 where it failed"),
)
_NAMES = frozenset(metric.name for metric in METRICS)
_MOST_KEPT_HOSTS = 5000
_LABEL = r'[a-z]+="(?:\\[\\"n]|[^"\\\n])*"'
_VALUE = r"[0-9]{1,20}(?:\.[0-9]{1,20})?(?:e[+-]?[0-9]{1,3})?"
_LINE = re.compile(rf"(?P<name>[a-z_]+)\{{(?P<labels>{_LABEL}(?:,{_LABEL})*)\}} (?P<value>{_VALUE})")
_HOST = re.compile(r'host="((?:\\[\\"n]|[^"\\\n])*)"')

Sample = tuple[str, Mapping[str, str], float]


def render_metrics(runs: Sequence[ClusterRun], now: datetime, before: str = "", keep_days: float = 0) -> str:
    """The text of all samples, each metric with its help and type; empty where nothing was to be scanned.

    :param now: with its time zone
    :param before: the text that the file holds. Its series of clusters that are not among `runs` are kept
    :param keep_days: as long as they were seen within these days
    """
    observed = [run for run in runs if not run.is_planned]
    if not observed:
        return ""
    lines: dict[str, list[str]] = {metric.name: [] for metric in METRICS}
    for run in observed:
        for name, labels, value in _samples(run, now):
            lines[name].append(f"{name}{{{_labels(labels)}}} {float(value)!r}")
    ours = {_escaped(run.host) for run in observed}
    for name, line in _kept(before, ours, now, keep_days):
        lines[name].append(line)
    text: list[str] = []
    for metric in METRICS:
        if lines[metric.name]:
            text += [
                f"# HELP {metric.name} {metric.text}",
                f"# TYPE {metric.name} gauge",
                *lines[metric.name],
            ]
    return "\n".join(text) + "\n"


def _kept(before: str, without: set[str], now: datetime, keep_days: float) -> Iterator[tuple[str, str]]:
    """(metric, line) of the hosts in a file's text that are not among `without` (escaped) and were seen within these days. What
    is no line of ours is dropped, and a series that is there again. None was seen later than now: it would stay for ever."""
    found: dict[tuple[str, frozenset[str]], tuple[str, str]] = {}
    seen: dict[str, float] = {}
    latest = now.timestamp()
    for line in before.splitlines():
        match = _LINE.fullmatch(line)
        host = _HOST.match(match["labels"]) if match else None
        if match is None or host is None or match["name"] not in _NAMES or host[1] in without:
            continue
        labels = re.findall(_LABEL, match["labels"])
        series = match["name"], frozenset(labels)
        if series in found or len({label.partition("=")[0] for label in labels}) < len(labels):
            continue
        found[series] = host[1], line
        if match["name"] == _SEEN:
            seen[host[1]] = min(float(match["value"]), latest)
            if float(match["value"]) > latest:
                found[series] = host[1], f"{_SEEN}{{{match['labels']}}} {latest!r}"
    oldest = (now - timedelta(days=keep_days)).timestamp()
    recent = sorted((host for host, moment in seen.items() if moment > oldest), key=lambda host: -seen[host])
    kept = set(recent[:_MOST_KEPT_HOSTS])
    return ((name, line) for (name, _labels), (host, line) in found.items() if host in kept)


def _samples(one: ClusterRun, now: datetime) -> Iterable[Sample]:
    run = one.run
    here = {"host": one.host, "cluster": run.cluster if run else ""}
    yield _SEEN, here, float(int(now.timestamp()))
    yield "securescan_run_succeeded", here, 1.0 if one.is_scanned else 0.0
    if one.reason:
        yield "securescan_run_failure_info", dict(here, reason=one.reason), 1.0
    if run is None:
        return
    yield "securescan_run_finished_timestamp_seconds", here, _timestamp(run.finished)
    yield "securescan_run_duration_seconds", here, run.duration
    for outcome, number in (
        (SCANNED, run.target_counts.scanned),
        (NOT_SCANNED, run.target_counts.not_scanned),
    ):
        yield "securescan_targets", dict(here, outcome=outcome), number
    results = Counter(target.result for target in run.targets)
    for result in RESULTS:
        yield "securescan_target_results", dict(here, result=result), results[result]
    grades = evidence_grades(run)
    for grade in GRADES:
        yield "securescan_targets_by_evidence", dict(here, evidence=grade), grades[grade]
    for status in STATUSES:
        for severity in SEVERITIES:
            labels = dict(here, status=status, severity=severity)
            yield "securescan_controls", labels, run.controls.table[status][severity]
    yield "securescan_compliance_ratio", here, float(run.controls.exact_compliance / 100)
    if one.passed is not None:
        yield "securescan_gate_passed", here, 1.0 if one.passed else 0.0


def _timestamp(moment: str) -> float:
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(value: str) -> str:
    lines = "\n".join(
        map(escape_text, value.split("\n"))
    )  # the format has an escape of its own for line feeds
    return lines.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
