# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sink is given of a run: its documents, and its findings as they are to be told to one system."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from ..reports.event import CLOSED
from ..results.run import Run
from ..results.target_record import TargetRecord
from ..results.verdicts import TargetVerdicts, Verdict
from .item import Item, item_key


@dataclass(frozen=True)
class Finding:
    """One control of one place, as the system is to be told of it; `verdict` is None where it is told that a target was not
    scanned, or that its document could not be taken.

    Where several targets of a place were scanned (replicas), it is the worst of them: a system that keeps one state for a
    fingerprint must not end with a pass of another pod. `activity` is created, updated or closed; a closed one has the
    verdict that closes it. `before` is for the outbox: what the system was told of it before.
    """

    target: TargetVerdicts
    verdict: Verdict | None
    activity: str
    fingerprint: str
    before: str = ""

    @property
    def is_kept_open(self) -> bool:
        """Whether it failed when it was told before, and this does not close it."""
        return bool(self.before and json.loads(self.before)[5]) and self.activity != CLOSED

    def item(self, run_id: str, body: bytes) -> Item:
        """The item of it, whose content the sink has encoded."""
        place_id = self.target.record.place_id
        return Item(
            item_key(run_id, self.fingerprint, self.activity),
            f"{place_id} {self.verdict.about.id}" if self.verdict else place_id,
            run_id,
            self.activity,
            body,
            fingerprint=self.fingerprint,
            place_id=place_id,
            before=self.before,
        )


class Pushed(Protocol):
    """A run, as one system is told of it."""

    @property
    def run(self) -> Run: ...

    def findings(self) -> Iterator[Finding]:
        """Those that the options ask for (statuses, min_severity, only_changed), then those of places that are gone. One
        place is held at a time."""

    @property
    def leaves_open(self) -> bool:
        """Whether a failure of which the system was told stays open on a place of this run and none of its findings is about it:
        its profile did not judge the place, or not all of its replicas were seen. Asked for behind `findings`."""

    def documents(self) -> Iterator[tuple[TargetRecord, Item]]:
        """Each target that has a document, with the item by which its HDF document is sent as it is: by path and digest."""
