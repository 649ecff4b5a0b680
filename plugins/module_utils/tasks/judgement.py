# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_judgement`: kept facts of a run in, a folder of new results out. Touches no cluster."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ..access.objects import new_run_id
from ..engines.registry import engines_for
from ..errors import ScanError
from ..options.judgement import JudgementOptions
from ..options.spec import Params
from ..results.folder_owners import check_folder
from ..results.run import JudgedFrom, open_earlier_run
from ..results.run_check import check_cluster, check_summary_sha256
from ..results.run_folder import RunFolder, cluster_folder, new_run_folder
from ..scanning.judge_kept import JudgeKept
from ..scanning.run_recorder import RunRecorder
from .context import TaskContext


def run_scan_judgement(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed (always false), run_id, run_dir, summary_file, summary_sha256, counts, not_scanned; in check
    mode without those of the folder.
    """
    options = JudgementOptions.from_params(params)
    context.warnings += check_folder(options.run_dir, options.allow_shared_folder)
    then = open_earlier_run(options.run_dir)
    check_cluster(then, options.cluster_name)
    runs = cluster_folder(options.output_dir, then.cluster)
    context.warnings += check_folder(str(runs), options.allow_shared_folder)
    check_summary_sha256(then, options.summary_sha256)
    if not then.is_empty and not any(target.facts for target in then.targets):
        raise ScanError(
            "bad_facts", f"the run {then.run_id} kept no facts", tried=f"judging {options.run_dir}"
        )
    run_id = new_run_id(datetime.now(timezone.utc))
    folder = RunFolder(runs, run_id) if context.check_mode else new_run_folder(runs, run_id)
    recorder = RunRecorder(
        folder,
        cluster=then.cluster,
        selection=then.selection,
        judging=options.judging,
        collector_version=then.collector_version,
        judged_from=JudgedFrom(then.run_id, then.started),
        left_out=then.left_out,
        cluster_uid=then.cluster_uid,
        unmatched=then.unmatched,
        allow_empty=then.allow_empty,
        writes=not context.check_mode,
    )
    judging = JudgeKept(
        options.run_dir, then, engines_for(options.judging.profiles), options.judging.amendments, recorder
    )
    for target in then.targets:
        judging.judge(target)
    result = {"changed": False, **recorder.finish([target.identity() for target in then.targets])}
    context.warnings += recorder.warnings
    return result
