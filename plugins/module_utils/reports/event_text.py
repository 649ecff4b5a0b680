# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the formats of events have in common: texts of bounded length, the standards that tags name, the parts of an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from ..results.status import NOT_APPLICABLE, PASSED
from ..results.target_record import TargetRecord
from ..results.verdicts import Verdict
from ..safe_text import one_line, printable

# The tags that name a standard's requirements, and how the standard is called.
STANDARDS: dict[str, str] = {
    "nist": "NIST SP 800-53",
    "cci": "DISA CCI",
    "stig_id": "DISA STIG",
    "cis": "CIS Benchmarks",
    "nist_800_190": "NIST SP 800-190",
    "nsa_cisa": "NSA/CISA Kubernetes Hardening Guide",
    "pss": "Kubernetes Pod Security Standards",
}
MAX_NAME = 250
MAX_LINE = 500
MAX_TEXT = 4000
_MOST_REQUIREMENTS = 32


def name_text(text: str) -> str:
    return _short_line(text, MAX_NAME) if len(text) <= MAX_NAME else one_line(text, MAX_NAME)


def line_text(text: str) -> str:
    return _short_line(text, MAX_LINE) if len(text) <= MAX_LINE else one_line(text, MAX_LINE)


# The same few texts stand in event after event. Long ones are not kept.
_short_line = lru_cache(4096)(one_line)


def long_text(text: str, limit: int = MAX_TEXT) -> str:
    """Lines stay lines."""
    text = text if len(text) <= limit else f"{text[: limit - 1]}…"
    text = printable(text)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def requirements(tags: Mapping[str, Any]) -> dict[str, list[str]]:
    """Standard -> the requirements of it that a control's tags name."""
    found = {}
    for tag, standard in STANDARDS.items():
        named = _texts(tags.get(tag))
        if named:
            found[standard] = named
    return found


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return [name_text(str(one)) for one in values if isinstance(one, (str, int, float)) and str(one).strip()][
        :_MOST_REQUIREMENTS
    ]


def known_texts(fields: Mapping[str, str]) -> dict[str, str]:
    """Those that are not empty, on one line each."""
    return {name: line_text(value) for name, value in fields.items() if value.strip()}


def image_parts(record: TargetRecord) -> tuple[str, str]:
    """(name, tag) of a target's image; a reference by digest has no tag."""
    name = record.image.partition("@")[0]
    head, colon, tag = name.rpartition(":")
    return (head, tag) if colon and "/" not in tag else (name, "")


def exceptions(verdict: Verdict) -> list[dict[str, Any]]:
    """The waiver and the attestation, as far as there are any: who asked, who approved, until when."""
    return [one.to_json() for one in verdict.exceptions]


def is_quiet(status: str) -> bool:
    """Whether nobody has to look at a control with this status."""
    return status in (PASSED, NOT_APPLICABLE)


def first_of(texts: Sequence[str]) -> str:
    """The first text that is not blank."""
    return next((text for text in texts if text.strip()), "")
