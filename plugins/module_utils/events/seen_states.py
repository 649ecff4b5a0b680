# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a cluster an event source has seen already, kept beside the queue: after a restart it goes on from there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from ..results.checked_json import bad_results
from ..results.run_folder import json_bytes
from ..results.whole_file import read_own_file, write_failed, write_whole
from ..strict_json import load_json

_MOST_BYTES = 64 * 1024 * 1024
_DIGITS = 24


class SeenStates:
    """The states by the name of what has them, for one thing that is watched.

    :param watched: what it is, such as a cluster and a path of its API
    """

    def __init__(self, queue_folder: Path, watched: str) -> None:
        digest = hashlib.sha256(watched.encode("utf-8", "backslashreplace")).hexdigest()[:_DIGITS]
        self._path = queue_folder / "seen" / f"{digest}.json"
        self._watched = watched

    def read(self) -> dict[str, str] | None:
        """None where nobody has looked yet. :raises ScanError: bad_results"""
        try:
            value = load_json(read_own_file(self._path, _MOST_BYTES))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as reason:
            raise bad_results(
                str(self._path), f"cannot be read: {getattr(reason, 'strerror', '') or reason}"
            ) from None
        states = (
            value.get("states") if isinstance(value, dict) and value.get("watched") == self._watched else None
        )
        if not isinstance(states, dict) or not all(isinstance(one, str) for one in states.values()):
            raise bad_results(str(self._path), f"does not hold what was seen of {self._watched}")
        return states

    def write(self, states: Mapping[str, str]) -> None:
        """:raises ScanError: write_failed"""
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
        except OSError as reason:
            raise write_failed(self._path, reason) from None
        write_whole(self._path, json_bytes({"watched": self._watched, "states": dict(states)}), 0o600)
