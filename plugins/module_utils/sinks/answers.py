# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sinks make of the answers of systems that say for each item what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ScanError
from ..results.target_record import ErrorRecord
from ..safe_text import server_text
from ..strict_json import load_json


def refused(reason: str, message: str, tried: str, secrets: tuple[str, ...] = ()) -> ErrorRecord:
    """Why an item was not taken; the system's own words are made harmless."""
    error = ScanError(
        reason,
        server_text(message, secrets),
        tried=tried,
        cause=_CAUSES.get(reason, "The system did not take the item."),
        advice=_ADVICE.get(reason, "See the system's message."),
    )
    return ErrorRecord(**error.record())


_CAUSES = {
    "invalid_request": "The system refused the item itself.",
    "throttled": "The system asked for less traffic.",
    "server_error": "The system failed.",
    "not_permitted": "The credential is not allowed to write the item.",
}
_ADVICE = {
    "invalid_request": "See the system's message: its schema, its template or its limits do not fit the item.",
    "throttled": "The item is sent again.",
    "server_error": "The item is sent again. If it stays, look at the system's log.",
    "not_permitted": "Let the owner of the system grant the credential what the message names.",
}


def reply_object(body: bytes, tried: str) -> Mapping[str, Any]:
    """A reply that is one JSON object. :raises ScanError: bad_reply"""
    try:
        value = load_json(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise bad_reply("the answer is not a JSON object", tried)
    return value


def bad_reply(message: str, tried: str) -> ScanError:
    return ScanError(
        "bad_reply",
        message,
        tried=tried,
        cause="The server answered with something that was not expected.",
        advice="Check that the URL is that of the system, and that no proxy alters its answers.",
    )


def bad_option(option: str, message: str) -> ScanError:
    return ScanError("bad_option", message, tried=f"reading the option {option}")
