# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows an earlier run, decides its gate, and writes reports beside it."""

from __future__ import annotations

from .arguments import Arguments, bad_usage
from .conclusion import check_formats, conclude, threshold_params
from .subcommand import Surroundings


def run_folder(arguments: Arguments) -> str:
    """The one word, which names a run's folder. :raises ScanError: bad_option"""
    if len(arguments.words) != 1:
        raise bad_usage("the folder of one run is needed", "Such as scan-results/mycluster/latest")
    return arguments.words[0]


def run(arguments: Arguments, surroundings: Surroundings) -> int:
    run_dir, context = run_folder(arguments), surroundings.context()
    gate_params = threshold_params(arguments)
    check_formats(arguments, context)
    try:
        return conclude(
            arguments,
            surroundings,
            context,
            gate_params,
            run_dir,
            sha256=arguments.values.get("summary_sha256"),
            has_reports=bool(arguments.values.get("formats")),
        )
    finally:
        surroundings.screen.warn(context.warnings)
