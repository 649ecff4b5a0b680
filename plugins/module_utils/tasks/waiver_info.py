# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_waiver_info`: results and the waivers and attestations that they are for; what needs somebody."""

from __future__ import annotations

import io
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..options.spec import Params
from ..options.waiver_info import WaiverInfoOptions
from ..reports.exception_markdown import write_review
from ..reports.exception_table import review_lines, verdict_line
from ..reports.page_source import PageSource
from ..results.checked_json import bad_results
from ..results.exception_review import ExceptionReviewer, Review
from ..results.fleet_run import FLEET_JSON, open_fleet_run
from ..results.run import open_run
from ..results.run_check import check_cluster, check_summary_sha256
from ..results.whole_file import write_whole
from ..times import api_time
from .context import TaskContext
from .store import opened_store
from .store_page import source_of_store


def run_scan_waiver_info(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed (whether the report was written), entries, truncated, counts, needing, containers, judged, output,
    table (lines for a terminal), failed, msg, error."""
    options = WaiverInfoOptions.from_params(params, context.environ)
    now = datetime.now(timezone.utc)
    reviewer = ExceptionReviewer(options.amendments, options.rules, now)
    for cluster in _source(options, context).clusters():
        if cluster.error is not None:
            context.warnings.append(f"{cluster.name}: {cluster.error.message}")
        for target in cluster.targets():
            reviewer.take(target)
    review = reviewer.review()
    if not review.judged:
        context.warnings.append(
            "the results have no judged container, so only dates and approvals were reviewed"
        )
    entries = [one.to_json() for one in review.entries[: options.limit]]
    result: dict[str, Any] = {
        "changed": _written(options, review, api_time(now), context),
        "entries": entries,
        "truncated": len(review.entries) > len(entries),
        "counts": review.counts,
        "needing": review.needing,
        "containers": review.containers,
        "judged": review.judged,
        "output": str(options.output) if options.output else "",
        "table": review_lines(review, context.columns),
    }
    if options.fails and review.needing:
        error = ScanError(
            "exceptions_need_action", verdict_line(review), tried="review waivers and attestations"
        )
        result.update(failed=True, msg=str(error), error=error.record())
    elif options.fails and not review.entries and not review.judged:
        error = bad_results(
            "the results", "have no judged container, so no waiver or attestation was reviewed"
        )
        result.update(failed=True, msg=str(error), error=error.record())
    return result


def _source(options: WaiverInfoOptions, context: TaskContext) -> PageSource:
    """The results, whatever they are of. :raises ScanError: what keeps them from being read"""
    if options.store is not None:
        return source_of_store(opened_store(options.store, context))
    folder = options.run_dir or Path()
    if (folder / FLEET_JSON).is_file():
        fleet_run = open_fleet_run(str(folder))
        if options.summary_sha256 not in ("", fleet_run.sha256):
            raise bad_results(
                str(folder / FLEET_JSON),
                f"is not the file that was named: its SHA-256 is {fleet_run.sha256}",
            )
        return PageSource.of_fleet_run(fleet_run)
    run = open_run(str(folder.resolve()))
    check_cluster(run, options.cluster_name)
    check_summary_sha256(run, options.summary_sha256)
    return PageSource.of_run(run)


def _written(options: WaiverInfoOptions, review: Review, made: str, context: TaskContext) -> bool:
    """Whether the report is another one than before; in check mode it would be."""
    if options.output is None:
        return False
    text = io.StringIO()
    write_review(review, made[:10], text)
    data = text.getvalue().encode()
    if options.output.is_file() and options.output.read_bytes() == data:
        return False
    if context.check_mode:
        context.say(f"would write {options.output}")
    else:
        write_whole(options.output, data)
    return True
