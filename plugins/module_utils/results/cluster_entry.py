# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of one cluster in a fleet run: its run, or why it has none. One entry of `clusters` in fleet.json."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from .checked_json import JsonObject, JsonRecord
from .evidence import GRADES, worst_grade
from .run import Run
from .status import NOT_JUDGED, NOT_SCANNED, SCANNED, SEVERITIES, STATUSES
from .target_record import ErrorRecord

PARTLY_SCANNED = "partly_scanned"
UNREACHABLE = "unreachable"
REFUSED = "refused"
BROKEN = "broken"
OUT_OF_TIME = "out_of_time"
NOT_REACHED = "not_reached"
# What each state means, for people; in the order in which they need somebody, the first most.
STATE_WORDS: dict[str, str] = {
    BROKEN: "its scan ended with an error, or was killed",
    REFUSED: "it did not let the credential do what a scan needs",
    UNREACHABLE: "it did not answer",
    OUT_OF_TIME: "its time ended before its scan did",
    NOT_REACHED: "its turn did not come",
    NOT_SCANNED: "none of its containers could be scanned",
    PARTLY_SCANNED: "some of its containers could not be scanned",
    SCANNED: "all of its containers were scanned",
}
STATES: tuple[str, ...] = tuple(STATE_WORDS)
# States of a scan that went as far as it could. A cluster in any other one has to be scanned again.
WHOLE_STATES = frozenset({SCANNED, PARTLY_SCANNED, NOT_SCANNED})

GATE_PASSED = "passed"
GATE_NOT_PASSED = "failed"
# The words of `gate`; the last one where no gate decided.
GATES: tuple[str, ...] = (GATE_PASSED, GATE_NOT_PASSED, NOT_SCANNED, NOT_JUDGED, "")

