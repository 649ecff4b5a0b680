# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that say what people have decided about controls beforehand, and which of that counts."""

from __future__ import annotations

from ..results.amendments import Amendments, read_amendments
from .spec import Params, Spec
from .values import numbers_in_text


def amendments_option(params: Params) -> Amendments:
    """:raises ScanError: bad_waivers, bad_attestations, bad_exception_policy; numbers of the latter can be written as texts"""
    policy = params["exception_policy"]
    return read_amendments(
        params["waivers"], params["attestations"], None if policy is None else numbers_in_text(policy)
    )


def amendments_spec() -> Spec:
    return {
        "waivers": {"type": "raw"},
        "attestations": {"type": "raw"},
        "exception_policy": {"type": "raw"},
    }
