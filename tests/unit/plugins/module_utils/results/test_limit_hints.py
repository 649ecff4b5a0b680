# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hint of a threshold names a key that means what was written, or none: never one that opens the gate."""

from __future__ import annotations

import random
import re
import string

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import load_threshold

SUBJECTS = ("passed", "failed", "skipped", "no_impact", "error")
SEVERITIES = ("critical", "high", "medium", "low", "none")
COUNTS = [
    *(f"{subject}.total" for subject in SUBJECTS),
    *(
        f"{subject}.{part}.{bound}"
        for subject in SUBJECTS
        for part in ("total", *SEVERITIES)
        for bound in ("min", "max")
    ),
]
KEYS = [
    *COUNTS,
    *(
        "compliance.min",
        "compliance.max",
        "coverage.min",
        "reviewed.min",
        "evidence.min",
        "new_failures.max",
        "skipped_profiles.max",
    ),
    *(f"reviewed.{severity}.min" for severity in SEVERITIES),
    *(f"{subject}.{severity}.controls" for subject in SUBJECTS for severity in SEVERITIES),
]


# What is to be stopped, and what is asked for, also in words of others and of Heimdall.
BAD = ("failed", "fail", "failures", "error", "errors", "profile_error", "skipped", "not_reviewed")
GOOD = ("passed", "pass", "complience", "reviewed", "review", "coverage")
MINIMUM, MAXIMUM = ("min", "minimum", "at_least"), ("max", "maximum", "at_most")


def hinted(key: str) -> str | None:
    """The key that the message names; empty without one, None for a key that is known."""
    try:
        load_threshold({key: 0}, "t.yml")
    except ScanError as error:
        if "unknown key" not in error.message:
            return None  # known, with another kind of value
        found = re.search(r"did you mean '(.*?)'\?", error.message)
        return found.group(1) if found else ""
    return None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("error.max", "error.total.max"),
        ("failed.max", "failed.total.max"),
        ("passed.min", "passed.total.min"),
        ("skipped.max", "skipped.total.max"),
        ("failed.high", "failed.high.max"),
        ("failed.critical", "failed.critical.max"),
        ("not_reviewed.total.max", "skipped.total.max"),
        ("not_applicable.total.max", "no_impact.total.max"),
        # one kind: a level is missing, a number stands at a severity, SAF's word is another one
        ("failed", "failed.total.max"),
        ("passed", "passed.total.min"),
        ("no_impact", "no_impact.total"),
        ("passed.high", "passed.high.min"),
        ("skipped.medium", "skipped.medium.max"),
        ("compliance", "compliance.min"),
        ("coverage", "coverage.min"),
        ("new_failures", "new_failures.max"),
        ("skipped_profiles", "skipped_profiles.max"),
        ("skippedProfiles.max", "skipped_profiles.max"),
        ("not_reviewed.critical.max", "skipped.critical.max"),
        ("not_reviewed.max", "skipped.total.max"),
        ("not_reviewed", "skipped.total.max"),
        ("unreviewed.total.max", "skipped.total.max"),
        ("notReviewed.total.max", "skipped.total.max"),
        ("not-reviewed.total.max", "skipped.total.max"),
        ("notApplicable.high.max", "no_impact.high.max"),
        ("noImpact.total.max", "no_impact.total.max"),
        ("profile_error.total.max", "error.total.max"),
        ("profileError.max", "error.total.max"),
        ("errors.total.max", "error.total.max"),
        ("failures.total.max", "failed.total.max"),
        ("Failed.Total.Max", "failed.total.max"),
        ("FAILED.CRITICAL.MAX", "failed.critical.max"),
        ("failedTotalMax", "failed.total.max"),
        ("failed_total_max", "failed.total.max"),
        ("critical.failed.max", "failed.critical.max"),
        ("failed.max.total", "failed.total.max"),
        ("failed.total.maximum", "failed.total.max"),
        ("failed.crit.max", "failed.critical.max"),
        ("failed.med.max", "failed.medium.max"),
        ("failed.moderate.max", "failed.medium.max"),
        ("failed.all.max", "failed.total.max"),
        ("falied.total.max", "failed.total.max"),
        ("failed.hihg.max", "failed.high.max"),
        ("failed.critcal.max", "failed.critical.max"),
        ("failed.toal.max", "failed.total.max"),
        ("complience.min", "compliance.min"),
        ("compliance.mim", "compliance.min"),
        ("reviewed.crit.min", "reviewed.critical.min"),
        ("reviewed.critical", "reviewed.critical.min"),
        ("mustpass", "must_pass"),
        ("newFailures.max", "new_failures.max"),
        ("failed.critical.control", "failed.critical.controls"),
        # not clear: another meaning than any key has, or two of them
        ("not_failed.max", ""),
        ("unfailed.total.max", ""),
        ("non_failed.max", ""),
        ("unpassed.total.min", ""),
        ("no_error.max", ""),
        ("nreviewed.min", ""),
        ("failed.mix", ""),
        ("failed.max.min", ""),
        ("failed.passed.max", ""),
        ("failed.critical.high.max", ""),
        ("failed.9.max", ""),
        ("failed.one.max", ""),
        ("failed.severe.max", ""),
        ("failed.\N{LATIN SMALL LETTER SHARP S}.max", ""),
        ("failed.controls", ""),
        ("no_impact.high", ""),
        ("compliance.high.min", ""),
        ("new_failures.min", ""),
        ("new_failures.high.max", ""),
        ("thresholds.failed.total.max", ""),
        # what would open the gate: a bound that lets through what is to be stopped, or the least grave severity
        *(
            (f"{subject}.{bound}", "")
            for subject in BAD
            for bound in ("min", "at_least", "minimum", "total.mim")
        ),
        *(
            (f"{subject}.{bound}", "")
            for subject in GOOD
            for bound in ("max", "at_most", "maximum", "critical.at_most")
        ),
        *((f"{subject}.{word}", "") for subject in BAD for word in ("none", "informational", "none.mx")),
        ("passed.none", ""),
        ("reviewed.none", ""),
        ("skiped.none.max", ""),
        ("faild.high.min", ""),
        ("complience.max", ""),
        ("reviewed", "reviewed.min"),
        ("fine", ""),
        ("max", ""),
        ("total.max", ""),
    ],
)
def test_the_hint_is_the_key_that_means_it(written: str, meant: str) -> None:
    assert hinted(written) == meant


