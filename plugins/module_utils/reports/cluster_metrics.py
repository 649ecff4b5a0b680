# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics of one cluster of a play. There is none of a single target: a fleet has too many of them for labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

from ..errors import ScanError
from ..results.evidence import GRADES
from ..results.run import Run
from ..results.status import NOT_SCANNED, RESULTS, SCANNED, SEVERITIES, STATUSES
from ..times import parse_rfc3339
from .fleet import ClusterRun
from .metric import Metric, Sample
from .wording import causes, evidence_grades

SEEN = "securescan_run_observed_timestamp_seconds"
CLUSTER_METRICS: tuple[Metric, ...] = (
    Metric(SEEN, "When the playbook ended that had the cluster"),
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
    Metric("securescan_run_requests", "Requests of the run to the API server, by who made them", ("by",)),
    Metric("securescan_run_left", "What the run has left in the cluster", ("kind",)),
    Metric("securescan_targets", "Containers that were selected, by what became of them", ("outcome",)),
    Metric("securescan_target_results", "Containers that were selected, by their result", ("result",)),
    Metric(
        "securescan_target_errors",
        "Containers that were not scanned, by the code of the error",
        ("code", "reason"),
    ),
    Metric("securescan_targets_carried", "Scanned containers for which an earlier scan stands"),
    Metric(
        "securescan_targets_by_evidence",
        "Containers that were scanned, by the grade of evidence",
        ("evidence",),
    ),
    Metric("securescan_coverage_ratio", "Judged containers of those that were selected, 0 to 1"),
    Metric("securescan_oldest_seen_timestamp_seconds", "When the oldest result of the run was collected"),
    Metric(
        "securescan_controls", "Controls over all targets, by status and severity", ("status", "severity")
    ),
    Metric("securescan_compliance_ratio", "Passed controls of those that count, 0 to 1"),
    Metric("securescan_open_findings", "Controls that fail, each once for a place", ("team", "severity")),
    Metric(
        "securescan_overdue_findings",
        "Findings that were not fixed within their deadline",
        ("team", "severity"),
    ),
    Metric("securescan_overdue_places", "Places that were not scanned within their deadline", ("team",)),
    Metric("securescan_gate_passed", "1 where the gate passed, 0 where it failed"),
)
REQUESTS_BY = ("grantor", "scanner", "exec")
LEFT_KINDS = ("ephemeral_container", "running_container", "access")
# More teams of one cluster share this label.
OTHERS = "(others)"
_MOST_TEAMS = 200
_BY_TEAM = "securescan_open_findings"


def cluster_samples(one: ClusterRun, now: datetime) -> Iterator[Sample]:
    run = one.run
    here = {"host": one.host, "cluster": run.cluster if run else ""}
    yield SEEN, here, float(int(now.timestamp()))
    yield "securescan_run_succeeded", here, 1.0 if one.is_scanned else 0.0
    if one.reason:
        yield "securescan_run_failure_info", dict(here, reason=one.reason), 1.0
    for by, number in one.requests.items():
        yield "securescan_run_requests", dict(here, by=by), number
    for kind, number in one.left.items():
        yield "securescan_run_left", dict(here, kind=kind), number
    if run is None:
        return
    yield from _of_run(run, here)
    yield from _of_teams(run, here, now)
    if one.passed is not None:
        yield "securescan_gate_passed", here, 1.0 if one.passed else 0.0


def _of_run(run: Run, here: Mapping[str, str]) -> Iterator[Sample]:
    counts = run.target_counts
    yield "securescan_run_finished_timestamp_seconds", here, parse_rfc3339(run.finished).timestamp()
    yield "securescan_run_duration_seconds", here, run.duration
    for outcome, number in ((SCANNED, counts.scanned), (NOT_SCANNED, counts.not_scanned)):
        yield "securescan_targets", dict(here, outcome=outcome), number
    results = Counter(target.result for target in run.targets)
    for result in RESULTS:
        yield "securescan_target_results", dict(here, result=result), results[result]
    errors = Counter((error.code, error.reason) for error, targets in causes(run) for _target in targets)
    for (code, reason), number in sorted(errors.items()):
        yield "securescan_target_errors", dict(here, code=code, reason=reason), number
    yield "securescan_targets_carried", here, sum(target.carried is not None for target in run.targets)
    grades = evidence_grades(run)
    for grade in GRADES:
        yield "securescan_targets_by_evidence", dict(here, evidence=grade), grades[grade]
    if counts.selected:
        yield "securescan_coverage_ratio", here, (counts.scanned - counts.not_judged) / counts.selected
    seen = [moment for moment in map(_timestamp, (target.seen for target in run.targets)) if moment]
    if seen:
        yield "securescan_oldest_seen_timestamp_seconds", here, min(seen)
    for status in STATUSES:
        for severity in SEVERITIES:
            labels = dict(here, status=status, severity=severity)
            yield "securescan_controls", labels, run.controls.table[status][severity]
    yield "securescan_compliance_ratio", here, float(run.controls.exact_compliance / 100)


def _of_teams(run: Run, here: Mapping[str, str], now: datetime) -> Iterator[Sample]:
    """Every team of the run has a value for each severity, so that one without findings is told from one that is unknown."""
    findings = open_findings(run)
    shown = sorted({owner.team for owner in run.namespaces} | {team for team, _severity in findings})
    labels = {team: team if number < _MOST_TEAMS else OTHERS for number, team in enumerate(shown)}
    yield from _by_team(_BY_TEAM, findings, labels, here)
    try:
        overdue = run.deadlines.overdue(now) if run.deadlines else None
    except ScanError:
        return  # the gate says so
    if overdue is None:
        return
    yield from _by_team("securescan_overdue_findings", overdue.by_team(), labels, here)
    places: Counter[str] = Counter()
    for team, number in [*dict.fromkeys(labels, 0).items(), *overdue.places_by_team().items()]:
        places[labels.get(team, OTHERS)] += number
    for team, number in sorted(places.items()):
        yield "securescan_overdue_places", dict(here, team=team), number


def _by_team(
    name: str, found: Mapping[tuple[str, str], int], labels: Mapping[str, str], here: Mapping[str, str]
) -> Iterator[Sample]:
    numbers: Counter[tuple[str, str]] = Counter()
    for (team, severity), number in found.items():
        numbers[labels.get(team, OTHERS), severity] += number
    for team in sorted({*labels.values(), *(team for team, _severity in numbers)}):
        for severity in SEVERITIES:
            yield name, dict(here, team=team, severity=severity), numbers[team, severity]


def open_findings(run: Run) -> Counter[tuple[str, str]]:
    """The number of failed controls by (team, severity), each once for all replicas of a place."""
    teams = {owner.name: owner.team for owner in run.namespaces}
    severities = {(control.profile, control.id): control.severity for control in run.failed_controls}
    found = {
        (target.place_id, teams.get(target.namespace, ""), profile, control)
        for target in run.targets
        for profile, controls in target.failed.items()
        for control in controls
    }
    return Counter(
        (team, severities.get((profile, control), SEVERITIES[0])) for _place, team, profile, control in found
    )


def _timestamp(moment: str) -> float | None:
    """None for an empty text, and for what is no time."""
    try:
        return parse_rfc3339(moment).timestamp() if moment else None
    except ValueError:
        return None
