# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a scan tells a good pod from a bad one: the controls that must be Passed on the one and Failed on the other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ..errors import ScanError
from ..results.run import Run
from ..results.status import FAILED, PASSED, STATUS_WORDS
from ..results.summary import summarize
from .check import Check


def judge_canaries(run: Run, good: Collection[str], bad: Collection[str], controls: Sequence[str]) -> Check:
    """
    :param good: names of pods
    :param bad: names of pods
    :param controls: ids
    """
    problems = []
    seen: set[str] = set()
    for target in run.targets:
        if target.pod not in good and target.pod not in bad:
            continue
        if not target.hdf:
            why = f"{target.error.message} ({target.error.reason})" if target.error else "no results"
            problems.append(f"the canary {target.pod} could not be scanned: {why}")
            continue
        seen.add(target.pod)
        wanted = FAILED if target.pod in bad else PASSED
        problems += _differing(run, target.pod, wanted, controls)
    for names, word in ((good, "good"), (bad, "bad")):
        if not problems and not seen.intersection(names):
            problems.append(f"no {word} canary was scanned")
    if problems:
        return Check.failed(
            "canaries",
            "; ".join(problems),
            "Results of this cluster prove nothing until this is clear: scan the canaries by hand and look at the controls.",
        )
    return Check.passed(
        "canaries", f"{len(controls)} controls are Passed on the good canary and Failed on the bad one"
    )


def _differing(run: Run, pod: str, wanted: str, controls: Sequence[str]) -> Iterator[str]:
    word = "bad" if wanted == FAILED else "good"
    for target in run.targets:
        if target.pod != pod or not target.hdf:
            continue
        source, document = run.document_of(target)
        found = {
            control.id: control.status
            for profile in summarize(document, source).profiles
            for control in profile.controls
        }
        for control in controls:
            status = found.get(control)
            if status != wanted:
                shown = STATUS_WORDS[status] if status else "not in the profiles"
                known = "known bad was not found" if wanted == FAILED else "known good was not recognised"
                yield f"{known}: {control} is {shown} on the {word} canary {pod}, and must be {STATUS_WORDS[wanted]}"


def check_controls(controls: Sequence[str]) -> None:
    """:raises ScanError: bad_option"""
    if not controls or len(set(controls)) < len(controls):
        raise ScanError(
            "bad_option", "canary_controls must name controls, each once", tried="reading the option canary_controls"
        )
