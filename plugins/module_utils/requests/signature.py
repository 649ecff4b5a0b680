# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The signature of a request: that of Standard Webhooks, for which senders find libraries in many languages.

    webhook-id         the message's own name; the same for each attempt to send it
    webhook-timestamp  seconds since 1970
    webhook-signature  v1, and the Base64 of the HMAC-SHA256 of "<id>.<timestamp>.<body>"; several with blanks between them,
                       while a key is changed

An old time is refused, so that who has seen a message cannot send it again later. Within the tolerance the id tells it from a new
one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from ..errors import ScanError

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE = 300
_PREFIX = "whsec_"
_LEAST_KEY = 16
_MOST_SIGNATURES = 8
_ID = re.compile(r"[-A-Za-z0-9._:@/+=]{1,200}")
_TIME = re.compile(r"[0-9]{1,12}")


def signing_key(secret: str) -> bytes:
    """The bytes of a secret: Base64 after whsec_, else the text itself. :raises ScanError: bad_option, never with the secret"""
    key = secret.encode("utf-8")
    if secret.startswith(_PREFIX):
        try:
            key = base64.b64decode(secret[len(_PREFIX) :], validate=True)
        except (binascii.Error, ValueError):
            raise _bad_secret(f"after {_PREFIX} it must be Base64") from None
    if len(key) < _LEAST_KEY:
        raise _bad_secret(f"it has less than {_LEAST_KEY} bytes")
    return key


def check_signature(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: float) -> str:
    """The id of a message that one of the keys has signed.

    :param headers: by lower-case names
    :param now: seconds since 1970
    :raises ScanError: request_refused; what was expected is not told
    """
    message, moment = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    if not _ID.fullmatch(message) or not _TIME.fullmatch(moment):
        raise _refused(f"the headers {ID} and {TIMESTAMP} are missing or cannot be used")
    signed = f"{message}.{moment}.".encode("ascii") + body
    expected = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in keys]
    found = False
    for given in headers.get(SIGNATURE, "").split(" ")[:_MOST_SIGNATURES]:
        version, _comma, value = given.partition(",")
        for one in expected:
            # no early end: how long it takes tells nothing
            found |= hmac.compare_digest(one, value.encode("utf-8", "replace")) and version == "v1"
    if not found:
        raise _refused("the signature does not fit")
    # behind the signature: whose clock is wrong is told to nobody else
    if abs(now - int(moment)) > TOLERANCE:
        raise _refused(f"its time differs by more than {TOLERANCE} seconds from this machine's")
    return message


def sign(key: bytes, message: str, moment: int, body: bytes) -> dict[str, str]:
    """The three headers, for senders and tests."""
    signed = hmac.digest(key, f"{message}.{moment}.".encode("ascii") + body, hashlib.sha256)
    return {ID: message, TIMESTAMP: str(moment), SIGNATURE: "v1," + base64.b64encode(signed).decode("ascii")}


def check_token(token: str, headers: Mapping[str, str]) -> None:
    """That a bearer token is the expected one. :raises ScanError: request_refused"""
    given = headers.get("authorization", "")
    if not hmac.compare_digest(f"Bearer {token}".encode(), given.encode("utf-8", "replace")):
        raise _refused("the bearer token is missing or not the expected one")


def _refused(why: str) -> ScanError:
    return ScanError("request_refused", why, tried="request")


def _bad_secret(why: str) -> ScanError:
    return ScanError("bad_option", f"signing_secret: {why}", tried="reading the option signing_secret")
