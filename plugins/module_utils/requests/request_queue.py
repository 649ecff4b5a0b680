# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue of requests: a folder that survives every process that works on it.

    <folder>/queued/<run id>.json    waits
    <folder>/running/<run id>.json   a scan has taken it, until a time that it holds
    <folder>/ended/<run id>.json     how it ended; the latest are kept

One process at a time changes it. A file appears when it is whole, and leaves its old place after that: whatever is killed, a
request is in one place or in two, and then the later state counts. Files have mode 0600, folders 0700.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from ..errors import ScanError
from ..results.checked_json import JsonObject, bad_results
from ..results.folder_owners import check_folder
from ..results.one_at_a_time import one_at_a_time
from ..results.run_folder import json_bytes
from ..results.whole_file import read_own_file, write_failed, write_whole
from ..strict_json import load_json
from .queued_request import ENDED, LOST, QUEUED, RUNNING, STATES, QueuedRequest
from .request import Request, read_request

MOST_QUEUED = 1000
MOST_ENDED = 1000
MOST_ATTEMPTS = 3
_FILE_MODE, _FOLDER_MODE = 0o600, 0o700
_MOST_BYTES = 256 * 1024
_DIGITS = 12
_SUFFIX = ".json"
_OTHER = "another process works on the queue"


@dataclass(frozen=True)
class Submitted:
    """`is_new` is false where the request was there before, by its key or because the same waits already."""

    queued: QueuedRequest
    is_new: bool


