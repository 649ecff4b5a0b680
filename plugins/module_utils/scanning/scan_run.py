# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scan does over its targets: several at a time; each outcome is recorded at once."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from ..access.renewal import LOST, Renewal, renew_access
from ..access.rights import covers
from ..access.scanner import ScannerAccess
from ..approaches.choice import NEVER, open_approach
from ..approaches.cross_check import with_cross_check
from ..approaches.image_side import with_image_side
from ..approaches.pod_entry import Means
from ..bounded_work import run_bounded
from ..cluster.rest import RestClient
from ..collector.request import CollectionRequest
from ..engines.engine import Engine
from ..errors import ScanError
from ..kept.kept_target import keep_target
from ..options.scan import ScanOptions
from ..targets.selection import SelectedTarget, SelectionReport, select_targets
from ..text_layout import were
from .granted_pods import pod_ref
from .run_recorder import RunRecorder, footprint_of_run, not_ended_warning
from .scan_access import scanners_of, witnesses_in
from .scan_progress import ScanProgress
from .scan_target import Outcome, ScanPlan, scan_target, unreached


def record_not_scanned(recorder: RunRecorder, outcome: Outcome) -> None:
    """Records a target without a judgement."""
    selected = outcome.selected
    recorder.add_not_scanned(
        selected.target.identity(),
        outcome.approach,
        outcome.duration,
        outcome.error.record() if outcome.error else {},
        spec_sha256=selected.template,
        replicas=selected.replicas,
    )


@dataclass(frozen=True)
class Scan:
    """What is to be scanned, and how. `engines` and `request` follow from the profiles of the options. `others`: what was
    selected besides, for which results of earlier runs stand. `resumed`: folders of interrupted runs that this one brings
    to their end."""

    options: ScanOptions
    engines: Sequence[Engine]
    request: CollectionRequest
    targets: Sequence[SelectedTarget]
    others: Sequence[SelectedTarget] = ()
    resumed: Sequence[Path] = ()

    def finish(self, recorder: RunRecorder) -> dict[str, Any]:
        """What the recorder gives as a part of the task's result."""
        selected = [one.target.identity() for one in (*self.targets, *self.others)]
        return recorder.finish(selected, self.resumed)


