# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of one approach to one target before a scan: it works, it does not and why, or only a scan
tells."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ScanError

# Whose messages are about states: one that has Completed is not told as one in CrashLoopBackOff.
_BY_MESSAGE = frozenset({"container_not_running", "platform_unsupported"})
WORKS, UNKNOWN, REFUSED = "works", "unknown", "refused"


@dataclass(frozen=True)
class Verdict:
    """`status` is one of works, unknown, refused. `reason` is one word: that of the error which a scan would
    end with, or one of ours where it is unknown. `cause` names who refuses (a policy, a quota, RBAC) where
    that is known."""

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

    @classmethod
    def unchanged(cls, message: str, unknown: str) -> Verdict:
        """Of a scan that would add nothing: it works, unless `unknown` says in one word why only the scan
        tells."""
        return cls(UNKNOWN if unknown else WORKS, unknown, message=message)

    @property
    def kind(self) -> tuple[str, ...]:
        """What verdicts share that are told together."""
        said = self.message if self.reason in _BY_MESSAGE else ""
        return self.status, self.reason, self.cause, said

    def record(self) -> dict[str, str]:
        """As it stands in results, without what is empty."""
        return {name: value for name, value in vars(self).items() if value}


ACCEPTED = Verdict(WORKS, message="the cluster accepts what a scan would do, as far as that can be asked")
NOT_ASKED = Verdict(
    UNKNOWN,
    "not_asked",
    message="the grantor is not allowed to do itself what the scanner would do, so the cluster "
    "cannot be asked whether it accepts that",
)
