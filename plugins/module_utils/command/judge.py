# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges again what an earlier run has kept, by other profiles, inputs, waivers or limits. No cluster is needed."""

from __future__ import annotations

from ..options.judgement import scan_judgement_spec
from ..tasks.judgement import run_scan_judgement
from ..tasks.judging_input import read_judging_input
from ..tasks.named_files import NamedFiles
from .arguments import Arguments
from .conclusion import check_formats, conclude, threshold_params
from .report import run_folder
from .results_folder import is_kept, results_folder
from .subcommand import Surroundings, done


def run(arguments: Arguments, surroundings: Surroundings) -> int:
    run_dir, context = run_folder(arguments), surroundings.context()
    with results_folder(arguments) as folder:
        params = arguments.params(scan_judgement_spec(), run_dir=run_dir, output_dir=folder)
        params.update(read_judging_input(params, NamedFiles()))
        gate_params = threshold_params(arguments)
        check_formats(arguments, context)
        try:
            result = done(run_scan_judgement(params, context))
            return conclude(
                arguments,
                surroundings,
                context,
                gate_params,
                result["run_dir"],
                sha256=result["summary_sha256"],
                has_reports=is_kept(arguments),
                is_kept=is_kept(arguments),
            )
        finally:
            surroundings.screen.warn(context.warnings)
