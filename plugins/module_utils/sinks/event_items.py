# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings as items of a format of events, for sinks that send one event a message."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..errors import ScanError
from ..reports.event import EventFormat, EventSource
from ..reports.event_registry import EVENT_FORMATS
from ..suggestions import unknown_name
from .item import Item
from .pushed import Pushed
from .sink_options import SinkOptions


def event_format(options: SinkOptions, default: str = "json") -> EventFormat:
    """The format that the options ask for. :raises ScanError: bad_option"""
    name = options.format or default
    if name not in EVENT_FORMATS:
        raise ScanError(
            "bad_option",
            unknown_name("format", name[:100], EVENT_FORMATS),
            tried="reading the option format",
        )
    return EVENT_FORMATS[name]


def event_items(pushed: Pushed, event: EventFormat) -> Iterator[Item]:
    """An item for each finding that the system is to be told of."""
    source = EventSource.of(pushed.run)
    for finding in pushed.findings():
        value = event.encode(source, finding.target, finding.verdict, finding.activity)
        yield finding.item(source.run_id, json.dumps(value, separators=(",", ":")).encode("ascii"))
