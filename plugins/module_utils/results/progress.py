# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the scan of a cluster is, for whoever shows it: `progress.json` in the folder of the cluster's runs.

    schema, schema_version   securescan.kubernetes/progress, 1
    run_id                   the run that wrote it last
    started, updated         RFC 3339
    deadline                 RFC 3339, when the scan ends at the latest; null without a deadline
    selected                 targets
    done                     those that are finished, whatever came of them, with those that were carried over
    failing                  those of them that fail, before a gate decides
    not_scanned, carried     those of them that could not be scanned; that were taken over from an earlier run
    state                    running, or ended: its summary is written, or it was given up

A scan that is killed leaves `running` behind: `updated` then no longer grows. There are only numbers, times and the
run's id in it, nothing of what was seen.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..strict_json import dump_json, load_json
from .checked_json import JsonObject, JsonRecord, bad_results
from .whole_file import read_own_file, write_whole

PROGRESS_JSON = "progress.json"
SCHEMA = "securescan.kubernetes/progress"
SCHEMA_VERSION = 1
RUNNING = "running"
ENDED = "ended"
_MAX_BYTES = 64 * 1024


@dataclass(frozen=True)
class Progress(JsonRecord):
    """As the module's text says."""

    run_id: str
    started: str
    deadline: str | None
    selected: int
    done: int
    failing: int
    not_scanned: int
    carried: int
    state: str
    updated: str

    @classmethod
    def from_json(cls, given: JsonObject) -> Progress:
        """:raises ScanError: bad_results"""
        if given.values.get("schema") != SCHEMA or given.values.get("schema_version") != SCHEMA_VERSION:
            raise given.bad(f"is not a scan's progress of schema version {SCHEMA_VERSION}")
        numbers = {field.name: given.whole_number(field.name) for field in fields(cls) if field.type == "int"}
        return cls(
            run_id=given.text("run_id"),
            started=given.text("started"),
            deadline=given.text_or_none("deadline"),
            state=given.one_of("state", (RUNNING, ENDED)),
            updated=given.text("updated"),
            **numbers,
        )

    def to_json(self) -> dict[str, Any]:
        return {"schema": SCHEMA, "schema_version": SCHEMA_VERSION, **super().to_json()}


def write_progress(runs: Path, progress: Progress) -> None:
    """Writes it whole into the folder of a cluster's runs. :raises ScanError: write_failed"""
    write_whole(runs / PROGRESS_JSON, dump_json(progress.to_json()) + b"\n")


def read_progress(runs: Path) -> Progress | None:
    """What the last scan of a cluster wrote; None where none did. :raises ScanError: bad_results"""
    path = runs / PROGRESS_JSON
    try:
        data = read_own_file(path, _MAX_BYTES)
        if len(data) > _MAX_BYTES:
            raise bad_results(str(path), f"has more than {_MAX_BYTES} bytes")
        value = load_json(data)
    except FileNotFoundError:
        return None
    except OSError as reason:
        raise bad_results(str(path), f"cannot be read: {reason.strerror or reason}") from None
    except (ValueError, RecursionError):
        raise bad_results(str(path), "is not JSON") from None
    if not isinstance(value, dict):
        raise bad_results(str(path), "is not a scan's progress")
    return Progress.from_json(JsonObject(value, str(path)))
