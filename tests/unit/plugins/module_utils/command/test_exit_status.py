# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of failure has an exit status, and those that a pipeline tells apart have their own."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.command.exit_status import (
    FAILED_OTHERWISE,
    FOUND_SOMETHING,
    MEANINGS,
    NOT_SEEN,
    UNREACHABLE,
    exit_status,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import KINDS


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("gate_failed", FOUND_SOMETHING),
        ("not_scanned", NOT_SEEN),
        ("not_judged", NOT_SEEN),
        ("bad_results", NOT_SEEN),
        ("not_permitted", NOT_SEEN),
        ("not_authenticated", NOT_SEEN),
        ("no_targets", NOT_SEEN),
        ("unreachable", UNREACHABLE),
        ("tls_failed", UNREACHABLE),
        ("bad_option", FAILED_OTHERWISE),
        ("bad_file", FAILED_OTHERWISE),
        ("bad_profile", FAILED_OTHERWISE),
        ("no_credential", FAILED_OTHERWISE),
        ("write_failed", FAILED_OTHERWISE),
        ("internal", FAILED_OTHERWISE),
    ],
)
def test_a_failure_has_the_status_of_its_kind(reason: str, status: int) -> None:
    assert exit_status(KINDS[reason].code, reason) == status


def test_no_failure_has_the_status_of_success() -> None:
    assert all(
        exit_status(kind.code, reason) in MEANINGS and exit_status(kind.code, reason) > 0
        for reason, kind in KINDS.items()
    )