class ScanRun:
    """One scan with its access, from the first container to the summary."""

    def __init__(
        self,
        scan: Scan,
        recorder: RunRecorder,
        grantor: RestClient,
        access: Mapping[str, Any],
        *,
        progress: ScanProgress,
        say: Callable[[str], None],
        cancel: threading.Event,
    ) -> None:
        """
        :param access: as `scan_access_of` gives it
        :param say: shows a line
        :param progress: its time limit ends the run with what it has
        :param cancel: when it is set, the run ends with an error
        """
        limit = progress.limit
        self._scan = scan
        self._options = options = scan.options
        self._targets = scan.targets
        self._recorder = recorder
        self._grantor = grantor
        self._progress = progress
        self._say = say
        self._cancel = cancel
        self._limit = limit
        slots = threading.BoundedSemaphore(options.concurrency)
        self._access = ScannerAccess(grantor, grantor.connection, access, limit)
        means = Means(self._access, slots, options.limits, limit, scan.targets)
        self._approach = open_approach(means, options.approach)
        if options.approach.cross_check != NEVER:
            names = witnesses_in(options)
            self._approach = with_cross_check(self._approach, names, means, options.approach)
        if options.approach.image_side:
            self._approach = with_image_side(self._approach, means, options.approach)
        self._plan = ScanPlan(
            run_id=recorder.run_id,
            approach=self._approach,
            request=scan.request,
            engines=scan.engines,
            amendments=options.judging.amendments,
            keep_facts=options.keep_facts,
            timeout=options.limits.timeout,
            cancel=limit,
            scanners=scanners_of(access),
        )

    def run(self) -> dict[str, Any]:
        """The task's result: changed, footprint, requests, and what the recorder gives."""
        try:
            self._scan_all()
        finally:
            self._approach.close()
        added, not_ended = self._approach.added, self._approach.not_ended
        self._recorder.warnings += not_ended_warning(not_ended)
        return {
            "changed": bool(added),
            **self._scan.finish(self._recorder),
            "footprint": footprint_of_run(added, not_ended),
            "requests": {
                "grantor": self._grantor.requests,
                "scanner": self._access.requests,
                "exec": self._approach.execs,
            },
        }

    @property
    def ephemeral_containers(self) -> int:
        """How many the run has added to pods so far."""
        return len(self._approach.added)

    def _scan_all(self) -> None:
        lost: list[Outcome] = []
        left = iter(self._targets)
        for outcome in self._outcomes(self._in_time(left)):
            if self._options.renew_access and outcome.error and outcome.error.reason in LOST:
                lost.append(outcome)
            else:
                self._record(outcome)
        for selected in left:
            self._record(unreached(selected, self._approach.name))
        self._progress.show()
        if lost:
            self._scan_successors(lost)

    def _in_time(self, targets: Iterator[SelectedTarget]) -> Iterator[SelectedTarget]:
        """The targets for which there is still time."""
        while not self._limit.has_passed:
            try:
                yield next(targets)
            except StopIteration:
                return

    def _outcomes(self, targets: Iterable[SelectedTarget]) -> Iterator[Outcome]:
        for _selected, outcome in run_bounded(
            targets,
            lambda selected: scan_target(self._plan, selected),
            self._options.concurrency,
            self._cancel,
            self._progress.show,
        ):
            yield outcome

    def _scan_successors(self, lost: Sequence[Outcome]) -> None:
        """Once, for targets whose pod was replaced meanwhile: scans what stands in their place."""
        try:
            renewal = self._renewal(lost)
        except ScanError as error:
            if error.reason != "cancelled" or not self._limit.has_passed:
                raise
            for outcome in lost:
                self._record(outcome)
            return
        succeeded = {replaced.target.target_id for replaced, _successor in renewal.again}
        self._say(
            f"{were(len(lost), 'container')} replaced meanwhile, and what stands in the place of {len(succeeded)} "
            "of them is scanned now"
        )
        for outcome in lost:
            if outcome.selected.target.target_id not in succeeded:
                self._record(outcome)
        for outcome in self._outcomes([successor for _replaced, successor in renewal.again]):
            self._record(outcome)

    def _renewal(self, lost: Sequence[Outcome]) -> Renewal:
        cluster = lost[0].selected.target.cluster
        current = select_targets(self._grantor, cluster, self._options.targets.selection, SelectionReport())
        return renew_access(
            self._grantor,
            self._access,
            [outcome.selected for outcome in lost],
            [selected for selected in current if self._rights_over(selected) is not None],
            lambda selected: self._rights_over(selected) or "",
        )

    def _rights_over(self, selected: SelectedTarget) -> str | None:
        """The approach whose rights the access is to have over a successor: "" for those that it has
        elsewhere, None where each approach that enters its pod is forbidden."""
        approach, granted = self._options.approach, self._access.approach_in(selected.target.namespace)
        served = [name for name in approach.used() if covers(granted, name)]
        ref = pod_ref(selected.pod.object(), granted, served, approach.forbidden)
        return ref.approach if ref else None

    def _record(self, outcome: Outcome) -> None:
        judgement = outcome.judgement
        self._grantor.connection.log.tell(
            f"{outcome.selected.target.path}: by {outcome.approach}: "
            f"{outcome.error.reason if outcome.error else 'scanned'}, {outcome.duration:.2f} s"
        )
        if judgement is None:
            record_not_scanned(self._recorder, outcome)
            return
        self._recorder.add_scanned(
            judgement,
            outcome.notes,
            kept=(
                keep_target(
                    outcome.selected, outcome.facts, outcome.asked, judgement.method, judgement.started
                )
                if outcome.facts is not None
                else None
            ),
            drift=outcome.drift,
        )
