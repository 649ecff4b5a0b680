# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judged profiles and attestations for them, made at random (from a seed), to be applied by SAF and by us."""

from __future__ import annotations

import datetime
import random
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.results.model import (
    ControlResult,
    ProfileResult,
    Segment,
)

# SAF looks at a control's first test alone, so it attests a control that has passed. We do not.
FIRST_TEST_ONLY = "a control that has passed is attested where its first test was skipped"
# What SAF takes in an entry of a file, and we refuse: name -> what is changed in the entry.
TAKEN_BY_SAF: dict[str, dict[str, Any]] = {
    "a date that cannot be read never expires": {"updated": "last summer", "frequency": "daily"},
    "6 minutes are 6 months": {"updated": "@now", "frequency": "6 minutes"},
    "a number within any text is a frequency": {"updated": "@now", "frequency": "about 10 days or so"},
    "an unknown unit expires at once, without a word on the unit": {"updated": "@now", "frequency": "3h"},
    "an unknown status is left out, and the rest is applied": {"status": "waived"},
    "a missing explanation is undefined": {"explanation": None},
    "a misspelled key is not seen": {"updatd_by": "someone"},
}
# Applied by SAF at once, and not by us before its time has come.
OF_THE_FUTURE = "an attestation of the future holds already"

_FREQUENCIES = (
    "annually",
    "semiannually",
    "quarterly",
    "monthly",
    "every2weeks",
    "fortnightly",
    "weekly",
    "every3days",
    "daily",
    "1d",
    "10 d",
    "2w",
    "1.5w",
    "2.5 w",
    "3m",
    "0.5m",
    "1.5m",
    "1y",
    "1.5y",
    "1.3y",
    "2.25y",
)
_START = "2026-01-01T00:00:00+00:00"


def make_profile(seed: int) -> ProfileResult:
    """A profile whose control ids are its own."""
    dice = random.Random(f"attested {seed}")
    controls = []
    for index in range(dice.randint(2, 8)):
        kinds = dice.choice(
            (
                ("skipped",),
                ("skipped",),
                ("skipped",),
                ("skipped", "passed", "failed", "error"),
                ("passed", "failed"),
            )
        )
        segments = [
            Segment(dice.choice(kinds), "it", _START) for _number in range(dice.choice((0, 1, 1, 2, 3)))
        ]
        waived: dict[str, Any] = {
            "skipped_due_to_waiver": True,
            "run": False,
            "justification": "j",
            "message": "",
        }
        controls.append(
            ControlResult(
                f"Control-{seed}-{index}",
                "title",
                "desc",
                dice.choice((0.0, 0.3, 0.5, 0.7, 1.0)),
                segments,
                waiver_data=waived if dice.random() < 0.1 else {},
                manual=True,  # of others SAF attests more than we do, which a test of its own shows
            )
        )
    return ProfileResult(f"attested-{seed}", "Attested", "1.0.0", "0" * 64, controls)


def make_attestations(seed: int, profile: ProfileResult, now: datetime.datetime) -> list[dict[str, str]]:
    """For most controls of the profile one or two, some of them expired."""
    dice = random.Random(f"attestations {seed}")
    return [
        _attestation(dice, control.id, now)
        for control in profile.controls
        for _number in range(dice.choice((0, 1, 1, 1, 2)))
    ]


def _attestation(dice: random.Random, control_id: str, now: datetime.datetime) -> dict[str, str]:
    """Never so near to its end that the time which a test takes could decide."""
    ago = datetime.timedelta(
        days=dice.choice((0, 0, 1, 4, 20, 29, 45, 120, 250, 400, 700, 1500)), minutes=dice.randint(7, 600)
    )
    updated = (now - ago).replace(microsecond=0)
    text = dice.choice(
        (updated.isoformat(), updated.strftime("%Y-%m-%dT%H:%M:%S.000Z"), updated.strftime("%Y-%m-%d"))
    )
    return {
        "control_id": dice.choice((control_id, control_id.lower(), control_id.upper())),
        "explanation": "seen it",
        "frequency": dice.choice(_FREQUENCIES),
        "status": dice.choice(("passed", "passed", "failed")),
        "updated": text,
        "updated_by": "someone",
    }
