# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has finished so far, so that an interrupted one loses no more than what was under way: `journal.jsonl` in
its folder, until its summary is written.

The first line is the run's summary as it would be without any target. Each further line is a target that was scanned:

    {target: as in a summary, notes: [{about, control_id, kind, text}]}

Lines are only ever added. One that is cut off ends the journal: what comes after it is not read. The target names the
SHA-256 of its document, so a document that was not written whole is found out.

The process that writes a journal holds a lock on it. A journal without its lock is that of a run that was interrupted.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..strict_json import dump_json, load_json
from .checked_json import JsonObject
from .notes import ATTESTATION, WAIVER, Note
from .run import Run
from .target_record import TargetRecord
from .whole_file import FILE_MODE, read_own_file, write_failed

JOURNAL = "journal.jsonl"
_MOST_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True)
class Journal:
    """An interrupted run as far as it came: `run` without targets, and those that were scanned."""

    run: Run
    targets: tuple[tuple[TargetRecord, tuple[Note, ...]], ...]


class JournalWriter:
    """The journal of a run that is under way. Not safe for several threads.

    :raises ScanError: write_failed, here and at every line
    """

    def __init__(self, folder: Path, run: Run) -> None:
        """:param run: without targets"""
        self._path = folder / JOURNAL
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._descriptor = os.open(self._path, flags, FILE_MODE)
        except OSError as reason:
            raise write_failed(self._path, reason) from None
        _lock(self._descriptor)
        self._add(run.to_json())

    def add(self, target: TargetRecord, notes: Sequence[Note]) -> None:
        """A target whose document is written."""
        self._add(
            {"target": target.to_json(), "notes": [{"about": note.about, **note.to_json()} for note in notes]}
        )

    def remove(self) -> None:
        """When the run's summary is written, which says all that the journal said."""
        try:
            # where files cannot be locked, a later run can have taken it for an interrupted one's
            self._path.unlink(missing_ok=True)
        except OSError as reason:
            raise write_failed(self._path, reason) from None
        finally:
            self.close()

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _add(self, line: dict[str, Any]) -> None:
        data = dump_json(line) + b"\n"
        try:
            written = os.write(self._descriptor, data)
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError as reason:
            raise write_failed(self._path, reason) from None


def has_journal(folder: Path) -> bool:
    """Whether a folder is that of a run that was begun and is not finished."""
    return (folder / JOURNAL).is_file()


def read_journal(folder: Path) -> Journal | None:
    """The journal of an interrupted run; None where there is none, the run is still under way, or it was cut off before
    its first target.

    :raises ScanError: bad_results, for a first line that is no run's summary
    """
    path = folder / JOURNAL
    try:
        if _is_locked(path):
            return None
        data = read_own_file(path, _MOST_BYTES)
    except OSError:
        return None
    head, *lines = data.split(b"\n")
    values = [_value(line) for line in (head, *lines[:-1])]  # behind the last line feed is what was cut off
    if len(data) > _MOST_BYTES or not values or values[0] is None or not lines:
        return None
    run = Run.from_json(values[0], str(path), str(folder))
    targets: list[tuple[TargetRecord, tuple[Note, ...]]] = []
    for value in values[1:]:
        if value is None:
            break
        given = JsonObject(value, str(path), f"line {len(targets) + 2}")
        try:
            targets.append((TargetRecord.from_json(given.object("target")), _notes(given)))
        except ScanError:
            break
    return Journal(run, tuple(targets))


def remove_journal(folder: Path) -> None:
    """Nothing of that run is needed any longer. One that cannot be removed is left: it grows too old by itself."""
    try:
        if not _is_locked(folder / JOURNAL):
            (folder / JOURNAL).unlink()
    except OSError:
        return


def _notes(given: JsonObject) -> tuple[Note, ...]:
    return tuple(
        Note.from_json(note, note.one_of("about", (WAIVER, ATTESTATION))) for note in given.objects("notes")
    )


def _value(line: bytes) -> dict[str, Any] | None:
    try:
        value = load_json(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _lock(descriptor: int) -> None:
    """A file system without locks does not keep a run from being scanned: its journal then looks interrupted to others, who
    take over what it has finished, and no more."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return


def _is_locked(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as reason:
        return reason.errno in (errno.EWOULDBLOCK, errno.EACCES)
    finally:
        os.close(descriptor)
    return False
