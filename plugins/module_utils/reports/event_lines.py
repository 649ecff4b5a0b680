# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of one event a line."""

from __future__ import annotations

from typing import TextIO

from ..results.run import Run
from .event import EventFormat, EventSource, EventTexts, run_events


def write_event_lines(form: EventFormat, run: Run, stream: TextIO) -> None:
    texts = EventTexts(form, EventSource.of(run))
    for event in run_events(run):
        stream.write(texts.text(event) + "\n")
