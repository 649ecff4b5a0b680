# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the reports of a run name targets, reasons and causes: the same words in each.

The texts hold what clusters and containers said: each report escapes them for its own format.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ..errors import ScanError
from ..results.deadlines import Overdue
from ..results.evidence import GRADE_WORDS, GRADES, worst_grade
from ..results.exception_record import ExceptionRecord
from ..results.limits import COMPLIANCE
from ..results.notes import ATTESTATION, WAIVER
from ..results.run import Run
from ..results.run_check import age_text
from ..results.status import FAIL, NOT_JUDGED, NOT_SCANNED, PASS
from ..results.target_record import FRESH, RESUMED, ErrorRecord, TargetRecord
from ..safe_text import one_line
from ..text_layout import number_of
from ..times import parse_rfc3339

RESULT_WORDS: dict[str, str] = {
    PASS: "PASS",
    FAIL: "FAIL",
    NOT_JUDGED: "NOT JUDGED",
    NOT_SCANNED: "NOT SCANNED",
}
# How the reasons for which containers are left out are shown; another word stands for itself.
_LEFT_OUT_WORDS: dict[str, str] = {
    "own_sidecar": "as sidecars of scans",
    "replica_alike": "as replicas that are alike",
    "finished": "of pods that have ended",
}
# Why a target was not scanned by its own run, in the order in which reports say it.
_CARRIED_WORDS: dict[str, str] = {
    FRESH: "not due: the results of earlier runs are carried over",
    RESUMED: "scanned by an interrupted run, which this one has brought to its end",
}
_MAX_LABEL = 400
# What ends within so many days of the run is told apart.
_SOON = 30
_MOST_WORKLOADS = 3
_MOST_UNMATCHED = 10
# Reasons that lower evidence, the most frequent first.
_MOST_REASONS = 5


def workload_label(target: TargetRecord) -> str:
    """namespace/workload; a bare pod is its own workload."""
    return one_line(f"{target.namespace}/{target.workload}", _MAX_LABEL)


def container_label(target: TargetRecord) -> str:
    """pod/container"""
    return one_line(f"{target.pod}/{target.container}", _MAX_LABEL)


def row_label(target: TargetRecord) -> str:
    """pod/container, and for how many replicas it stands where that is not itself alone."""
    replicas = f" (for {target.replicas})" if target.replicas > 1 else ""
    return f"{container_label(target)}{replicas}"


def approach_label(target: TargetRecord) -> str:
    """How it was reached, and how long before its run, where an earlier one did that."""
    age = f", {age_text(target.carried.age_seconds)} before" if target.carried else ""
    return f"{one_line(target.approach, _MAX_LABEL)}{age}"


def carried_lines(run: Run) -> list[str]:
    """What of the run is not of its own time or not of each container, a line each."""
    lines = []
    for why, text in _CARRIED_WORDS.items():
        ages = [
            target.carried.age_seconds
            for target in run.targets
            if target.carried and target.carried.why == why
        ]
        if ages:
            oldest = f", the oldest {age_text(max(ages))} before" if max(ages) else ""
            lines.append(f"{number_of(len(ages), 'target')} {text}{oldest}.")
    standing = [target.replicas for target in run.targets if target.replicas > 1]
    if standing:
        lines.append(
            f"{number_of(len(standing), 'target stands', 'targets stand')} for {sum(standing)} containers that are alike, of "
            "the same image and pod spec."
        )
    return lines


def target_label(target: TargetRecord) -> str:
    """namespace/pod/container"""
    return one_line(f"{target.namespace}/{target.pod}/{target.container}", _MAX_LABEL)


def reason_lines(run: Run, kind: str = "") -> list[str]:
    """The gate's reasons; what is said of several targets in the same words is one line. None without a gate.

    :param kind: one of KINDS_OF_REASONS; empty for all
    """
    targets = {target.target_id: target for target in run.targets}
    groups: dict[tuple[str, str], list[str]] = {}
    for reason in run.gate.reasons if run.gate else ():
        if run.gate is not None and kind in ("", run.gate.kind_of(reason)):
            groups.setdefault((reason.profile, reason.text), []).append(reason.target_id)
    lines = []
    for (profile, text), target_ids in groups.items():
        where = " on ".join(part for part in (profile, _who_of_ids(target_ids, targets)) if part)
        lines.append(one_line(f"{where}: {text}" if where else text))
    return lines


