# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_container`: options in, a run over the chosen containers, a folder of results out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from typing import Any

from ..approaches.choice import check_targets
from ..cluster.cluster_uid import read_cluster_uid
from ..cluster.rest import RestClient
from ..collector.frames import COLLECTOR_VERSION
from ..drift.listings import image_queries
from ..engines.registry import engines_for
from ..errors import ScanError
from ..options.scan import ScanOptions
from ..options.spec import Params
from ..results.output_folder import check_output_folder
from ..results.run_folder import cluster_folder, new_run_folder
from ..results.teams import Ownership
from ..results.unmatched import Unmatched
from ..scanning.carry_over import CarryOver
from ..scanning.namespace_owners import namespace_owners
from ..scanning.run_recorder import RunRecorder, footprint_of_run
from ..scanning.scan_access import run_id_of, scan_access_of
from ..scanning.scan_preview import preview_scan
from ..scanning.scan_progress import ScanProgress
from ..scanning.scan_run import Scan, ScanRun, record_not_scanned
from ..scanning.scan_target import scan_request, unreached
from ..store.known_results import StoreKnownResults
from ..store.opening import open_store
from ..store.store import Store
from ..targets.selection import SelectedTarget, SelectionReport, check_selected, select_targets
from ..text_layout import number_of
from ..time_limit import TimeLimit
from .context import TaskContext, connect_grantor
from .interrupts import run_interruptible

# What the removal of the access may take when the scan's time is over. What then remains ends with its token, and goes
# with the next sweep.
_GRACE_SECONDS = 30.0


