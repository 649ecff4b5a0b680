# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a scan tells a good pod from a bad one: the controls that must be Passed on the one and Failed on the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..results.run import Run
from ..results.status import FAILED, PASSED, STATUS_WORDS
from ..results.summary import summarize
from ..results.target_record import TargetRecord
from .check import Check

GOOD, BAD = "good", "bad"
_WANTED = {GOOD: PASSED, BAD: FAILED}
_WORDS = {GOOD: "known good was not recognised", BAD: "known bad was not found"}


def canary_check(found: Sequence[tuple[Run, str, TargetRecord]], controls: Sequence[str]) -> Check:
    """
    :param found: the run, GOOD or BAD, and the target, of each canary
    :param controls: ids
    """
    problems = [problem for run, kind, target in found for problem in _problems(run, kind, target, controls)]
    kinds = {kind for _run, kind, _target in found}
    problems += [f"there is no {kind} canary" for kind in (GOOD, BAD) if kind not in kinds]
    if problems:
        return Check.failed(
            "canaries",
            "; ".join(problems),
            "Results of this cluster prove nothing until this is clear: scan the canaries by the playbook `scan` and look at the "
            "named controls.",
        )
    number = len(controls)
    return Check.passed("canaries", f"{number} controls are Passed on good canaries and Failed on bad ones")


def _problems(run: Run, kind: str, target: TargetRecord, controls: Sequence[str]) -> Iterator[str]:
    """What is not as it must be with one canary."""
    if not target.hdf:
        why = f"{target.error.message} ({target.error.reason})" if target.error else "no results"
        yield f"the {kind} canary {target.pod} could not be scanned: {why}"
        return
    source, document = run.document_of(target)
    found: dict[str, list[str]] = {}  # control id -> its status in each profile that has it
    for profile in summarize(document, source).profiles:
        for one in profile.controls:
            found.setdefault(one.id, []).append(one.status)
    wanted = _WANTED[kind]
    for control in controls:
        for status in dict.fromkeys(found.get(control, [""])):
            if status != wanted:
                shown = STATUS_WORDS[status] if status else "not in the profiles"
                must = STATUS_WORDS[wanted]
                yield f"{_WORDS[kind]}: {control} is {shown} on the {kind} canary {target.pod}, and must be {must}"
