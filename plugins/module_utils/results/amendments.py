# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people have decided beforehand, applied to what was judged: waivers first, then attestations."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .attestations import Attestations, apply_attestations, load_attestations
from .exception_policy import NO_POLICY, ExceptionPolicy, load_exception_policy
from .model import ProfileResult
from .notes import ATTESTATION, COVERED_UNREAD, NO_TARGET, NOT_NEEDED, READ_ELSEWHERE, WAIVER, Note
from .waivers import Waivers, apply_waivers, load_waivers


@dataclass(frozen=True)
class Amendments:
    waivers: Waivers | None = None
    attestations: Attestations | None = None
    policy: ExceptionPolicy = NO_POLICY

    def sha256(self, now: datetime.datetime) -> str:
        """The same for amendments that would do the same; one that has expired since is another. Empty where there are none.

        :param now: with its time zone
        """
        if self.waivers is None and self.attestations is None:
            return ""
        waivers = self.waivers.by_control.values() if self.waivers is not None else ()
        attestations = self.attestations.entries if self.attestations is not None else ()
        parts = [
            [[asdict(waiver), waiver.why_not(now, self.policy)] for waiver in waivers],
            [
                [
                    asdict(one),
                    one.has_expired(now),
                    one.is_of_the_future(now),
                    one.objection(now, self.policy),
                ]
                for one in attestations
            ],
        ]
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def apply(
        self, profiles: Sequence[ProfileResult], identity: Mapping[str, Any], now: datetime.datetime
    ) -> list[Note]:
        """Changes the profiles of one target; see `apply_waivers` and `apply_attestations`.

        :param identity: `Target.identity()`
        :param now: with its time zone
        """
        notes: list[Note] = []
        if self.waivers is not None:
            notes += apply_waivers(profiles, self.waivers, now, identity, self.policy)
        if self.attestations is not None:
            notes += apply_attestations(profiles, self.attestations, now, identity, self.policy)
        return notes

    def read_elsewhere(self, notes: Iterable[Note]) -> list[Note]:
        """Attestations for every target that decided a control where it was not read, and that some target let be read.

        :param notes: of all targets
        """
        kinds: dict[str, set[str]] = {}
        for note in notes:
            if note.about == ATTESTATION:
                kinds.setdefault(note.control_id, set()).add(note.kind)
        return [
            entry.note(
                READ_ELSEWHERE,
                f"was judged on some targets and attested by {entry.updated_by} where it could not be read; "
                "give the attestation the targets that it is for",
            )
            for entry in (self.attestations.entries if self.attestations is not None else ())
            if not entry.scope.rules and {COVERED_UNREAD, NOT_NEEDED} <= kinds.get(entry.control_id, set())
        ]

    def without_target(self, identities: Sequence[Mapping[str, Any]]) -> list[Note]:
        """Entries whose scope means none of these targets: a slip in it would go unseen."""
        entries = [
            (WAIVER, waiver.control_id, waiver.scope)
            for waiver in (self.waivers.by_control.values() if self.waivers is not None else ())
        ]
        entries += [
            (ATTESTATION, entry.control_id, entry.scope)
            for entry in (self.attestations.entries if self.attestations is not None else ())
        ]
        return [
            Note(about, control_id, NO_TARGET, f"{control_id}: the {about} is for none of the chosen targets")
            for about, control_id, scope in entries
            if scope.rules and not any(scope.covers(identity) for identity in identities)
        ]


NO_AMENDMENTS = Amendments()


def read_amendments(waivers: Any, attestations: Any, policy: Any = None) -> Amendments:
    """From the content of the options `waivers`, `attestations` and `exception_policy`, which hold no paths.

    None means that there are none; anything else that is empty is a mistake that a loader refuses.

    :raises ScanError: bad_waivers, bad_attestations, bad_exception_policy
    """
    return Amendments(
        load_waivers(waivers, "the option waivers") if waivers is not None else None,
        load_attestations(attestations, "the option attestations") if attestations is not None else None,
        load_exception_policy(policy, "the option exception_policy") if policy is not None else NO_POLICY,
    )