def run_scan_container(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed (whether anything was added to a pod), footprint, run_id, run_dir, summary_file,
    summary_sha256, counts, not_scanned, unmatched, left_out, requests.

    In check mode would_scan and diff. Where the scan's access could not be removed also failed, msg and error.
    """
    options = ScanOptions.from_params(params)
    limit = TimeLimit(options.times.seconds_left(datetime.now(timezone.utc)), context.cancel)
    try:
        with _store_of(options) as store:
            return _scan(options, context, limit, store)
    except ScanError as error:
        if error.reason != "cancelled" or not limit.has_passed:
            raise
        raise ScanError(
            "out_of_time",
            f"the {limit.seconds:.0f} s that the scan had were over",
            tried=error.tried,
            cause="Nothing was scanned, and nothing is left in the cluster.",
        ) from error


def _scan(
    options: ScanOptions, context: TaskContext, limit: TimeLimit, store: Store | None
) -> dict[str, Any]:
    engines = engines_for(options.judging.profiles)
    request = scan_request(engines, options.drift_paths)
    if image_queries(request.queries):
        options = options.looking_at_images()
    connection = connect_grantor(options.connection, context, limit)
    cluster = options.cluster_name or connection.cluster_name
    runs = cluster_folder(options.output_dir, cluster)
    shared = check_output_folder(str(runs), options.allow_shared_folder)
    context.warnings += shared
    grantor = RestClient(connection, cancel=limit, cleanup=lambda: limit.with_grace(_GRACE_SECONDS))
    looked_at = SelectionReport()
    targets = list(select_targets(grantor, cluster, options.targets.selection, looked_at))
    context.warnings += check_selected(
        grantor, options.targets.selection, looked_at, options.targets.allow_empty
    )
    check_targets(options.approach, targets)
    left_out = looked_at.left_out_by_no_option()
    unmatched = [Unmatched.of(**name) for name in looked_at.unmatched]
    if not targets:
        context.say("nothing is to be scanned: no container was selected, which allow_empty accepts")
    cluster_uid = read_cluster_uid(grantor)
    carry_over = CarryOver(
        options,
        runs,
        cluster,
        cluster_uid,
        targets,
        selection=options.targets.as_given,
        is_ours=not shared,
        store=StoreKnownResults(store, cluster) if store is not None else None,
    )
    if context.check_mode:
        return dict(preview_scan(options, carry_over, unmatched, grantor, context.say), left_out=left_out)
    owners = _owners(options, grantor, cluster, targets, context)
    # before the access: where the output folder cannot be written, the cluster is left alone
    folder = new_run_folder(runs, run_id_of(options))
    recorder = RunRecorder(
        folder,
        cluster=cluster,
        selection=options.targets.as_given,
        judging=options.judging,
        collector_version=COLLECTOR_VERSION,
        left_out=left_out,
        cluster_uid=cluster_uid,
        unmatched=unmatched,
        allow_empty=options.targets.allow_empty,
        deadline=limit.seconds,
        keeps_journal=True,
        owners=owners,
        deadlines=options.ownership.deadlines,
    )
    progress = ScanProgress(runs, recorder, len(targets), limit, context.say)
    try:
        progress.begin()
        others = carry_over.take_over(recorder, context.say)
        scan = Scan(options, engines, request, carry_over.agenda.targets, others, carry_over.resumed)
        result = _scanned(scan, recorder, grantor, context, progress)
    finally:
        recorder.close()
        progress.end()
    return dict(result, left_out=left_out)


def _scanned(
    scan: Scan,
    recorder: RunRecorder,
    grantor: RestClient,
    context: TaskContext,
    progress: ScanProgress,
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    limit = progress.limit

    def scan_all() -> None:
        with scan_access_of(scan.options, grantor, recorder.run_id, scan.targets, context.warnings) as access:
            scanning = ScanRun(
                scan,
                recorder,
                grantor,
                access,
                progress=progress,
                say=context.say,
                cancel=context.cancel,
            )
            try:
                result.update(scanning.run())
            finally:
                context.leaves = _leaves(scan, scanning.ephemeral_containers)
            context.warnings += recorder.warnings

    def run() -> None:
        context.leaves = _leaves(scan, 0)
        try:
            scan_all()
        except ScanError as error:
            if result or not limit.has_passed:
                raise
            for selected in scan.targets:
                if not recorder.has(selected.target.target_id):
                    record_not_scanned(recorder, unreached(selected, scan.options.approach.name))
            result.update(
                changed=False,
                **scan.finish(recorder),
                footprint=footprint_of_run(()),
                requests=_requests(grantor),
            )
            context.warnings += recorder.warnings
            if error.reason != "cancelled":
                raise

    try:
        run_interruptible(run, context.cancel)
    except ScanError as error:
        if not result:
            raise
        # the scan is done and only the removal of its access failed: that is a failure, but its results stand
        result.update(failed=True, msg=str(error), error=error.record())
    return result


@contextmanager
def _store_of(options: ScanOptions) -> Iterator[Store | None]:
    """The store that was named, None without one: it is opened before the cluster is touched.

    :raises ScanError: as open_store
    """
    times = options.times
    if not times.store:
        yield None
        return
    with closing(open_store(times.store, times.store_password, options.allow_shared_folder)) as store:
        yield store


def _requests(grantor: RestClient) -> dict[str, int]:
    """Of a scan that has entered no container."""
    return {"grantor": grantor.requests, "scanner": 0, "exec": 0}


def _owners(
    options: ScanOptions,
    grantor: RestClient,
    cluster: str,
    targets: Sequence[SelectedTarget],
    context: TaskContext,
) -> dict[str, Ownership]:
    """Who owns the namespaces of the targets; nobody is known without rules."""
    names = sorted({selected.target.namespace for selected in targets})
    if options.ownership.teams is None:
        return dict.fromkeys(names, Ownership())
    return namespace_owners(
        grantor, cluster, names, options.ownership.teams, cancel=context.cancel, warnings=context.warnings
    )


def _leaves(scan: Scan, ephemeral_containers: int) -> str:
    """What an interrupted scan leaves in the cluster when its access was removed."""
    of_access = "the access that was given stays" if scan.options.access else "its access was removed"
    if not ephemeral_containers:
        return f"{of_access}, and nothing of the scan was left in the cluster"
    return f"{of_access}; left until the pods end: {number_of(ephemeral_containers, 'ephemeral container')}"
