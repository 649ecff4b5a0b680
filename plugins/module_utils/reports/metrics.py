# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runs of many clusters as metrics in Prometheus' text format, for a node exporter's textfile collector.

The format: https://prometheus.io/docs/instrumenting/exposition_formats/ (version 0.0.4). There is no metric of a single
target: a fleet has too many of them for labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from ..results.evidence import GRADES
from ..results.status import NOT_SCANNED, RESULTS, SCANNED, SEVERITIES, STATUSES
from ..safe_text import escape_text
from .fleet import ClusterRun
from .wording import evidence_grades

_METRICS: tuple[tuple[str, str], ...] = (
    ("securescan_run_succeeded", "1 where the cluster was scanned, 0 where that failed"),
    ("securescan_run_finished_timestamp_seconds", "When the run ended"),
    ("securescan_run_duration_seconds", "How long the run took"),
    ("securescan_targets", "Containers that were selected, by what became of them"),
    ("securescan_target_results", "Containers that were selected, by their result"),
    ("securescan_targets_by_evidence", "Containers that were scanned, by the grade of evidence"),
    ("securescan_controls", "Controls over all targets, by status and severity"),
    ("securescan_compliance_ratio", "Passed controls of those that count, 0 to 1"),
    ("securescan_gate_passed", "1 where the gate passed, 0 where it failed"),
)

Sample = tuple[str, Mapping[str, str], float]


def render_metrics(runs: Sequence[ClusterRun]) -> str:
    """The text of all samples, each metric with its help and type."""
    samples: dict[str, list[Sample]] = {name: [] for name, _help in _METRICS}
    for run in runs:
        for sample in _samples(run):
            samples[sample[0]].append(sample)
    lines: list[str] = []
    for name, text in _METRICS:
        if samples[name]:
            lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
            lines += [
                f"{name}{{{_labels(labels)}}} {float(value)!r}" for _name, labels, value in samples[name]
            ]
    return "\n".join(lines) + "\n" if lines else ""


def _samples(one: ClusterRun) -> Iterable[Sample]:
    run = one.run
    here = {"host": one.host, "cluster": run.cluster if run else ""}
    yield "securescan_run_succeeded", here, 1.0 if run else 0.0
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