class RequestQueue:
    """The queue in a folder. Safe to use from several processes.

    :param now: seconds since 1970; a function, for tests
    """

    def __init__(self, folder: str | Path, now: Callable[[], float]) -> None:
        self.folder = Path(folder)
        self._now = now

    def create(self, allow_shared: bool = False) -> list[str]:
        """Makes the folders. Warnings about who else can change them.

        :raises ScanError: shared_folder, write_failed
        """
        warnings = check_folder(str(self.folder), allow_shared)
        try:
            for folder in (self.folder, *(self.folder / state for state in STATES)):
                folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        except OSError as reason:
            raise write_failed(self.folder, reason) from None
        return warnings

    def submit(self, request: Request, source: str, message: str = "") -> Submitted:
        """Puts a request at the queue's end, unless it is there.

        :param source: the way in, one of the operator's names; part of what a key means
        :param message: what the way in itself calls the message, for a request without a key of its sender. No sender can
            choose a key that is taken for it
        :raises ScanError: bad_request, for one that could not be read back; queue_full, write_failed, bad_results
        """
        read_request(request.given)
        ending = _ending(source, request.key, message)
        with one_at_a_time(self.folder, _OTHER):
            if request.key or message:
                known = self._with_ending(ending)
                if known is not None:
                    return Submitted(known, is_new=False)
            waiting = list(self._of(QUEUED))
            fingerprint = request.fingerprint
            for one in waiting:
                if one.request.fingerprint == fingerprint:
                    return Submitted(
                        self._write(replace(one, asked=min(one.asked + 1, 2**31 - 1))), is_new=False
                    )
            if len(waiting) >= MOST_QUEUED:
                raise ScanError(
                    "queue_full", f"{MOST_QUEUED} requests wait already", tried=f"queue in {self.folder}"
                )
            now = self._now()
            # the random part keeps others from making the scan's ServiceAccount beforehand
            request_id = (
                f"{datetime.fromtimestamp(now, timezone.utc):%Y%m%dt%H%M%S}-{ending}-{secrets.token_hex(4)}"
            )
            return Submitted(
                self._write(QueuedRequest(request_id, QUEUED, source, now, request)), is_new=True
            )

    def take(self, cluster: str, seconds: float) -> QueuedRequest | None:
        """The request for that cluster that waits longest, which then runs; None where none waits, or one runs already.

        :param seconds: how long the scan has; then the request waits again
        :raises ScanError: write_failed, bad_results
        """
        with one_at_a_time(self.folder, _OTHER):
            self._bring_back()
            if any(one.request.cluster == cluster for one in self._of(RUNNING)):
                return None
            waiting = [one for one in self._of(QUEUED) if one.request.cluster == cluster]
            if not waiting:
                return None
            first = min(waiting, key=lambda one: (one.received, one.request_id))
            now = self._now()
            return self._move(
                replace(first, state=RUNNING, taken=now, until=now + seconds, attempts=first.attempts + 1)
            )

    def end(self, request_id: str, outcome: str, run_dir: str = "", message: str = "") -> QueuedRequest:
        """Says how the request of a scan has ended.

        :raises ScanError: request_not_running, write_failed, bad_results
        """
        with one_at_a_time(self.folder, _OTHER):
            found = self._read(RUNNING, request_id)
            if found is None:
                raise ScanError(
                    "request_not_running",
                    f"no scan has taken the request {request_id}",
                    tried=f"end it in {self.folder}",
                )
            return self._end(found, outcome, run_dir, message)

    def find(self, request_id: str) -> QueuedRequest | None:
        """:raises ScanError: bad_results"""
        for state in reversed(STATES):
            found = self._read(state, request_id)
            if found is not None:
                return found
        return None

    def in_state(self, state: str) -> list[QueuedRequest]:
        """Those of a state, the oldest first. :raises ScanError: bad_results"""
        return sorted(self._of(state), key=lambda one: (one.received, one.request_id))

    def waiting_clusters(self) -> list[str]:
        """The clusters for which requests wait. :raises ScanError: bad_results"""
        return sorted({one.request.cluster for one in self._of(QUEUED)})

    def _bring_back(self) -> None:
        """What was taken by a scan that did not end in time waits again, or is lost after several attempts."""
        now = self._now()
        for one in list(self._of(RUNNING)):
            if one.until > now:
                continue
            if one.attempts >= MOST_ATTEMPTS:
                self._end(one, LOST, "", f"taken {one.attempts} times, and no scan has said how it ended")
            else:
                self._move(replace(one, state=QUEUED, taken=0.0, until=0.0))

    def _end(self, one: QueuedRequest, outcome: str, run_dir: str, message: str) -> QueuedRequest:
        ended = self._move(
            replace(one, state=ENDED, ended=self._now(), outcome=outcome, run_dir=run_dir, message=message)
        )
        for name in self._names(ENDED)[:-MOST_ENDED]:
            self._remove(ENDED, name)
        return ended

    def _move(self, one: QueuedRequest) -> QueuedRequest:
        self._write(one)
        for state in STATES:
            if state != one.state:
                self._remove(state, one.request_id)
        return one

    def _write(self, one: QueuedRequest) -> QueuedRequest:
        write_whole(self._path(one.state, one.request_id), json_bytes(one.to_json()), _FILE_MODE)
        return one

    def _remove(self, state: str, request_id: str) -> None:
        path = self._path(state, request_id)
        try:
            path.unlink(missing_ok=True)
        except OSError as reason:
            raise write_failed(path, reason) from None

    def _with_ending(self, ending: str) -> QueuedRequest | None:
        for state in reversed(STATES):
            for name in self._names(state):
                if f"-{ending}-" in name:
                    return self._read(state, name)
        return None

    def _of(self, state: str) -> Iterator[QueuedRequest]:
        """Those of a state, without those that a killed process has left there although they went on."""
        later = {name for one in STATES[STATES.index(state) + 1 :] for name in self._names(one)}
        for name in self._names(state):
            found = None if name in later else self._read(state, name)
            if found is not None:
                yield found

    def _names(self, state: str) -> list[str]:
        folder = self.folder / state
        try:
            return sorted(
                entry.name[: -len(_SUFFIX)]
                for entry in folder.iterdir()
                if entry.name.endswith(_SUFFIX) and not entry.name.startswith(".")
            )
        except OSError as reason:
            raise bad_results(str(folder), f"cannot be listed: {reason.strerror or reason}") from None

    def _read(self, state: str, request_id: str) -> QueuedRequest | None:
        path = self._path(state, request_id)
        try:
            data = read_own_file(path, _MOST_BYTES)
        except FileNotFoundError:
            return None
        except OSError as reason:
            raise bad_results(str(path), f"cannot be read: {reason.strerror or reason}") from None
        try:
            value = load_json(data)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise bad_results(str(path), "is no request")
        try:
            found = QueuedRequest.from_json(JsonObject(value, str(path)))
        except ScanError as error:
            if error.reason != "bad_request":
                raise
            raise bad_results(str(path), error.message) from None
        if (found.state, found.request_id) != (state, request_id):
            raise bad_results(str(path), "is the request of another file")
        return found

    def _path(self, state: str, request_id: str) -> Path:
        return self.folder / state / f"{request_id}{_SUFFIX}"


def _ending(source: str, key: str, message: str) -> str:
    """A part of a run id: of a message with a name always the same, so that it is found again."""
    if not key and not message:
        return secrets.token_hex(_DIGITS // 2)
    name = f"key\n{key}" if key else f"message\n{message}"
    return hashlib.sha256(f"{source}\n{name}".encode()).hexdigest()[:_DIGITS]