_RUN_DIR = re.compile(r"[a-z0-9][a-z0-9._~-]{0,127}/[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_GROUPS = 100
_LONGEST_NAME = 1_000
_OF_RUN = ("run_id", "run_dir", "summary_sha256", "started", "finished", "oldest_seen")


@dataclass(frozen=True)
class TargetNumbers(JsonRecord):
    """Containers of a cluster. `carried` are among those that were scanned: an earlier scan's results stand for them."""

    selected: int = 0
    scanned: int = 0
    judged: int = 0
    carried: int = 0

    @classmethod
    def from_json(cls, given: JsonObject) -> TargetNumbers:
        numbers = cls(**{each.name: given.whole_number(each.name) for each in fields(cls)})
        if not 0 <= numbers.judged <= numbers.scanned <= numbers.selected or not (
            0 <= numbers.carried <= numbers.scanned
        ):
            raise given.bad(f"the numbers of {given.place} do not fit together")
        return numbers


@dataclass(frozen=True)
class ClusterEntry(JsonRecord):
    """A cluster's line in fleet.json.

    `cluster` is its name in results, `host` that of its inventory host, which `--limit` takes. `groups` says what it belongs
    to: provider, region, version, as the inventory names them. `gate` is one of GATES, `reason` the reason of the error or of
    the gate that did not open. `run_dir` is within the output folder, `<cluster's folder>/<run id>`, and `summary_sha256` what
    its summary must hash to; both are empty without a run. Times are RFC 3339, `duration` is in seconds. `controls` is a number
    by status, `compliance` a percentage or None. `oldest_seen` is when the oldest of its results was collected.
    """

    cluster: str
    host: str
    groups: Mapping[str, str]
    state: str
    gate: str = ""
    reason: str = ""
    error: ErrorRecord | None = None
    run_id: str = ""
    run_dir: str = ""
    summary_sha256: str = ""
    cluster_uid: str | None = None
    started: str = ""
    finished: str = ""
    duration: float = 0.0
    targets: TargetNumbers = TargetNumbers()
    controls: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(STATUSES, 0))
    compliance: int | None = None
    worst_failed: str = ""
    evidence: str = ""
    oldest_seen: str = ""

    @classmethod
    def of_run(
        cls, cluster: str, host: str, groups: Mapping[str, str], run: Run, run_dir: str
    ) -> ClusterEntry:
        """The entry of a cluster that has a run, which was opened from its folder."""
        counts, failed = run.target_counts, run.failed_controls
        gate = "" if run.gate is None else _gate_word(run.gate.passed, run.gate.kind)
        return cls(
            cluster=cluster,
            host=host,
            groups=groups,
            state=_state_of(run),
            gate=gate,
            reason=run.gate.kind if run.gate else "",
            run_id=run.run_id,
            run_dir=run_dir,
            summary_sha256=run.sha256,
            cluster_uid=run.cluster_uid,
            started=run.started,
            finished=run.finished,
            duration=run.duration,
            targets=TargetNumbers(
                counts.selected, counts.scanned, counts.scanned - counts.not_judged, _carried(run)
            ),
            controls={status: run.controls.of(status) for status in STATUSES},
            compliance=run.controls.compliance,
            worst_failed=failed[0].severity if failed else "",
            evidence=worst_grade(target.evidence for target in run.targets),
            oldest_seen=_oldest_seen(run),
        )

    @classmethod
    def from_json(cls, given: JsonObject) -> ClusterEntry:
        """:raises ScanError: bad_results, where a key does not fit"""
        error = given.object_or_none("error")
        groups, controls = given.object("groups"), given.object("controls")
        names = ("cluster", "host", "reason", *_OF_RUN)
        entry = cls(
            **{name: given.text(name) for name in names},
            groups={name: groups.text(name) for name in groups.values},
            state=given.one_of("state", STATES),
            gate=given.one_of("gate", GATES),
            error=ErrorRecord.from_json(error) if error else None,
            cluster_uid=given.text_or_none("cluster_uid"),
            duration=given.number("duration"),
            targets=TargetNumbers.from_json(given.object("targets")),
            controls={status: controls.whole_number(status) for status in STATUSES},
            compliance=None if given.values.get("compliance") is None else given.whole_number("compliance"),
            worst_failed=given.one_of("worst_failed", (*SEVERITIES, "")),
            evidence=given.one_of("evidence", (*GRADES, "")),
        )
        entry._check(given)
        return entry

    def _check(self, given: JsonObject) -> None:
        if not 0 < len(self.cluster) <= _LONGEST_NAME or not 0 < len(self.host) <= _LONGEST_NAME:
            raise given.bad(
                f"{given.place}: cluster and host must be names of 1 to {_LONGEST_NAME} characters"
            )
        if len(self.groups) > _MOST_GROUPS:
            raise given.bad(f"{given.where('groups')} has more than {_MOST_GROUPS} keys")
        if self.run_dir and not _RUN_DIR.fullmatch(self.run_dir):
            raise given.bad(f"{given.where('run_dir')} must be <cluster's folder>/<run id>")
        if bool(self.run_dir) != bool(_SHA256.fullmatch(self.summary_sha256)) or (
            bool(self.run_dir) != bool(self.run_id)
        ):
            raise given.bad(f"{given.place}: a run has an id, a folder and the SHA-256 of its summary")
        if self.state in WHOLE_STATES and not self.has_run:
            raise given.bad(f"{given.place}: what is {self.state} has a run")
        if self.state in WHOLE_STATES and self.error is not None:
            raise given.bad(f"{given.place}: what is {self.state} has no error")
        if self.gate and not self.has_run:
            raise given.bad(f"{given.place}: a gate decides on a run, and there is none")

    @property
    def has_run(self) -> bool:
        return bool(self.run_dir)

    @property
    def is_scanned(self) -> bool:
        """Whether a container of it was scanned, or none was to be."""
        return self.has_run and (self.targets.scanned > 0 or self.targets.selected == 0)

    @property
    def is_whole(self) -> bool:
        """Whether its scan went as far as it could, so that it need not be scanned again."""
        return self.state in WHOLE_STATES

    @property
    def passed(self) -> bool:
        return self.gate == GATE_PASSED

    def as_of(self, run: Run) -> ClusterEntry:
        """The same with all that its run says, whatever the entry said of it."""
        entry = ClusterEntry.of_run(self.cluster, self.host, self.groups, run, self.run_dir)
        return entry.with_error(self.state, self.error) if self.error else entry

    def with_error(self, state: str, error: ErrorRecord) -> ClusterEntry:
        """The entry of a cluster whose scan ended with an error, whatever run it has."""
        return replace(self, state=state, reason=error.reason, error=error)


def _state_of(run: Run) -> str:
    counts = run.target_counts
    if counts.selected == 0 or counts.not_scanned == 0:
        return SCANNED
    return PARTLY_SCANNED if counts.scanned else NOT_SCANNED


def _gate_word(passed: bool, kind: str) -> str:
    if passed:
        return GATE_PASSED
    return kind if kind in (NOT_SCANNED, NOT_JUDGED) else GATE_NOT_PASSED


def _carried(run: Run) -> int:
    return sum(getattr(target, "carried", None) is not None for target in run.targets if target.is_scanned)


def _oldest_seen(run: Run) -> str:
    """The start of the run where its targets do not say when they were seen."""
    seen = [getattr(target, "seen", "") or run.started for target in run.targets if target.is_scanned]
    return min(seen, default="")
