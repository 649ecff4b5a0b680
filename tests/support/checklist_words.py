# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What checklists say beside a status: in the comments of a rule, and of a target of which nothing was seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_MARKS = (
    ("ERROR :: ", "Profile Error in its comments"),
    ("WAIVER :: Waiver in force", "waived in its comments"),
    ("WAIVER :: ", "a waiver that does not count in its comments"),
    ("ATTESTATION :: Attestation in force", "attested in its comments"),
    ("ATTESTATION :: ", "an attestation that does not count in its comments"),
)


def with_marks(status: str, comments: str) -> str:
    marks = [
        next(mark for start, mark in _MARKS if line.startswith(start))
        for line in comments.split("\n")
        if line
    ]
    return ", ".join([status, *marks])


def facts_of(comment: str) -> Mapping[str, str]:
    """{name: value} of the lines in a target's comment."""
    pairs = (line.split(": ", 1) for line in comment.split("\n") if ": " in line)
    return {pair[0]: pair[1] for pair in pairs}


# (target id, profile, control), the word, and whether the profile has seen the target
Rule = tuple[tuple[str, str, str], str, bool]
Rules = Iterable[Rule]


def words_of_seen(rules: Rules) -> dict[tuple[str, str, str], str]:
    return {key: word for key, word, is_seen in rules if is_seen}


def words_of_unseen_targets(rules: Rules) -> dict[str, str]:
    """What is said of every rule of a target that no profile has seen."""
    words: dict[str, set[str]] = {}
    seen = set()
    for (target_id, _profile, _control), word, is_seen in rules:
        words.setdefault(target_id, set()).add(word)
        if is_seen:
            seen.add(target_id)
    return {
        target_id: ", ".join(sorted(found)) for target_id, found in words.items() if target_id not in seen
    }
