# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The subcommand that needs no name: scans, judges by the gate, shows."""

from __future__ import annotations

from ..options.check import scan_check_spec
from ..options.scan import scan_container_spec
from ..options.spec import Params
from ..tasks.check import run_scan_check
from ..tasks.container import run_scan_container
from ..tasks.context import TaskContext
from ..tasks.judging_input import read_judging_input, read_ownership_files
from ..tasks.named_files import NamedFiles
from .arguments import Arguments
from .conclusion import check_formats, conclude, threshold_params
from .connection_words import read_connection, read_targets
from .exit_status import PASSED
from .own_flags import is_dry_run
from .preflight import explain
from .results_folder import is_kept, results_folder
from .subcommand import Surroundings, done

# The mark of an access that the command has made.
_OWNER = "kubectl-securescan"


def run(arguments: Arguments, surroundings: Surroundings) -> int:
    spec, files = scan_container_spec(), NamedFiles()
    arguments.values.setdefault("owner", _OWNER)
    read_connection(arguments, surroundings)
    read_targets(arguments, surroundings, spec)
    if arguments.others["explain"]:
        return explain(arguments, surroundings)
    with results_folder(arguments) as folder:
        params = arguments.params(spec, output_dir=folder)
        params.update(read_judging_input(params, files), **read_ownership_files(params, files))
        gate_params = threshold_params(arguments)
        context = surroundings.context(dry_run=is_dry_run(arguments))
        try:
            _check(arguments, params, gate_params, context)
            result = done(run_scan_container(params, context))
            if "run_dir" not in result:
                return PASSED
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
        except KeyboardInterrupt as interruption:
            surroundings.screen.say(context.last_words(interruption) or "interrupted")
            raise
        finally:
            surroundings.screen.warn(context.warnings)


def _check(arguments: Arguments, judging: Params, gate_params: Params, context: TaskContext) -> None:
    """That all that is named can be used, before the cluster is touched. :raises ScanError: as `run_scan_check`"""
    spec = scan_check_spec()
    given = {name: value for name, value in {**judging, **gate_params}.items() if name in spec}
    run_scan_check(
        arguments.params(spec, **{**given, "output_dir": arguments.values.get("output_dir")}), context
    )
    check_formats(arguments, context)
