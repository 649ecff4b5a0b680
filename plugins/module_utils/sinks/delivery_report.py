# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a push: the result of the module, and deliveries.json beside the outboxes.

schema           securescan.kubernetes/deliveries
schema_version   number; 1
deliveries       list with the last delivery to each system and destination for each cluster; the fields of Delivery
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..results.checked_json import JsonRecord
from ..results.target_record import ErrorRecord
from ..results.whole_file import read_own_file, write_whole
from ..strict_json import load_json

DELIVERIES_JSON = "deliveries.json"
SCHEMA, SCHEMA_VERSION = "securescan.kubernetes/deliveries", 1
_MODE = 0o600
_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Refused(JsonRecord):
    """An item that the system did not take."""

    subject: str
    run_id: str
    error: ErrorRecord


@dataclass(frozen=True)
class Delivery(JsonRecord):
    """One push of a cluster's runs to one system.

    :ivar run_id: the run that was pushed, empty where only the spool was flushed
    :ivar queued: how many items came in with this run (in check mode: would); 0 where it was there before
    :ivar queued_bytes: their bytes
    :ivar activities: how many of them are created, updated and closed
    :ivar delivered: items that the system took, of this run and of what was left from before
    :ivar already_there: items that it had already
    :ivar refused: items that it does not take, also from before; `refusals` are the first 20 of them
    :ivar spooled: items that are still to be sent, and their bytes
    :ivar started: RFC 3339
    :ivar duration: seconds
    :ivar requests: how many were sent to the system
    :ivar error: why the push ended before its end, or null
    """

    system: str
    destination: str
    cluster: str
    run_id: str
    queued: int
    queued_bytes: int
    activities: Mapping[str, int]
    delivered: int
    already_there: int
    refused: int
    refusals: tuple[Refused, ...]
    spooled: int
    spooled_bytes: int
    started: str
    duration: float
    requests: int
    error: ErrorRecord | None

    @property
    def is_complete(self) -> bool:
        """Whether the system has everything."""
        return not (self.refused or self.spooled or self.error)


def write_deliveries(folder: Path, deliveries: Sequence[Delivery]) -> None:
    """Puts them into deliveries.json, each in place of the last one to the same destination. What cannot be read there is
    replaced.

    :raises ScanError: write_failed
    """
    kept: dict[tuple[Any, ...], Any] = {}
    for given in [*_earlier(folder / DELIVERIES_JSON), *(one.to_json() for one in deliveries)]:
        kept[tuple(str(given.get(name)) for name in ("system", "destination", "cluster"))] = given
    document = {"schema": SCHEMA, "schema_version": SCHEMA_VERSION, "deliveries": list(kept.values())}
    write_whole(folder / DELIVERIES_JSON, json.dumps(document, indent=2).encode("ascii") + b"\n", _MODE)


def _earlier(path: Path) -> list[dict[str, Any]]:
    try:
        document = load_json(read_own_file(path, _MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return []
    given = document.get("deliveries") if isinstance(document, dict) else None
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
