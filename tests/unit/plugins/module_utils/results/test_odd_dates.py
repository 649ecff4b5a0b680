# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dates of waivers and attestations that no calendar has: an error that names them, never a traceback."""

from __future__ import annotations

import datetime
import random

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.attestations import (
    apply_attestations,
    load_attestations,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.waivers import (
    apply_waivers,
    load_waivers,
)
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_profile,
    make_target,
)

NOW = datetime.datetime(2026, 11, 23, tzinfo=datetime.timezone.utc)
IDENTITY = make_target().identity()
BEYOND = ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00")
ROUNDS = 2500


def waive(date: str, quoted: bool) -> None:
    text = f'"{date}"' if quoted else date
    waivers = load_waivers(f"c-1: {{run: true, justification: x, expiration_date: {text}}}", "w.yml")
    apply_waivers([make_profile("baseline", make_control("c-1", "failed"))], waivers, NOW, IDENTITY)


def attest(date: str, quoted: bool, frequency: str = "monthly") -> None:
    text = f'"{date}"' if quoted else date
    entry = f"{{control_id: c-1, explanation: x, frequency: {frequency}, status: passed, updated: {text}, updated_by: a}}"
    attestations = load_attestations(f"- {entry}", "a.yml")
    profile = make_profile("baseline", make_control("c-1", "skipped"))
    apply_attestations([profile], attestations, NOW, IDENTITY)


@pytest.mark.parametrize("quoted", [True, False])
@pytest.mark.parametrize("date", BEYOND)
def test_a_date_beyond_the_calendar_is_an_error_that_names_it(date: str, quoted: bool) -> None:
    with pytest.raises(ScanError) as waived:
        waive(date, quoted)
    attack_ends_as("25-waiver-dates", outcome=waived.value.reason)
    with pytest.raises(ScanError) as attested:
        attest(date, quoted)
    attack_ends_as("25-attestation-dates", outcome=attested.value.reason)


def odd_date(chance: random.Random) -> str:
    """A date with some of its parts at the ends of what can be, or beyond."""
    year = chance.choice(("0000", "0001", "0002", "1969", "2026", "9998", "9999", "10000", "-1"))
    day = chance.choice(("-01-01", "-12-31", "-02-29", "-02-30", "-1-1", "-00-00", "-13-01", "0101", ""))
    time = chance.choice(
        ("", "T00:00:00", "T23:59:59", "T23:59:59.999999", "T24:00:00", " 00:00:00", "t0:0:0", "T", "T235959")
    )
    zone = chance.choice(
        ("", "Z", "+00:00", "-12:00", "+14:00", "-23:59", "+23:59", "+24:00", "+1400", "-00:00:01", " Z", "z")
    )
    date = year + day + time + zone
    if chance.random() < 0.2:
        at = chance.randrange(len(date))
        date = date[:at] + chance.choice("0 9:-+TZ\u0665e.") + date[at + 1 :]
    return date


def test_odd_dates_give_errors_and_nothing_else() -> None:
    chance, refused = random.Random(26), 0
    for _round in range(ROUNDS):
        date, quoted = odd_date(chance), chance.random() < 0.5
        frequency = chance.choice(("monthly", "9999y", "9999 weeks", "0d", "0.5m"))
        for attempt in (lambda: waive(date, quoted), lambda: attest(date, quoted, frequency)):  # noqa: B023 - called in the same round
            try:
                attempt()
            except ScanError as error:
                assert error.reason in ("bad_waivers", "bad_attestations")
                refused += 1
    print(f"{2 * ROUNDS} odd dates, {refused} refused")
    assert ROUNDS / 2 < refused < 2 * ROUNDS
