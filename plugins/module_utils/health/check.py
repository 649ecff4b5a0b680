# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One check of a cluster's health: what was looked at, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ScanError
from ..safe_text import one_line

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
# In the order in which they are made.
CHECKS: tuple[str, ...] = ("reach", "rights", "limits", "access", "image", "canaries", "leftovers")
_MAX_TEXT = 500


@dataclass(frozen=True)
class Check:
    """`text` says what was found, `advice` what to do where it failed."""

    check: str
    status: str
    text: str
    advice: str = ""

    @classmethod
    def passed(cls, check: str, text: str) -> Check:
        return cls(check, PASSED, one_line(text, _MAX_TEXT))

    @classmethod
    def skipped(cls, check: str, why: str) -> Check:
        return cls(check, SKIPPED, one_line(why, _MAX_TEXT))

    @classmethod
    def failed(cls, check: str, text: str, advice: str) -> Check:
        return cls(check, FAILED, one_line(text, _MAX_TEXT), one_line(advice, _MAX_TEXT))

    @classmethod
    def by_error(cls, check: str, error: ScanError) -> Check:
        """Failed, because of an error."""
        tried = f"{error.tried}: " if error.tried else ""
        return cls.failed(check, f"{tried}{error.message} ({error.reason})", error.advice)

    def as_result(self) -> dict[str, str]:
        return {"check": self.check, "status": self.status, "text": self.text, "advice": self.advice}


def check_lines(cluster: str, checks: Sequence[Check]) -> list[str]:
    """For a terminal: a line for each check, and what to do below each that failed."""
    failed = sum(one.status == FAILED for one in checks)
    lines = [
        f"HEALTH of {one_line(cluster, 80)}: {'healthy' if not failed else f'{failed} of {len(checks)} checks failed'}"
    ]
    for one in checks:
        lines.append(
            f"  {one.check:<10} {one.status.upper() if one.status == FAILED else one.status:<8} {one.text}"
        )
        if one.advice:
            lines.append(f"{'':<22}what to do: {one.advice}")
    return lines
