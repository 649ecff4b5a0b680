# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the facts of one target can be trusted: what its approach declares, lowered by what was seen on the way."""

from __future__ import annotations

from collections.abc import Iterator

from ..results.evidence import EVIDENCE_BESIDE, EVIDENCE_TARGET, Doubt, Evidence
from ..safe_text import one_line
from .approach import Collected
from .image import NAME as IMAGE
from .registry import kind_of

_NAMED_MOUNTS = 5
_MOUNT_CHARACTERS = 100
_WAITED = Doubt("The debug container was there before this scan, so the target could prepare for it.")
# That a shell says it was closed is no proof: one that the target has changed says so, too.
_OPEN = Doubt(
    "The scanner's shell was open to processes of the target's user, which can change what it is told and what it says."
)
_UNREADABLE = "target_unreadable"


def evidence_of(collected: Collected) -> Evidence:
    """The evidence of what was collected of one target."""
    evidence = kind_of(collected.approach).evidence
    return evidence.lowered_by(_doubts(collected, evidence.grade))


def _doubts(collected: Collected, grade: str) -> Iterator[Doubt]:
    said = collected.facts.collector
    if collected.footprint is not None and not collected.footprint.is_new:
        yield _WAITED
    if grade == EVIDENCE_BESIDE and said.get("shell_protected") == "no":
        yield _OPEN
    if said.get("unexplained_mounts"):
        yield _mounted(said["unexplained_mounts"])
    refused = [name for name, reason in collected.passed_over if reason == _UNREADABLE]
    if refused:
        yield _shows_another(refused, collected.approach)
    yield from collected.doubts


def _mounted(mounts: list[str]) -> Doubt:
    named = ", ".join(one_line(mount, _MOUNT_CHARACTERS) for mount in mounts[:_NAMED_MOUNTS])
    more = len(mounts) - _NAMED_MOUNTS
    return Doubt(
        f"Something that is no volume of the pod is mounted below folders of the system: {named}"
        + (f" and {more} more." if more > 0 else ".")
    )


def _shows_another(refused: list[str], approach: str) -> Doubt:
    seen = "only its image was seen" if approach == IMAGE else f"{approach} did not notice that"
    return Doubt(
        f"The container shows another file system than its runtime gave it, or does not let it be seen "
        f"({', '.join(refused)}); {seen}.",
        at_best=EVIDENCE_TARGET,
    )
