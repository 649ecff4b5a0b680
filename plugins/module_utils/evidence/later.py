# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that come into a folder of results after it was signed, as they should: reports and decisions.

They are named as not covered. All else that was added is a fault, because a reader of results could take it for a part of them.
"""

from __future__ import annotations

from ..reports.fleet_registry import FLEET_REPORTS
from ..reports.registry import REPORTS
from ..results.decisions import DECISIONS_FOLDER
from ..results.fleet_run import FLEET_JSON
from ..results.one_at_a_time import LOCK_FILE

_NAMES = frozenset(
    {
        DECISIONS_FOLDER,
        LOCK_FILE,
        *(report.file_name for report in REPORTS.values()),
        *(report.file_name for report in FLEET_REPORTS.values()),
    }
) - {FLEET_JSON}


def is_made_later(path: str) -> bool:
    """Whether a file within the folder can have been made after the signature, by its path."""
    return path.partition("/")[0] in _NAMES or is_in_progress(path)


def is_in_progress(path: str) -> bool:
    """Whether it is a file that a writer has not finished, or the lock of a gate: nobody reads it."""
    name = path.rpartition("/")[2]
    return name == LOCK_FILE or (name.startswith(".") and name.endswith(".part"))
