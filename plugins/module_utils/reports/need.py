# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which targets need somebody first. Tables and lists begin with these, because they end somewhere."""

from __future__ import annotations

from collections.abc import Iterable

from ..results.status import FAIL, NOT_JUDGED, NOT_SCANNED, PASS, SEVERITIES
from ..results.target_record import TargetRecord

# Among those that failed, the ones without a failed control (too low a compliance, for instance) come last.
_RANKS = {FAIL: 0, NOT_SCANNED: 1, NOT_JUDGED: 2, PASS: 3}


def by_need(targets: Iterable[TargetRecord]) -> list[TargetRecord]:
    """Failed ones first, those with the worst severity and most failures at the top, then those that were not scanned, not
    judged, and passed; equal ones in the order in which they came."""
    return sorted(targets, key=_need)


def _need(target: TargetRecord) -> tuple[int, int, int]:
    worst = SEVERITIES.index(target.worst_failed) if target.worst_failed else len(SEVERITIES)
    return _RANKS[target.result], worst, -sum(map(len, target.failed.values()))
