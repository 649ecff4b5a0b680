# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deadlines of the last run before another: since when what it found is open."""

from __future__ import annotations

from ..errors import ScanError
from .deadlines import DEADLINES_JSON, Deadlines
from .previous_run import earlier_folders, is_of_other_server
from .run import Run, open_run

_MOST_OPENED = 30


def earlier_deadlines(run: Run, notes: list[str]) -> Deadlines | None:
    """Those of the last run of the same cluster that has some; None without one. Where its selection is another one, what the
    last run with the same selection knows besides is added: a narrower look can miss what is still there.

    :param run: with the folder that it is in. It need not be written yet
    :param notes: gets a sentence for each run whose deadlines cannot be used: what is open may then seem younger than it is
    """
    latest: Deadlines | None = None
    opened = 0
    for folder in earlier_folders(run, notes):
        if opened == _MOST_OPENED:
            break
        if not (folder / DEADLINES_JSON).exists():
            continue
        opened += 1
        try:
            earlier = open_run(str(folder))
            if earlier.cluster != run.cluster or is_of_other_server(earlier, run):
                continue
            found = earlier.deadlines
        except ScanError as error:
            notes.append(f"its deadlines were passed over: {error.message}")
            continue
        if found is not None and earlier.selection == run.selection:
            return latest.joined_with(found) if latest else found
        latest = latest or found
    return latest
