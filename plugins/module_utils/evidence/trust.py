# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results that a task goes on with, and the keys by which they must be signed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .keys import TrustedKey
from .verification import Verification, check_found, verify


class Trust:
    """Refuses what is not signed by one of the keys; without keys nothing is asked. Each folder is verified once."""

    def __init__(self, keys: Sequence[TrustedKey]) -> None:
        self._keys = tuple(keys)
        self._found: dict[Path, Verification] = {}

    def check(self, folder: str | Path, sha256: str) -> Verification | None:
        """The verification of the folder of a run or a fleet run; None where nothing is asked.

        :param sha256: as for `check_signed`
        :raises ScanError: as `check_signed`
        """
        if not self._keys:
            return None
        place = Path(folder).resolve()
        found = self._found.get(place)
        if found is None:
            found = self._found[place] = verify(place, self._keys)
        check_found(found, sha256)
        return found
