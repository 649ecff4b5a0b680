# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_container`: options in, a run over the chosen containers, a folder of results and a summary out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any, Callable

from ..access.objects import check_run_id, new_run_id
from ..access.renewal import LOST, renew_access
from ..access.rights import makes_pods
from ..access.scanner import ScannerAccess
from ..approaches.approach import Footprint
from ..approaches.choice import check_image_side, check_options, check_targets, open_approach, predict_change
from ..approaches.image_side import with_image_side
from ..approaches.pod_entry import ExecLimits, Means
from ..bounded_work import run_bounded
from ..cluster.connection import ClusterConnection
from ..cluster.limiter import Limiter
from ..cluster.rest import RestClient
from ..collector.frames import COLLECTOR_VERSION
from ..collector.request import CollectionRequest
from ..drift.listings import image_queries
from ..drift.report import drift_in_summary
from ..errors import ScanError
from ..kept.kept_target import keep_target
from ..options import approach_options, selection, selection_spec
from ..profiles.compiled_profile import CompiledProfile
from ..results.amendments import Amendments, read_amendments
from ..results.hdf import hdf_document
from ..results.notes import Note, note_warnings
from ..results.run import ProfileReference
from ..results.run_folder import RunFolder
from ..results.run_summary_builder import RunSummaryBuilder
from ..scanning.scan_target import Outcome, ScanPlan, scan_request, scan_target
from ..targets.selection import SelectedTarget, SelectionReport, check_selected, select_targets
from .access import planned_access, pod_ref, scan_access_of, scan_grants
from .context import TaskContext, connect_grantor
from .interrupts import run_interruptible
from .profile import received_profiles

_LISTED_IN_RESULT = 20


