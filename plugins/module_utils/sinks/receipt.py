# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a system has of a run: kept in the run's folder as pushed.json, so that nothing is sent twice.

schema           securescan.kubernetes/pushed
schema_version   number; 1
receipts         list of the last receipt for each sink and destination; the fields of Receipt
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import ScanError
from ..results.checked_json import JsonObject, JsonRecord
from ..results.target_record import ErrorRecord
from ..results.whole_file import write_whole
from ..strict_json import load_json

PUSHED_JSON = "pushed.json"
_SCHEMA = "securescan.kubernetes/pushed"
_SCHEMA_VERSION = 1
_KEY_DIGITS = 32


@dataclass(frozen=True)
class Failure(JsonRecord):
    """Why a target was not delivered. The next push sends it again."""

    target_id: str
    error: ErrorRecord


@dataclass(frozen=True)
class Receipt(JsonRecord):
    """One push of a run to one system.

    :ivar targets: how many targets of the run have a document
    :ivar delivered: ids of the targets that this push sent
    :ivar already_there: ids of those that an earlier push had sent
    """

    sink: str
    destination: str
    run_id: str
    targets: int
    delivered: tuple[str, ...]
    already_there: tuple[str, ...]
    failed: tuple[Failure, ...]

    @classmethod
    def from_json(cls, given: JsonObject) -> Receipt:
        return cls(
            given.text("sink"),
            given.text("destination"),
            given.text("run_id"),
            given.whole_number("targets"),
            given.texts("delivered"),
            given.texts("already_there"),
            tuple(
                Failure(failure.text("target_id"), ErrorRecord.from_json(failure.object("error")))
                for failure in given.objects("failed")
            ),
        )

    @property
    def there(self) -> tuple[str, ...]:
        """Ids of the targets that the system has."""
        return self.already_there + self.delivered

    @property
    def is_complete(self) -> bool:
        """Whether the system has every document of the run."""
        return len(self.there) == self.targets


def idempotency_key(run_id: str, target_id: str) -> str:
    """The same for each attempt to send a target of a run, so that a system can tell a repeated one: 32 hex
    digits."""
    text = json.dumps([run_id, target_id]).encode("ascii")
    return hashlib.sha256(text).hexdigest()[:_KEY_DIGITS]


def write_receipts(folder: Path, receipts: Iterable[Receipt]) -> None:
    """Write pushed.json. :raises ScanError: write_failed"""
    document = {
        "schema": _SCHEMA,
        "schema_version": _SCHEMA_VERSION,
        "receipts": [receipt.to_json() for receipt in receipts],
    }
    write_whole(folder / PUSHED_JSON, json.dumps(document, indent=2).encode("ascii") + b"\n")


def read_receipts(folder: Path) -> dict[tuple[str, str], Receipt]:
    """(sink, destination) -> its last receipt. Empty where nothing was pushed yet.

    :raises ScanError: bad_results
    """
    path = folder / PUSHED_JSON
    try:
        value = load_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ScanError("bad_results", f"{path}: cannot be read: {error.strerror}", tried="push") from None
    except (ValueError, RecursionError):
        raise ScanError("bad_results", f"{path}: is not JSON, or is cut off", tried="push") from None
    given = JsonObject(value if isinstance(value, dict) else {}, str(path))
    if given.values.get("schema") != _SCHEMA or given.values.get("schema_version") != _SCHEMA_VERSION:
        raise given.bad(f"is not a list of receipts of schema version {_SCHEMA_VERSION}")
    receipts = [Receipt.from_json(receipt) for receipt in given.objects("receipts")]
    return {(receipt.sink, receipt.destination): receipt for receipt in receipts}