def reasons_line(run: Run) -> str:
    """How many reasons there are, and in how many lines they are told; empty without any."""
    number, lines = len(run.gate.reasons) if run.gate else 0, len(reason_lines(run))
    if not number:
        return ""
    return number_of(number, "reason") + (f" in {number_of(lines, 'line')}" if lines != number else "")


def decided_line(run: Run) -> str:
    """When the gate decided, and for whom; empty without a decision, or where it does not say."""
    if run.gate is None or not run.gate.decided_at:
        return ""
    by = f" by {one_line(run.gate.decided_by, _MAX_LABEL)}" if run.gate.decided_by else ""
    return f"Decided {one_line(run.gate.decided_at, _MAX_LABEL)}{by}."


def left_out_line(run: Run) -> str:
    """How many containers were left out beside the targets, and why; "" where there are none."""
    parts = [
        f"{number} {_LEFT_OUT_WORDS.get(word, one_line(word, _MAX_LABEL))}"
        for word, number in run.left_out.items()
        if number
    ]
    return "Left out: {}.".format(", ".join(parts)) if parts else ""


def _who_of_ids(target_ids: list[str], targets: Mapping[str, TargetRecord]) -> str:
    labels = [
        (target_label(targets[one]), workload_label(targets[one])) if one in targets else (one, one)
        for one in target_ids
    ]
    return _who(labels)


def targets_line(targets: Sequence[TargetRecord]) -> str:
    """Some targets in a few words: their names, or the number of many and the first of their workloads."""
    if len(targets) <= _MOST_WORKLOADS:
        return ", ".join(map(target_label, targets))
    return _who([(target_label(target), workload_label(target)) for target in targets])


def _who(labels: Sequence[tuple[str, str]]) -> str:
    """:param labels: of each target, the target's and its workload's"""
    if len(labels) == 1:
        return labels[0][0]
    workloads = list(dict.fromkeys(workload for _unused, workload in labels))
    more = len(workloads) - _MOST_WORKLOADS
    return "{} targets of {}{}".format(
        len(labels),
        ", ".join(workloads[:_MOST_WORKLOADS]),
        f" and {number_of(more, 'more workload')}" if more > 0 else "",
    )


def exception_until(record: ExceptionRecord, run: Run) -> str:
    """Until when a waiver or an attestation is in force, whether that is soon, and how old it is."""
    days = record.days_left(run.finished)
    soon = f", in {number_of(days, 'day')}" if days is not None and days <= _SOON else ""
    if record.kind == ATTESTATION:
        return f"{record.requested} to {record.expires}{soon}"
    until = f"until {record.expires}{soon}" if record.expires else "without end"
    age = record.age(run.finished)
    return until if age is None else f"{until}, {number_of(age, 'day')} old"


def exception_people(record: ExceptionRecord) -> str:
    """Its owner (of an attestation who attested), and who is behind it; empty where the entry does not say."""
    people = record.people() if record.kind == WAIVER else record.approval()
    return ", ".join(filter(None, [record.owner, people]))


def causes(run: Run) -> list[tuple[ErrorRecord, list[TargetRecord]]]:
    """Why targets were not scanned: (error, its targets), targets with the same cause and advice together."""
    groups: dict[tuple[str, str, str], tuple[ErrorRecord, list[TargetRecord]]] = {}
    for target in run.targets:
        error = target.error
        if error is not None:
            key = (error.reason, error.cause, error.advice)
            groups.setdefault(key, (error, []))[1].append(target)
    return list(groups.values())


def evidence_grades(run: Run) -> Counter[str]:
    """How many targets rest on evidence of which grade; what says none (of an older run) is not counted."""
    return Counter(target.evidence.grade for target in run.targets if target.evidence)


def worst_evidence(run: Run) -> str:
    """The worst grade that a target of the run rests on; empty where none says any."""
    return worst_grade(target.evidence for target in run.targets)


