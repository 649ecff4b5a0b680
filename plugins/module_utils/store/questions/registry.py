# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every question that a store answers, and the views that mean the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..database import Database
from .age import AGE, TIME_TO_FIX
from .changes import CHANGES
from .compliance import COMPLIANCE
from .coverage import COVERAGE, NOT_SCANNED
from .open_findings import OPEN_AT, OPEN_NOW
from .places import IMAGE_PLACES, PLACE_HISTORY, RUNS
from .question import Question

QUESTIONS: Mapping[str, Question] = {
    question.name: question
    for question in (
        OPEN_NOW, OPEN_AT, CHANGES, COVERAGE, NOT_SCANNED, AGE, TIME_TO_FIX, COMPLIANCE, IMAGE_PLACES, PLACE_HISTORY, RUNS,
    )
}  # fmt: skip


def views(database: Database) -> Iterator[tuple[str, str]]:
    """(name, SELECT) of every view."""
    for question in QUESTIONS.values():
        for name, by in question.views.items():
            yield name, question.view(database, by)