def meaning(key: str) -> tuple[str, str, str]:
    """(subject, severity, bound) of a known key."""
    subject, *rest = key.split(".")
    bound = rest.pop() if rest and rest[-1] in ("min", "max", "controls") else ""
    return subject, rest[0] if rest and rest[0] != "total" else "", bound


def slipped(word: str, chance: random.Random) -> str:
    place, letter = chance.randrange(len(word)), chance.choice(string.ascii_lowercase)
    return {
        0: word[:place] + word[place + 1 :],
        1: word[:place] + letter + word[place:],
        2: word[:place] + letter + word[place + 1 :],
        3: word[:place] + word[place + 1 : place + 2] + word[place] + word[place + 2 :],
        4: word.upper(),
        5: word + "s",
        6: "".join(part.title() for part in word.split("_")),
        7: word.replace("_", "-"),
    }[chance.randrange(8)]


def test_no_slip_of_a_key_is_led_to_a_key_of_another_meaning() -> None:
    """Thousands of known keys with one word misspelt, dropped, or moved."""
    chance = random.Random(14)
    named = 0
    for _unused in range(6000):
        key = chance.choice(KEYS)
        words = key.split(".")
        place = chance.randrange(len(words))
        kind = chance.randrange(4)
        if kind == 0 and len(words) > 2:
            words.pop(1 if words[1] == "total" else -1)
        elif kind == 1:
            chance.shuffle(words)
        else:
            words[place] = slipped(words[place], chance)
        written = ".".join(words)
        hint = hinted(written)
        if not hint:
            continue
        named += 1
        subject, severity, bound = meaning(key)
        got = meaning(hint)
        assert got[0] == subject, f"{key}: {written} -> {hint}"
        assert got[1] == severity != "none", f"{key}: {written} -> {hint}"
        opening = {
            "min": ("failed", "error", "skipped"),
            "max": ("passed", "compliance", "reviewed", "coverage"),
        }
        assert subject not in opening.get(got[2], ()), f"{key}: {written} -> {hint}"
        # where it was dropped: the bound that such a number is meant as, which for failures is the strict one
        usual = "min" if subject in ("passed", "compliance") else "max"
        assert got[2] == bound or (kind == 0 and got[2] == usual), f"{key}: {written} -> {hint}"
    assert named > 2500, "most slips are told"


def test_no_bound_that_was_written_is_led_to_another() -> None:
    chance = random.Random(16)
    named = 0
    for _unused in range(3000):
        words = [chance.choice((*BAD, *GOOD, "no_impact", "new_failures", "evidence", "skipped_profiles"))]
        words += chance.choices((*SEVERITIES, "total", "all"), k=chance.randrange(2))
        bound = chance.choice((*MINIMUM, *MAXIMUM))
        words.insert(chance.randrange(len(words) + 1), bound)
        hint = hinted(".".join(words))
        named += bool(hint)
        assert not hint or hint.endswith(".min" if bound in MINIMUM else ".max"), f"{words} -> {hint}"
        assert not hint or ".none." not in hint, f"{words} -> {hint}"
    assert named > 500


def test_no_word_of_any_kind_leads_to_a_bound_that_is_always_met() -> None:
    """What nobody could mean is led nowhere; in no case to failed.*.min, or to the least grave severity."""
    chance = random.Random(15)
    for _unused in range(3000):
        words = [
            "".join(chance.choices(string.ascii_lowercase + "_-", k=chance.randrange(1, 12)))
            for _ in range(2)
        ]
        written = ".".join(
            [chance.choice(("failed", "skipped", "error")), *words, chance.choice(("max", "limit", ""))]
        )
        hint = hinted(written)
        assert not hint or (not hint.endswith(".min") and ".none." not in hint), f"{written} -> {hint}"


def test_a_key_as_long_as_a_file_is_shown_in_part() -> None:
    with pytest.raises(ScanError) as caught:
        load_threshold({"failed." + "x" * 100_000: 0}, "t.yml")
    assert len(caught.value.message) < 500
