# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the facts of one target can be trusted: what its approach declares, lowered by what was seen on the way."""

from __future__ import annotations

from collections.abc import Iterator

from ..results.evidence import EVIDENCE_TARGET, Doubt, Evidence
from .approach import Collected
from .registry import kind_of

# What the collector says of itself (Facts.collector): whether the target could reach into the shell that answered.
# Only True is said of a shell beside the target.
OPEN_SHELL = "open_shell"

_WAITED = Doubt("The debug container was there before this scan, so the target could prepare for it.")
_OPEN = Doubt(
    "The scanner's shell was open to processes of the target's user: the target could read and change what it was "
    "told and what it said.",
    at_best=EVIDENCE_TARGET,
)


def evidence_of(collected: Collected) -> Evidence:
    """The evidence of what was collected of one target."""
    return kind_of(collected.approach).evidence.lowered_by(_doubts(collected))


def _doubts(collected: Collected) -> Iterator[Doubt]:
    if collected.footprint is not None and not collected.footprint.is_new:
        yield _WAITED
    if collected.facts.collector.get(OPEN_SHELL) is True:
        yield _OPEN
    yield from collected.doubts
