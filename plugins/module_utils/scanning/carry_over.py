# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scan is to do, by its options and by what earlier runs have left; and what it takes over from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable

from ..approaches.choice import NEVER
from ..errors import ScanError
from ..options.scan import ScanOptions
from ..results.earlier_results import EarlierResults, InterruptedResults
from ..results.known_results import KnownResults
from ..results.place import Place
from ..results.producer import VERSION
from ..targets.selection import SelectedTarget
from ..text_layout import number_of
from .agenda import Agenda, AgendaMaker, Terms
from .run_recorder import RunRecorder


class CarryOver:
    """The agenda of one scan. `resumed`: folders of interrupted runs with the same selection."""

    def __init__(
        self,
        options: ScanOptions,
        runs: Path,
        cluster: str,
        cluster_uid: str | None,
        targets: Sequence[SelectedTarget],
        *,
        selection: Mapping[str, Any],
        is_ours: bool,
        store: KnownResults | None = None,
    ) -> None:
        """
        :param runs: the folder of the cluster's runs
        :param selection: as the operator gave it: only a run with the same one is resumed
        :param is_ours: whether nobody else can write to the folder; else nothing in it is believed
        :param store: what is known besides; it goes before the folders of earlier runs
        """
        times, now = options.times, datetime.now(timezone.utc)
        interrupted, known = None, store
        if is_ours and times.resume:
            interrupted = InterruptedResults(runs, cluster, cluster_uid, selection, times.resume_max_age)
        if is_ours and known is None:
            places = {Place.of(selected.target).id for selected in targets}
            known = EarlierResults(runs, cluster, cluster_uid, places)
        self.resumed: Sequence[Path] = interrupted.folders if interrupted is not None else ()
        self._terms = _terms(options, now)
        self.agenda: Agenda = AgendaMaker(self._terms, now).make(
            targets,
            known,
            interrupted,
            resume_max_age=times.resume_max_age,
            due_after=times.due_after,
            due_only=times.due_only,
            is_same_server=cluster_uid is not None,
            selects_whole_workloads=options.targets.selection.takes_whole_workloads,
        )

    def take_over(self, recorder: RunRecorder, say: Callable[[str], None]) -> list[SelectedTarget]:
        """Records what earlier runs have scanned. What of it cannot be used is scanned after all.

        :returns: the containers that earlier results stand for
        :raises ScanError: write_failed
        """
        covered: list[SelectedTarget] = []
        unusable = 0
        for taken in self.agenda.taken_over:
            try:
                recorder.add_carried(taken, self._terms)
            except ScanError as error:
                if error.reason == "write_failed":
                    raise
                self.agenda.give_back(taken)
                unusable += 1
            else:
                covered += taken.stands_for
        if covered:
            say(self.text(len(covered)))
        if unusable:
            say(f"{number_of(unusable, 'earlier result')} cannot be used: scanned again")
        return covered

    def text(self, number: int) -> str:
        return f"{number_of(number, 'container')} need no scan: results of earlier runs are carried over"


def _terms(options: ScanOptions, now: datetime) -> Terms:
    return Terms(
        profiles={profile.name: profile.sha256 for profile in options.judging.profiles},
        amendments_sha256=options.judging.amendments.sha256(now),
        inputs_sha256=options.judging.inputs_sha256,
        collection_version=VERSION,
        approaches=options.approach.chosen(),
        drift_paths=options.drift_paths,
        facts=options.keep_facts,
        cross_check=options.approach.cross_check != NEVER,
    )
