# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_check`: what a scan will read and write, looked at before any cluster is touched."""

from __future__ import annotations

from typing import Any

from ..options.check import CheckOptions
from ..options.spec import Params
from ..results.folder_owners import check_folder
from ..results.output_folder import check_output_folder
from .baseline import PREVIOUS, open_baseline
from .context import TaskContext


def run_scan_check(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed (always false)."""
    options = CheckOptions.from_params(params, context.environ)
    if options.output_dir:
        context.warnings += check_output_folder(options.output_dir, options.allow_shared_folder)
    if options.baseline and options.baseline != PREVIOUS:
        # the gate warns of its folder
        check_folder(options.baseline, options.allow_shared_folder)
        open_baseline(options.baseline, options.cluster_name)
    return {"changed": False}
