# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of one approach to one target before a scan: it works, it does not and why, or only a scan tells."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ScanError

WORKS, UNKNOWN, REFUSED = "works", "unknown", "refused"


@dataclass(frozen=True)
class Verdict:
    """`status` is one of works, unknown, refused. `reason` is one word: that of the error which a scan would end with, or one
    of ours where it is unknown. `cause` names who refuses (a policy, a quota, RBAC) where that is known."""

    status: str
    reason: str = ""
    code: str = ""
    message: str = ""
    cause: str = ""
    advice: str = ""

    @classmethod
    def refused(cls, error: ScanError) -> Verdict:
        record = error.record()
        cause = (
            "" if record["cause"] == error.kind.meaning else record["cause"]
        )  # what the reason says already
        return cls(REFUSED, record["reason"], record["code"], record["message"], cause, record["advice"])

    @property
    def kind(self) -> tuple[str, str, str]:
        """What verdicts share that are told together."""
        return self.status, self.reason, self.cause

    def record(self) -> dict[str, str]:
        """As it stands in results, without what is empty."""
        return {name: value for name, value in vars(self).items() if value}


ACCEPTED = Verdict(WORKS, message="the cluster accepts what a scan would do, as far as that can be asked")
IN_USE = Verdict(WORKS, message="a debug container that is there already serves the scan")
SIDECAR_THERE = Verdict(WORKS, message="a sidecar runs beside it, and may look at it")
SHELL_UNKNOWN = Verdict(UNKNOWN, "shell_unknown", message="only an exec tells whether the image has a shell")
NOT_ASKED = Verdict(
    UNKNOWN,
    "not_asked",
    message="the grantor may not do itself what the scanner would do, so the cluster "
    "cannot be asked whether it accepts that",
)
