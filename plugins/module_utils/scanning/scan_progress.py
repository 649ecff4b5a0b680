# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a scan is: a line for the job's log, and `progress.json` for who looks at many clusters."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Callable

from ..errors import ScanError
from ..results.progress import ENDED, RUNNING, Progress, write_progress
from ..time_limit import TimeLimit
from .run_recorder import RunRecorder, utc_now

_LEAST_SECONDS = 1.0


class ScanProgress:
    """Shows the progress of one scan. A file that cannot be written is no reason to end it."""

    def __init__(
        self,
        runs: Path,
        recorder: RunRecorder,
        selected: int,
        limit: TimeLimit,
        say: Callable[[str], None],
    ) -> None:
        """
        :param runs: the folder of the cluster's runs
        :param selected: number of targets
        :param limit: when the scan ends at the latest; kept as an attribute
        :param say: shows a line
        """
        self.limit = limit
        self._runs = runs
        self._recorder = recorder
        self._selected = selected
        self._say = say
        left = limit.remaining()
        self._deadline = None if left is None else _text(datetime.now(timezone.utc) + timedelta(seconds=left))
        self._said: tuple[int, int] | None = None
        self._written = float("-inf")

    def begin(self) -> None:
        self._write(RUNNING)

    def show(self, _done: int = 0) -> None:
        """About once a second; a line only where something has changed."""
        recorder = self._recorder
        done = recorder.scanned + recorder.not_scanned
        if (done, recorder.not_scanned) != self._said:
            self._said = done, recorder.not_scanned
            self._say(f"{done}/{self._selected} containers done, {recorder.not_scanned} not scanned")
        if time.monotonic() - self._written >= _LEAST_SECONDS:
            self._write(RUNNING)

    def end(self) -> None:
        self._write(ENDED)

    def _write(self, state: str) -> None:
        recorder = self._recorder
        self._written = time.monotonic()
        with suppress(ScanError):
            write_progress(
                self._runs,
                Progress(
                    run_id=recorder.run_id,
                    started=recorder.started,
                    deadline=self._deadline,
                    selected=self._selected,
                    done=recorder.scanned + recorder.not_scanned,
                    failing=recorder.failing,
                    not_scanned=recorder.not_scanned,
                    carried=recorder.carried,
                    state=state,
                    updated=utc_now(),
                ),
            )


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
