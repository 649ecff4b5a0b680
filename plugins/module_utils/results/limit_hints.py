# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a key of a threshold that is not known means, if its words tell.

Nearness of spelling alone is no help: the known key that looks most like `error.max` is `error.low.max`, and who follows it
opens the gate. So a key is taken apart into words, and each word must be known, or be a slip of one, to mean a subject (failed),
a severity or a bound. Only a known key of the same meaning is named, and none where a word is left over or has two meanings.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

# The parts of a key, each with its words.
_SUBJECTS: dict[str, tuple[str, ...]] = {
    "passed": ("passed", "pass", "passes", "passing", "success", "successful", "successes"),
    "failed": ("failed", "fail", "fails", "failing", "failure", "failures", "finding", "findings"),
    "skipped": (
        "skipped",
        "skip",
        "skips",
        "not_reviewed",
        "notreviewed",
        "unreviewed",
        "not_review",
        "non_reviewed",
    ),
    "no_impact": ("no_impact", "noimpact", "no_impacts", "not_applicable", "notapplicable", "non_applicable"),
    "error": ("error", "errors", "errored", "profile_error", "profile_errors", "profileerror"),
    "compliance": ("compliance", "compliances", "compliant"),
    "reviewed": ("reviewed", "review", "reviews"),
    "coverage": ("coverage", "coverages"),
    "evidence": ("evidence", "evidences"),
    "skipped_profiles": ("skipped_profiles", "skipped_profile"),
    "new_failures": ("new_failures", "new_failure", "newfailures", "newfailure", "new_failed"),
    "overdue": ("overdue", "over_due", "overdues"),
    "overdue_scans": ("overdue_scans", "overdue_scan", "overduescans"),
    "must_pass": ("must_pass", "mustpass", "must_passed"),
}
_SEVERITIES: dict[str, tuple[str, ...]] = {
    "total": ("total", "totals", "all", "overall"),
    "critical": ("critical", "criticals", "crit"),
    "high": ("high", "highs"),
    "medium": ("medium", "mediums", "med", "moderate"),
    "low": ("low", "lows"),
    "none": ("none", "informational"),
}
_BOUNDS: dict[str, tuple[str, ...]] = {
    "min": ("min", "minimum", "mins", "at_least"),
    "max": ("max", "maximum", "maxs", "maxes", "at_most"),
    "controls": ("controls", "control", "ids"),
}
_MEANINGS: dict[str, tuple[str, str]] = {
    word: (part, meaning)
    for part, table in (("subject", _SUBJECTS), ("severity", _SEVERITIES), ("bound", _BOUNDS))
    for meaning, words in table.items()
    for word in words
}
_MOST_WORDS = max(word.count("_") for word in _MEANINGS) + 1
# They turn what follows into its opposite, so they are never a slip of something else.
_NEGATIONS = frozenset(
    {"no", "non", "not", "un", "without", "never", "anti", "dis", "in", "unless", "except", "but"}
)
_SHORTEST_SLIP = 3  # letters
# One that is shorter is near to words that mean nothing of the kind.
_SHORTEST_SEVERITY = 4
# Near to other words (one, nine), and `failed: {none: 0}` means that none is to fail: nobody is led there.
_LEAST_GRAVE = "none"
_TWO_SLIPS_FROM = 7  # letters
_MOST_LETTERS = 100
# What a number that stands at a subject or a severity, without a bound, is meant to be.
_USUAL_BOUND = {
    "passed": "min",
    "failed": "max",
    "skipped": "max",
    "error": "max",
    "compliance": "min",
    "new_failures": "max",
    "overdue": "max",
    "overdue_scans": "max",
    "skipped_profiles": "max",
    "reviewed": "min",
    "coverage": "min",
    "evidence": "min",
}
# Bounds that let through what the subject is there to stop. Who wrote one is not shown how to write it well.
_OPENING_BOUND = {
    "failed": "min",
    "error": "min",
    "skipped": "min",
    "passed": "max",
    "compliance": "max",
    "reviewed": "max",
    "coverage": "max",
}


def hint(key: str, known: Collection[str]) -> str:
    """The known key that means what an unknown one means; empty where that is not clear."""
    parts = _parts(key)
    subject = parts.get("subject", "")
    if not subject:
        return ""
    severity, bound = parts.get("severity", ""), parts.get("bound", "")
    if severity == _LEAST_GRAVE or bound == _OPENING_BOUND.get(subject):
        return ""
    return next((one for one in _candidates(subject, severity, bound) if one in known), "")


def _candidates(subject: str, severity: str, bound: str) -> Iterator[str]:
    """Keys of this meaning, the most literal first."""
    if severity == "total" and not bound:
        yield f"{subject}.total"
    bound = bound or _USUAL_BOUND.get(subject, "")
    ends = [bound] if bound else []
    if severity in ("", "total"):
        yield ".".join([subject, "total", *ends])
        yield ".".join([subject, *ends])
    else:
        yield ".".join([subject, severity, *ends])


def _parts(key: str) -> dict[str, str]:
    """{part of a key: its meaning}; empty where a word has none, or a part is there twice."""
    found: dict[str, str] = {}
    words = _words(key)
    while words:
        for number in range(min(_MOST_WORDS, len(words)), 0, -1):
            meaning = _meaning("_".join(words[:number]))
            if meaning is not None:
                break
        else:
            return {}
        part, value = meaning
        if part in found:
            return {}
        found[part] = value
        words = words[number:]
    return found


def _words(key: str) -> list[str]:
    if len(key) > _MOST_LETTERS:
        return []
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)
    return [word for word in re.split(r"[.\s_-]+", apart.lower()) if word]


def _meaning(word: str) -> tuple[str, str] | None:
    """What a word, or several that are joined by `_`, means; a slip counts when nothing else is as near."""
    exact = _MEANINGS.get(word)
    letters = word.replace("_", "")
    if exact is not None or word in _NEGATIONS or len(word) < _SHORTEST_SLIP:
        return exact
    if any(one in _MEANINGS for one in word.split("_")):
        return None
    if not (letters.isascii() and letters.isalpha()):
        return None
    near: dict[tuple[str, str], int] = {}
    for one, meaning in _MEANINGS.items():
        if meaning[0] == "severity" and len(one) < _SHORTEST_SEVERITY:
            continue
        slips = _slips(word, one)
        if slips <= _most_slips(word, one):
            if _is_negated(word) != _is_negated(one):
                return None
            near[meaning] = min(slips, near.get(meaning, slips))
    fewest = [meaning for meaning, slips in near.items() if slips == min(near.values())]
    return fewest[0] if len(fewest) == 1 and fewest[0] != ("severity", _LEAST_GRAVE) else None


def _most_slips(word: str, meant: str) -> int:
    """With two slips the beginning must be right."""
    return 2 if min(len(word), len(meant)) >= _TWO_SLIPS_FROM and word[0] == meant[0] else 1


def _is_negated(word: str) -> bool:
    """A negated word is near to what it negates."""
    return word.startswith(("no", "un", "dis", "anti", "never", "without")) and word != "none"


def _slips(word: str, meant: str) -> int:
    """Letters that are left out, added, another, or in the wrong order (the restricted Damerau-Levenshtein distance)."""
    if abs(len(word) - len(meant)) > 2:
        return 3
    before: list[int] = []
    row = list(range(len(meant) + 1))
    for i, letter in enumerate(word, 1):
        last, before, row = before, row, [i] + [0] * len(meant)
        for j, other in enumerate(meant, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == meant[j - 2] and word[i - 2] == other:
                row[j] = min(row[j], last[j - 2] + 1)
    return row[-1]
