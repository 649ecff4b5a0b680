# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers of a run as OpenMetrics, https://prometheus.io/docs/specs/om/open_metrics_spec/

Of each target: how many controls have which status and severity. No series is of a single control: there are too many of them
for labels.

    each status       securescan_target_controls{status, severity}
    waived, attested  securescan_target_exceptions{kind}
    not scanned       securescan_target_result{result="not_scanned"}, and no controls; the same for a name that gave no target
    unread            securescan_target_result{result="unread"}, and no controls
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TextIO

from ..results.run import Run
from ..results.status import NOT_SCANNED, SEVERITIES, STATUSES
from ..results.target_record import TargetRecord
from ..results.verdicts import TargetVerdicts, run_verdicts
from ..safe_text import one_line
from ..times import parse_rfc3339
from .event import gap_target
from .metric import Metric, Sample, metric_head, sample_line
from .report import Report

_CONTROLS = Metric(
    "securescan_target_controls", "Controls of a container, by status and severity", ("status", "severity")
)
_EXCEPTIONS = Metric(
    "securescan_target_exceptions",
    "Controls of a container that a waiver sets aside or an attestation decides",
    ("kind",),
)
_RESULT = Metric("securescan_target_result", "1 with the result of a container", ("result",))
_SEEN = Metric("securescan_target_seen_timestamp_seconds", "When the container's facts were collected")
_FINISHED = Metric("securescan_run_finished_timestamp_seconds", "When the run ended")
TARGET_METRICS: tuple[Metric, ...] = (_CONTROLS, _EXCEPTIONS, _RESULT, _SEEN, _FINISHED)
UNREAD = "unread"
_MAX_LABEL = 400
_IDENTITY = ("cluster", "namespace", "workload_kind", "workload", "pod", "container")


def _write(run: Run, stream: TextIO) -> None:
    """All samples of a metric stand together. The documents are read once, for the first of them; the others are few."""
    others: dict[str, list[str]] = {metric.name: [] for metric in TARGET_METRICS[1:]}
    _write_lines(stream, metric_head(_CONTROLS))
    for target in _targets(run):
        labels = _labels(target.record)
        for sample in _controls(target, labels):
            stream.write(sample_line(sample) + "\n")
        for sample in _of_target(target, labels):
            others[sample[0]].append(sample_line(sample))
    finished = _FINISHED.name, {"cluster": run.cluster}, parse_rfc3339(run.finished).timestamp()
    others[_FINISHED.name].append(sample_line(finished))
    for metric in TARGET_METRICS[1:]:
        _write_lines(stream, [*metric_head(metric), *others[metric.name]])
    stream.write("# EOF\n")


def _targets(run: Run) -> Iterator[TargetVerdicts]:
    yield from run_verdicts(run)
    for gap in run.gaps:
        yield gap_target(run, gap)


def _controls(target: TargetVerdicts, labels: Mapping[str, str]) -> Iterator[Sample]:
    """Each status of a severity that the target has: a status that nothing has is 0, and not unknown."""
    found = Counter((one.status, one.about.severity) for one in target.controls)
    severities = {severity for _status, severity in found}
    for severity in SEVERITIES:
        if severity in severities:
            for status in STATUSES:
                yield (
                    _CONTROLS.name,
                    {**labels, "status": status, "severity": severity},
                    found[status, severity],
                )


def _of_target(target: TargetVerdicts, labels: Mapping[str, str]) -> Iterator[Sample]:
    record = target.record
    result = UNREAD if target.unread else record.result
    yield _RESULT.name, {**labels, "result": result}, 1
    if result in (UNREAD, NOT_SCANNED):
        return
    for kind, number in (
        ("waiver", sum(one.waived for one in target.controls)),
        ("attestation", sum(one.attested for one in target.controls)),
    ):
        yield _EXCEPTIONS.name, {**labels, "kind": kind}, number
    try:
        yield _SEEN.name, labels, parse_rfc3339(record.seen).timestamp()
    except ValueError:
        return


def _labels(record: TargetRecord) -> dict[str, str]:
    """`target_id` tells two targets apart whose names are cut."""
    names = {name: one_line(getattr(record, name), _MAX_LABEL) for name in _IDENTITY}
    return {**names, "target_id": one_line(record.target_id, _MAX_LABEL)}


def _write_lines(stream: TextIO, lines: list[str]) -> None:
    stream.write("".join(f"{line}\n" for line in lines))


REPORT = Report("openmetrics", "results.openmetrics.txt", _write)