def skipped_lines(run: Run) -> list[str]:
    """A line for each profile that was skipped on targets, and the reason."""
    skipped = Counter(
        (profile, why) for target in run.targets for profile, why in target.skipped_profiles.items()
    )
    lines = [
        f"{one_line(profile, _MAX_LABEL)} was skipped on {number_of(number, 'target')}: {one_line(why, _MAX_LABEL)}"
        for (profile, why), number in skipped.most_common(_MOST_REASONS)
    ]
    more = len(skipped) - _MOST_REASONS
    return [
        *lines,
        *([f"{number_of(more, 'more profile')} skipped on targets, in summary.json."] if more > 0 else []),
    ]


def evidence_lines(run: Run) -> list[str]:
    """A line for each grade of evidence that there is, the worst first, then one for each reason that lowers it."""
    counts = evidence_grades(run)
    lines = [
        f"Evidence {grade}, {number_of(counts[grade], 'target')}: {GRADE_WORDS[grade]}."
        for grade in GRADES
        if counts[grade]
    ]
    reasons = Counter(
        reason for target in run.targets if target.evidence for reason in target.evidence.reasons
    )
    lines += [
        f"{number_of(number, 'target')}: {one_line(reason, _MAX_LABEL)}"
        for reason, number in reasons.most_common(_MOST_REASONS)
    ]
    more = len(reasons) - _MOST_REASONS
    return [*lines, *([number_of(more, "more reason") + " in the documents."] if more > 0 else [])]


def verdict(run: Run) -> str:
    """PASSED, FAILED or NOT DECIDED."""
    if run.gate is None:
        return "NOT DECIDED"
    return "PASSED" if run.gate.passed else "FAILED"


def overdue_moment(run: Run) -> str:
    """When the gate decided or, without a gate, when the run ended (RFC 3339)."""
    return run.gate.decided_at if run.gate and run.gate.decided_at else run.finished


def overdue_of(run: Run) -> Overdue | None:
    """What was late when the gate decided, or, without a gate, when the run ended; None for a run without deadlines, and where
    their file cannot be used, which is a reason for the gate to stay closed."""
    try:
        return run.deadlines.overdue(parse_rfc3339(overdue_moment(run))) if run.deadlines else None
    except (ScanError, ValueError):
        return None


def unmatched_lines(run: Run) -> list[str]:
    """What was named and gave no target, a line each; first whether that counts."""
    if not run.unmatched:
        return []
    gaps = len(run.gaps)
    counted = f"{number_of(gaps, 'counts', 'count')} as not scanned" if gaps else "allow_empty accepts that"
    said = f"Named, and gave no target ({counted}):"
    shown = [one_line(one.error.message, _MAX_LABEL) for one in run.unmatched[:_MOST_UNMATCHED]]
    more = len(run.unmatched) - len(shown)
    return [said, *shown, *([f"and {more} more, in summary.json"] if more > 0 else [])]


def scanned_line(run: Run) -> str:
    """How many targets were scanned, and how many of them were not judged."""
    if run.is_empty:
        return "nothing was to be scanned, which allow_empty accepts"
    counts = run.target_counts
    not_judged = f", {counts.not_judged} not judged" if counts.not_judged else ""
    carried = f", {counts.carried} of them by earlier runs" if counts.carried else ""
    return f"{counts.scanned} of {counts.selected} targets scanned{carried}{not_judged}"


def about_limits(run: Run) -> str:
    """The limits that hold though the threshold does not name them, and what compliance is asked of; empty without any."""
    if run.gate is None:
        return ""
    threshold, notes = run.gate.threshold, []
    named = ", ".join(f"{limit.key} {limit.value}" for limit in threshold.added_limits)
    if named:
        notes.append(f"In force though the threshold does not name them: {named}.")
    asked = [limit.key for limit in threshold.all_limits if limit.family == COMPLIANCE]
    if asked:
        notes.append(
            f"{' and '.join(asked)} is asked of each profile on each container; the total is of all controls together."
        )
    return " ".join(notes)
