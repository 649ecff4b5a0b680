# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What check mode says of a scan: the access it would make, what it would add to pods, what is forbidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Callable

from ..access.objects import Grant, object_name, parts
from ..access.rights import RIGHTS, makes_pods
from ..approaches.approach import Footprint
from ..approaches.auto import NAME as AUTO
from ..approaches.choice import NEVER, ApproachOptions, predict_change
from ..approaches.pod_entry import ExecLimits
from ..cluster.rest import RestClient
from ..errors import ScanError
from ..options.scan import ScanOptions
from ..results.checked_json import plain
from ..results.run import TargetCounts
from ..results.unmatched import Unmatched, gaps_of
from ..safe_text import one_line
from ..targets.selection import SelectedTarget
from ..text_layout import number_of
from .carry_over import CarryOver
from .run_recorder import first_of, footprint_of_run
from .scan_access import planned_access, run_id_of, scan_grants

# How many targets are told one by one.
_SAID = 20


def preview_scan(
    options: ScanOptions,
    carry_over: CarryOver,
    unmatched: Sequence[Unmatched],
    grantor: RestClient,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """The task's result in check mode: changed, run_id, counts, not_scanned, unmatched, would_scan, footprint, diff.
    Nothing is changed.

    :param say: shows a line
    """
    run_id, targets = run_id_of(options), carry_over.agenda.targets
    carried = sum(len(taken.stands_for) for taken in carry_over.agenda.taken_over)
    if carried:
        say(carry_over.text(carried))
    would_scan = _would_scan(options, targets, say)
    gaps = len(gaps_of(unmatched, options.targets.allow_empty))
    additions = _additions(options, targets)
    forbidden = _forbidden(options, targets, say)
    _say_grants(options, run_id, targets, say)
    if options.approach.cross_check != NEVER:
        witnesses = ", ".join(options.approach.witnesses()) or "none, for options are missing"
        say(f"would have each container checked by a second approach, tried in this order: {witnesses}")
    if additions:
        added = number_of(len(additions), "ephemeral container")
        say(f"would add {added} to pods, where their entries stay")
    return {
        "changed": bool(additions),
        "run_id": run_id,
        "not_scanned": first_of(forbidden),
        "unmatched": first_of(plain(unmatched)),
        "would_scan": first_of(would_scan),
        "footprint": footprint_of_run(additions),
        "counts": plain(
            TargetCounts(len(targets) + carried + gaps, carried, len(forbidden) + gaps, 0, carried)
        ),
        "diff": planned_access(options, grantor, run_id, targets),
    }


def _would_scan(
    options: ScanOptions, targets: Sequence[SelectedTarget], say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """{target_id, approaches} of each target, as far as its pod tells that, and the first of them in words."""
    found: list[dict[str, Any]] = []
    lines: list[str] = []
    for selected in targets:
        tried, why = _tried(options, selected)
        found.append({"target_id": selected.target.target_id, "approaches": tried})
        if len(lines) < _SAID:
            how = f"by {', else '.join(tried)}" if tried else f"cannot be scanned: {why}"
            lines.append(one_line(f"  {selected.target.path} {how}"))
    if lines:
        say("would look at:")
    for line in lines:
        say(line)
    if len(targets) > _SAID:
        say(
            f"  and {len(targets) - _SAID} more; scan_target_info writes all to a file (output_file), the play preflight "
            "with scan_info_file"
        )
    return found


def _tried(options: ScanOptions, selected: SelectedTarget) -> tuple[list[str], str]:
    """The approaches that its pod does not refuse, in the order in which they are tried; why the first one is refused."""
    tried: list[str] = []
    why = ""
    for name in options.approach.chosen():
        try:
            predict_change(replace(options.approach, name=name), selected, options.limits)
        except ScanError as error:
            why = why or f"{error.message} ({error.reason})"
        else:
            tried.append(name)
    return tried, why


def _say_grants(
    options: ScanOptions, run_id: str, targets: Sequence[SelectedTarget], say: Callable[[str], None]
) -> None:
    for grant in scan_grants(options.approach, run_id, targets):
        if makes_pods(grant.approach):
            say(
                f"would start at most {number_of(len(grant.pods), 'helper pod')} in namespace {grant.namespace}"
            )
            _say_access(options, grant, run_id, say)
            continue
        reached = {pod.uid for pod in grant.pods}
        inside = sum(selected.target.pod_uid in reached for selected in targets)
        say(
            f"would scan {number_of(inside, 'container')} of namespace {grant.namespace} by {options.approach.name}, "
            f"with an access to {number_of(len(grant.pods), 'pod')}"
        )
        _say_access(options, grant, run_id, say)


def _say_access(options: ScanOptions, grant: Grant, run_id: str, say: Callable[[str], None]) -> None:
    """Which objects the access is; --diff has them whole."""
    if options.access:
        return
    grant = replace(grant, account_namespace=options.grant.account_namespace)
    account = grant.account(run_id)
    rights = ", ".join(f"{' and '.join(right.verbs)} on {right.resource}" for right in RIGHTS[grant.approach])
    number = len(parts(grant))
    say(
        f"would make there, and remove after the scan: ServiceAccount {account.namespace}/{account.name}, "
        f"{number_of(number, 'Role')} ({rights}) and "
        f"{number_of(number, 'RoleBinding')} {object_name(run_id)}"
    )


def _additions(options: ScanOptions, targets: Sequence[SelectedTarget]) -> list[Footprint]:
    """The ephemeral containers that a scan would add. Only the scan says why it skips a target."""
    additions: list[Footprint] = []
    for selected in targets:
        with suppress(ScanError):
            first = predict_change(options.approach, selected, options.limits)
            second = _predict_check(options.approach, selected, options.limits)
            additions += [
                Footprint(selected.target.namespace, selected.target.pod, entry["name"], True)
                for entry in (first, second)
                if entry
            ]
    return additions


def _predict_check(
    options: ApproachOptions, selected: SelectedTarget, limits: ExecLimits
) -> Mapping[str, Any] | None:
    """What the cross-check would add to the target's pod, by the first approach that its pod does not refuse."""
    if options.name == AUTO:
        return None  # only the scan tells which approach is to be checked
    for name in options.witnesses_of(options.name):
        with suppress(ScanError):
            return predict_change(replace(options, name=name), selected, limits)
    return None


def _forbidden(
    options: ScanOptions, targets: Sequence[SelectedTarget], say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """The targets for which every approach that would be tried is forbidden, as records. Shows for each rule
    how many containers it is about."""
    if not options.approach.forbidden:
        return []
    records: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    for selected in targets:
        refusals = options.approach.refusals(selected)
        for error in refusals:
            said = "{} ({})".format(error.message, error.cause.rstrip("."))
            counts[said] = counts.get(said, 0) + 1
        if refusals and len(refusals) == len(options.approach.chosen()):
            records.append({"target_id": selected.target.target_id, "error": refusals[0].record()})
    for said, number in counts.items():
        say(f"{number_of(number, 'container')}: {said}")
    return records
