# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything of a run as a sink is told of it that was told nothing before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.event import (
    CREATED,
    finding_events,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.target_record import TargetRecord
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.item import Item
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.pushed import Finding


@dataclass
class AllFindings:
    """A `Pushed` without memory."""

    run: Run
    activity: str = CREATED
    leaves_open: bool = False

    def findings(self) -> Iterator[Finding]:
        for event in finding_events(self.run):
            yield Finding(event.target, event.verdict, self.activity, event.fingerprint)

    def documents(self) -> Iterator[tuple[TargetRecord, Item]]:
        return iter(())
