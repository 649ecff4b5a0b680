# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of modules that refuse what is not signed by a trusted key."""

from __future__ import annotations

from ..evidence.keys import TrustedKey, read_trusted_keys
from ..evidence.trust import Trust
from .spec import Params, Spec, bad_option


def trusted_keys_option(params: Params) -> tuple[TrustedKey, ...]:
    """The keys that are trusted; none where no signature is asked for.

    :raises ScanError: bad_option, where a signature is asked for and no key is named; bad_key; missing_library
    """
    given = [one for one in params["trusted_keys"] or () if one.strip()]
    if params["require_signature"] and not given:
        raise bad_option("require_signature", "a signature is asked for, and trusted_keys names no key")
    if params["trusted_keys"] and not given:
        raise bad_option("trusted_keys", "it has only empty texts")
    return read_trusted_keys(given) if given else ()


def trust_option(params: Params) -> Trust:
    """The same, for a task that goes on with results. :raises ScanError: as `trusted_keys_option`"""
    return Trust(trusted_keys_option(params))


def trust_spec() -> Spec:
    return {
        "trusted_keys": {"type": "list", "elements": "str", "no_log": False},
        "require_signature": {"type": "bool", "default": False},
    }
