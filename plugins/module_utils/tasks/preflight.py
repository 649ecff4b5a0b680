# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of `scan_target_info` that explains what a scan with these options would do and need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Callable

from ..approaches.auto import NAME as AUTO
from ..approaches.choice import check_targets
from ..approaches.pod_entry import ExecLimits
from ..bounded_work import run_bounded
from ..cluster.rest import RestClient
from ..errors import ScanError
from ..options.target_info import TargetInfoOptions
from ..preflight.dry_runs import DryRuns
from ..preflight.estimate import count_verdicts, estimate
from ..preflight.permissions import Permission, Reviews, own_name, rules_to_add
from ..preflight.preflight_check import Expectation, PreflightCheck
from ..preflight.report import result_text
from ..results.run import Run, open_earlier_run
from ..results.unmatched import Unmatched, gaps_of
from ..targets.selection import SelectedTarget, SelectionReport
from ..text_layout import number_of
from .context import TaskContext

# How many questions are asked at a time. An API server gives one user only a share of its capacity.
_QUESTIONS = 8
_LISTED_NAMESPACES = 20
_LISTED_NAMES = 50
_READ_NAMESPACE = Permission("", "namespaces", "get")


def explain(
    options: TargetInfoOptions,
    context: TaskContext,
    client: RestClient,
    targets: Sequence[SelectedTarget],
    looked_at: SelectionReport,
) -> tuple[dict[str, Any], list[Expectation]]:
    """The counts as they stand in the task's result, and what is expected of each target.

    :raises ScanError: bad_option; as the client
    """
    approach = options.approach
    earlier = _earlier(options.earlier_run, context)
    check_targets(approach, targets)
    before, grantor = client.requests, own_name(client)

    def in_parallel(items: Sequence[Any], work: Callable[[Any], Any]) -> Iterator[tuple[Any, Any]]:
        return run_bounded(items, work, _QUESTIONS, context.cancel, lambda done: None)

    reviews = Reviews(client)
    check = PreflightCheck(
        targets,
        approach,
        ExecLimits(timeout=options.timeout, output=0),
        grantor=grantor,
        reviews=reviews,
        dry_runs=DryRuns(client, options.grant.owner, options.grant.lifetime),
        in_parallel=in_parallel,
        account_namespace=options.grant.account_namespace,
    )
    expectations = check.run()
    missing = [
        dict(
            entry,
            namespaces=entry["namespaces"][:_LISTED_NAMESPACES],
            namespaces_count=len(entry["namespaces"]),
        )
        for entry in rules_to_add(check.lacks)
    ]
    explained: dict[str, Any] = dict(
        count_verdicts(expectations, approach.used()),
        server_version=_server_version(client),
        grantor=grantor,
        approach=approach.name,
        order=list(approach.chosen()),
        not_tried={
            name: approach.missing_option(name) for name in approach.order if approach.missing_option(name)
        }
        if approach.name == AUTO
        else {},
        left_out=looked_at.left_out_by_no_option(),
        **_unmatched(looked_at, options.targets.allow_empty),
        missing=missing,
        estimate=estimate(expectations, options.concurrency, earlier),
        requests=client.requests - before,
    )
    explained["conclusion"] = result_text(explained)
    context.warnings += _unknown_teams(options, reviews, targets)
    return explained, expectations


def _unknown_teams(
    options: TargetInfoOptions, reviews: Reviews, targets: Sequence[SelectedTarget]
) -> list[str]:
    """A warning where the grantor is not allowed to read namespaces whose labels say who owns them."""
    places = {(selected.target.cluster, selected.target.namespace) for selected in targets}
    unread = sorted(
        namespace
        for cluster, namespace in places
        if options.teams is not None and options.teams.needs_labels(cluster, namespace)
        if reviews.missing(namespace, [_READ_NAMESPACE])
    )
    if not unread:
        return []
    named = ", ".join(unread[:_LISTED_NAMESPACES])
    return [
        f"a scan would not know the team of {number_of(len(unread), 'namespace')} ({named}): the grantor lacks get on "
        "namespaces there. Grant it, or give the team by the rules of `namespaces`"
    ]


def _unmatched(looked_at: SelectionReport, allow_empty: bool) -> dict[str, Any]:
    """{unmatched, unmatched_count, gaps}: what was named and gave no target, and whether the gate would count it."""
    names = [Unmatched.of(**name) for name in looked_at.unmatched]
    gaps = set(gaps_of(names, allow_empty))
    return {
        "unmatched": [dict(name.to_json(), counts=name in gaps) for name in names[:_LISTED_NAMES]],
        "unmatched_count": len(names),
        "gaps": len(gaps),
    }


def _earlier(path: str | None, context: TaskContext) -> Run | None:
    """An earlier run, for the estimate alone. Where it cannot be read, the preflight goes on."""
    try:
        return open_earlier_run(path) if path else None
    except ScanError as error:
        context.warnings.append(f"the estimate takes the test bed's seconds: {error.message}")
        return None


def _server_version(client: RestClient) -> str:
    try:
        return "Kubernetes {}".format(client.get("/version").get("gitVersion", "of no version"))
    except ScanError as error:
        if error.reason not in ("not_permitted", "not_found"):
            raise
        return "Kubernetes of a version that the grantor is not allowed to read"


def expectation_as_result(expected: Expectation) -> dict[str, Any]:
    """The keys that an explanation adds to a target's record: {tried, approaches}."""
    return {
        "tried": list(expected.tried),
        "approaches": {approach: verdict.record() for approach, verdict in expected.verdicts.items()},
    }
