# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a fleet run lies, and what is kept of it while it runs.

    <output folder>/_fleet/<fleet run id>/fleet.json             the fleet run (see fleet_run.py)
    <output folder>/_fleet/<fleet run id>/clusters/<name>.json   a cluster's entry, from the moment when its scan begins
    <output folder>/_fleet/<fleet run id>/running.json           the process that runs it, while it does
    <output folder>/_fleet/<fleet run id>/fleet.csv, ...         reports
    <output folder>/_fleet/latest                                symlink to the one that was finished last

Each cluster writes its own entry, so clusters never wait for each other, and what was found out survives the process.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from ..errors import ScanError
from ..safe_text import one_line
from ..strict_json import load_json
from ..times import parse_rfc3339
from .checked_json import JsonObject, bad_results
from .cluster_entry import ClusterEntry
from .fleet_run import FLEET_FOLDER, FLEET_JSON, FleetRun, is_fleet_run_id, open_fleet_run, write_fleet_run
from .run_folder import LATEST, cluster_folder, json_bytes, point_latest
from .whole_file import FOLDER_MODE, read_own_file, write_failed, write_whole

_CLUSTERS = "clusters"
_RUNNING = "running.json"
_ENTRY_SCHEMA = "securescan.kubernetes/fleet-entry"
_MAX_ENTRY_BYTES = 1024 * 1024
_HEAD_BYTES = 4096  # fleet.json begins with the id and the start
_STARTED = re.compile(rb'"started": ?"([^"\\]{1,64})"')


class FleetFolder:
    """The folder of one fleet run. Making one touches nothing.

    :raises ScanError: `bad_option` for an id that is no safe file name
    """

    def __init__(self, output_dir: str | Path, fleet_run_id: str) -> None:
        if not is_fleet_run_id(fleet_run_id):
            raise ScanError(
                "bad_option",
                f"{one_line(fleet_run_id, 80)!r} must be 1 to 63 letters, digits, dots, dashes or underscores, begin with a "
                f"letter or digit, and not be {LATEST!r}",
                tried="reading the option fleet_run_id",
            )
        self.output_dir = Path(output_dir)
        self.path = self.output_dir / FLEET_FOLDER / fleet_run_id
        self.fleet_run_id = fleet_run_id

    @property
    def exists(self) -> bool:
        return os.path.lexists(self.path)

    def create(self) -> None:
        """:raises ScanError: `write_failed`, also where the folder is there already"""
        try:
            self.path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            self.path.mkdir(mode=FOLDER_MODE)
            (self.path / _CLUSTERS).mkdir(mode=FOLDER_MODE)
        except OSError as reason:
            raise write_failed(self.path, reason) from None

    def open(self) -> FleetRun:
        """:raises ScanError: `bad_results`, also where the file is of another fleet run"""
        fleet_run = open_fleet_run(str(self.path))
        if fleet_run.fleet_run_id != self.fleet_run_id:
            raise bad_results(
                str(self.path / FLEET_JSON),
                f"is of the fleet run {fleet_run.fleet_run_id}, not of its folder's",
            )
        return fleet_run

    def write(self, fleet_run: FleetRun) -> Path:
        """:raises ScanError: `write_failed`"""
        return write_fleet_run(self.path, fleet_run)

    def write_entry(self, entry: ClusterEntry) -> Path:
        """Keeps what became of a cluster, in place of what was known of it. :raises ScanError: `write_failed`"""
        value = {"schema": _ENTRY_SCHEMA, "schema_version": 1, "entry": entry.to_json()}
        return write_whole(self._entry_file(entry.cluster), json_bytes(value))

    def entry(self, cluster: str) -> ClusterEntry | None:
        """What is kept of a cluster; None where its turn has not come. :raises ScanError: `bad_results`"""
        file = self._entry_file(cluster)
        try:
            data = read_own_file(file, _MAX_ENTRY_BYTES)
        except FileNotFoundError:
            return None
        except OSError as reason:
            raise bad_results(str(file), f"cannot be read: {reason.strerror or reason}") from None
        try:
            value = load_json(data[: _MAX_ENTRY_BYTES + 1])
        except (ValueError, RecursionError) as reason:
            raise bad_results(
                str(file), f"is not JSON, or is cut off: {one_line(str(reason), 200)}"
            ) from None
        if not isinstance(value, dict) or (value.get("schema"), value.get("schema_version")) != (
            _ENTRY_SCHEMA,
            1,
        ):
            raise bad_results(str(file), "is not an entry of a fleet run of schema version 1")
        entry = ClusterEntry.from_json(JsonObject(value, str(file)).object("entry"))
        if entry.cluster != cluster:
            raise bad_results(str(file), f"is not about {one_line(cluster, 80)}")
        return entry

    def _entry_file(self, cluster: str) -> Path:
        return self.path / _CLUSTERS / f"{cluster_folder('', cluster).name}.json"

    def mark_running(self, pid: int) -> None:
        """Keeps which process runs it. :raises ScanError: `write_failed`"""
        value = {"machine": socket.gethostname(), "pid": pid, "began": _began(pid)}
        write_whole(self.path / _RUNNING, json_bytes(value))

    def mark_ended(self) -> None:
        """:raises ScanError: `write_failed`"""
        try:
            (self.path / _RUNNING).unlink(missing_ok=True)
        except OSError as reason:
            raise write_failed(self.path / _RUNNING, reason) from None

    @property
    def is_running(self) -> bool:
        """Whether the process that runs it lives on this machine. Of another machine nothing can be told, which counts as no."""
        try:
            value = load_json(read_own_file(self.path / _RUNNING, _HEAD_BYTES))
        except (OSError, ValueError, RecursionError):
            return False
        if not isinstance(value, dict) or value.get("machine") != socket.gethostname():
            return False
        pid, began = value.get("pid"), value.get("began")
        return isinstance(pid, int) and isinstance(began, str) and bool(began) and _began(pid) == began

    def mark_latest(self) -> None:
        """Points `latest` to this fleet run, in one step. :raises ScanError: `write_failed`"""
        point_latest(self.path)