def run_scan_container(params: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Result keys: changed (whether anything was added to a pod), footprint, run_id, run_dir, summary_file,
    counts, not_scanned, requests.

    In check mode diff. Where the scan's access could not be removed also failed, msg and error.
    """
    profiles = received_profiles(params)
    amendments = read_amendments(params)
    request = scan_request(profiles, params["drift_paths"] if params["drift"] else ())
    params = dict(params, image_side=bool(image_queries(request.queries)))
    options = approach_options(params)
    check_options(options)
    if params["drift"]:
        check_image_side(options)
    connection = connect_grantor(params, context)
    grantor = RestClient(connection, cancel=context.cancel)
    chosen, looked_at = selection(params), SelectionReport()
    targets = list(select_targets(grantor, connection.cluster_name, chosen, looked_at))
    context.warnings += check_selected(grantor, chosen, looked_at, params["allow_empty"])
    check_targets(options, targets)
    if context.check_mode:
        return _planned(params, context, grantor, targets)
    folder = RunFolder(params["output_dir"], _run_id(params))
    folder.create()  # before the access: an output folder that cannot be written must not cost a visit to the cluster
    result: dict[str, Any] = {}

    def scan() -> None:
        with scan_access_of(params, context, grantor, folder.path.name, targets) as access:
            result.update(
                _Scan(
                    params,
                    context,
                    connection=connection,
                    grantor=grantor,
                    request=request,
                    profiles=profiles,
                    amendments=amendments,
                    folder=folder,
                    access=access,
                    targets=targets,
                ).run()
            )

    try:
        run_interruptible(scan, context.cancel)
    except ScanError as error:
        if not result:
            raise
        # the scan is done and only the removal of its access failed: that is a failure, but its results stand
        result.update(failed=True, msg=str(error), error=error.record())
    return result


def _run_id(params: Mapping[str, Any]) -> str:
    given = (params["access"] or {}).get("run_id")
    return check_run_id(str(given)) if given else new_run_id(datetime.now(timezone.utc))


def _planned(
    params: Mapping[str, Any], context: TaskContext, grantor: RestClient, targets: list[SelectedTarget]
) -> dict[str, Any]:
    """What check mode says: the targets, and the access that would be made for them."""
    run_id = _run_id(params)
    grants = scan_grants(params, run_id, targets)
    additions = _additions(params, targets)
    forbidden = _forbidden(params, context, targets)
    for grant in grants:
        reached = {pod.uid for pod in grant.pods}
        inside = sum(selected.target.pod_uid in reached for selected in targets)
        context.say(
            f"would start at most {len(grant.pods)} helper pods in namespace {grant.namespace}"
            if makes_pods(grant.approach)
            else "would scan {} containers of namespace {} by {}, with an access to {} pods".format(
                inside, grant.namespace, params["approach"], len(grant.pods)
            )
        )
    if additions:
        context.say(f"would add {len(additions)} ephemeral containers to pods, where their entries stay")
    return {
        "changed": bool(additions),
        "run_id": run_id,
        "not_scanned": forbidden[:_LISTED_IN_RESULT],
        "footprint": _shown_footprint(additions),
        "counts": {"selected": len(targets), "scanned": 0, "not_scanned": len(forbidden)},
        "diff": [] if params["access"] else planned_access(params, grantor, run_id, targets),
    }


def _additions(params: Mapping[str, Any], targets: Sequence[SelectedTarget]) -> list[Footprint]:
    """The ephemeral containers that a scan would add. What a target would be refused for is the scan's to tell."""
    limits, options = _limits(params), approach_options(params)
    additions: list[Footprint] = []
    for selected in targets:
        with suppress(ScanError):
            entry = predict_change(options, selected, limits)
            if entry:
                additions.append(
                    Footprint(selected.target.namespace, selected.target.pod, entry["name"], True)
                )
    return additions


def _forbidden(
    params: Mapping[str, Any], context: TaskContext, targets: Sequence[SelectedTarget]
) -> list[dict[str, Any]]:
    """The targets for which every approach that would be tried is forbidden, as records; says how many rules forbid what."""
    options = approach_options(params)
    if not options.forbidden:
        return []
    records: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    for selected in targets:
        refusals = options.refusals(selected)
        for error in refusals:
            said = "{} ({})".format(error.message, error.cause.rstrip("."))
            counts[said] = counts.get(said, 0) + 1
        if refusals and len(refusals) == len(options.chosen()):
            records.append({"target_id": selected.target.target_id, "error": refusals[0].record()})
    for said, number in counts.items():
        context.say(f"{number} containers: {said}")
    return records


def _shown_footprint(added: Sequence[Footprint]) -> dict[str, Any]:
    return {
        "added": len(added),
        "ephemeral_containers": [
            {"namespace": entry.namespace, "pod": entry.pod, "name": entry.ephemeral_container}
            for entry in added[:_LISTED_IN_RESULT]
        ],
    }


def _limits(params: Mapping[str, Any]) -> ExecLimits:
    return ExecLimits(timeout=params["timeout"], output=params["output_limit"])


class _Scan:
    """One run of the task, from the first container to the summary."""

    def __init__(
        self,
        params: Mapping[str, Any],
        context: TaskContext,
        *,
        connection: ClusterConnection,
        grantor: RestClient,
        request: CollectionRequest,
        profiles: list[CompiledProfile],
        amendments: Amendments,
        folder: RunFolder,
        access: Mapping[str, Any],
        targets: list[SelectedTarget],
    ) -> None:
        self._params = params
        self._context = context
        self._connection = connection
        self._grantor = grantor
        self._folder = folder
        self._targets = targets
        limiter = Limiter(per_cluster=params["concurrency"])
        self._access = ScannerAccess(grantor, connection, access, limiter, context.cancel)
        means = Means(self._access, limiter, _limits(params), context.cancel, targets)
        self._approach = open_approach(means, approach_options(params))
        if params["image_side"]:
            self._approach = with_image_side(self._approach, means, approach_options(params))
        self._plan = ScanPlan(
            run_id=folder.path.name,
            approach=self._approach,
            request=request,
            profiles=profiles,
            amendments=amendments,
            keep_facts=params["keep_facts"],
        )
        self._summary = RunSummaryBuilder(
            run_id=self._plan.run_id,
            started=_now(),
            cluster=connection.cluster_name,
            selection={name: params[name] for name in selection_spec()},
            profiles=[
                ProfileReference(profile.name, profile.version, profile.sha256) for profile in profiles
            ],
            collector_version=COLLECTOR_VERSION,
        )
        self._notes: list[Note] = []
        self._lost: list[Outcome] = []
        self._not_scanned: list[dict[str, Any]] = []
        self._scanned = 0

    def run(self) -> dict[str, Any]:
        try:
            return self._run()
        finally:
            self._approach.close()

    def _run(self) -> dict[str, Any]:
        clock, targets = time.monotonic(), self._targets
        said = -1

        def report(done: int) -> None:
            nonlocal said
            if done != said:
                said = done
                self._context.say(
                    f"{done}/{len(targets)} containers done, {len(self._not_scanned)} not scanned"
                )

        for outcome in self._scan(targets, report):
            if self._params["renew_access"] and outcome.error and outcome.error.reason in LOST:
                self._lost.append(outcome)
            else:
                self._keep(outcome)
        report(len(targets))
        if self._lost:
            self._scan_successors()
        self._notes += self._plan.amendments.without_target(
            [selected.target.identity() for selected in targets]
        )
        self._context.warnings += note_warnings(self._notes)
        finished = self._summary.finish(_now(), time.monotonic() - clock, self._notes)
        summary_file = self._folder.write_summary(finished)
        self._folder.mark_latest()
        return {
            "changed": bool(self._approach.added),
            "run_id": self._plan.run_id,
            "run_dir": str(self._folder.path),
            "summary_file": str(summary_file),
            "counts": {
                "selected": len(targets),
                "scanned": self._scanned,
                "not_scanned": len(self._not_scanned),
            },
            "not_scanned": self._not_scanned[:_LISTED_IN_RESULT],
            "footprint": _shown_footprint(self._approach.added),
            "requests": {
                "grantor": self._grantor.requests,
                "scanner": self._access.requests,
                "exec": self._approach.execs,
            },
        }

    def _scan(self, targets: Sequence[SelectedTarget], report: Callable[[int], None]) -> Iterator[Outcome]:
        for _selected, outcome in run_bounded(
            targets,
            lambda selected: scan_target(self._plan, selected),
            self._params["concurrency"],
            self._context.cancel,
            report,
        ):
            yield outcome

    def _scan_successors(self) -> None:
        """Once, for targets whose pod was replaced meanwhile: what stands in their place is scanned instead."""
        current = select_targets(self._grantor, self._connection.cluster_name, selection(self._params))
        renewal = renew_access(
            self._grantor,
            self._access,
            [outcome.selected for outcome in self._lost],
            [selected for selected in current if self._reach(selected) is not None],
            lambda selected: self._reach(selected) or "",
        )
        succeeded = {lost.target.target_id for lost, _successor in renewal.again}
        self._context.say(
            f"{len(self._lost)} containers were replaced meanwhile, {len(succeeded)} successors are scanned "
            "in their place"
        )
        for outcome in self._lost:
            if outcome.selected.target.target_id not in succeeded:
                self._keep(outcome)
        for outcome in self._scan([successor for _lost, successor in renewal.again], lambda done: None):
            self._keep(outcome)

    def _reach(self, selected: SelectedTarget) -> str | None:
        """The approach whose rights alone the access is to have over a successor, "" for all that it has elsewhere; None
        where it must not be entered."""
        options = approach_options(self._params)
        ref = pod_ref(
            selected.pod.object(),
            self._access.approach_in(selected.target.namespace),
            options.chosen(),
            options.forbidden,
        )
        return ref.approach if ref else None

    def _keep(self, outcome: Outcome) -> None:
        identity, approach = outcome.selected.target.identity(), outcome.approach
        if outcome.judgement is None:
            error = outcome.error.record() if outcome.error else {}
            self._not_scanned.append({"target_id": identity["target_id"], "error": error})
            self._summary.add_not_scanned(identity, approach, outcome.duration, error)
            return
        document = hdf_document(outcome.judgement)
        facts = (
            self._folder.write_facts(
                keep_target(
                    outcome.selected, outcome.facts, outcome.judgement.method, outcome.judgement.started
                ),
                identity,
            )
            if outcome.facts is not None
            else None
        )
        drift = (
            drift_in_summary(outcome.drift, self._folder.write_drift(outcome.drift, identity))
            if outcome.drift
            else None
        )
        self._summary.add_scanned(
            identity,
            approach,
            outcome.duration,
            document,
            self._folder.write_hdf(document, identity),
            facts=facts,
            drift=drift,
        )
        self._notes += outcome.notes
        self._scanned += 1


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