def _began(pid: int) -> str:
    """When a process began, in the kernel's ticks, and by whom its pid is told from an earlier one's; empty where it is gone."""
    try:
        return (
            Path(f"/proc/{pid}/stat")
            .read_text(encoding="ascii", errors="replace")
            .rpartition(")")[2]
            .split()[19]
        )
    except (OSError, IndexError):
        return ""


def new_fleet_run_id(now: datetime) -> str:
    """An id that sorts by time, such as 20261123t130000-1f9a2c. :param now: with its time zone"""
    return f"{now.astimezone(timezone.utc):%Y%m%dt%H%M%S}-{secrets.token_hex(3)}"


def merged_fleet_run_id(ids: Iterator[str] | list[str]) -> str:
    """The id of what is made of these fleet runs: the same, whatever their order."""
    return "merged-" + hashlib.sha256("\n".join(sorted(set(ids))).encode("ascii")).hexdigest()[:16]


@dataclass(frozen=True)
class KnownFleetRun:
    """A fleet run in the output folder, by the head of its file."""

    started: datetime
    folder: FleetFolder


def fleet_runs_of(output_dir: str | Path) -> list[KnownFleetRun]:
    """All fleet runs of an output folder that say when they began, the latest first. No link is followed."""
    above = Path(output_dir) / FLEET_FOLDER
    try:
        with os.scandir(above) as entries:
            names = [
                entry.name
                for entry in entries
                if entry.is_dir(follow_symlinks=False) and is_fleet_run_id(entry.name)
            ]
    except FileNotFoundError:
        return []
    except OSError as reason:
        raise bad_results(str(above), f"cannot be listed: {reason.strerror or reason}") from None
    found = []
    for name in names:
        folder = FleetFolder(output_dir, name)
        started = _started(folder.path / FLEET_JSON)
        if started is not None:
            found.append(KnownFleetRun(started, folder))
    return sorted(found, key=lambda one: (one.started, one.folder.fleet_run_id), reverse=True)


def _started(file: Path) -> datetime | None:
    try:
        match = _STARTED.search(read_own_file(file, _HEAD_BYTES))
        return parse_rfc3339(match.group(1).decode("ascii", "replace")) if match else None
    except (OSError, ValueError, OverflowError):
        return None
