# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each subcommand takes. Nothing here does anything, so that help and completion need no more than the options."""

from __future__ import annotations

from ..options.access import scan_access_spec
from ..options.judgement import scan_judgement_spec
from ..options.report import scan_report_spec
from ..options.scan import scan_container_spec
from ..options.spec import Spec
from ..options.target_info import scan_target_info_spec
from ..options.threshold import scan_threshold_spec
from .arguments import CommandLine
from .flag import FlagGroup
from .flags import (
    ACCESS,
    APPROACH,
    CLUSTER,
    DEPTH,
    EARLIER_RUN,
    ESTIMATE,
    GATE,
    HISTORY,
    JUDGING,
    NAMESPACE,
    OWNERSHIP,
    REPORTS,
    RESULTS,
    SELECTION,
    TIME,
)
from .outputs import JSON, TABLE
from .own_flags import add_all_namespaces, add_dry_run, add_output, add_verbose

_TARGETS, _RUN = "KIND/NAME", "RUN_FOLDER"
_OF_EARLIER_RUNS = ("max_age", "summary_sha256")


def scan_line() -> CommandLine:
    line = CommandLine(
        "",
        "Scan running containers, with an access that is made for the scan and removed after it.",
        {**_conclusion_spec(), **scan_container_spec()},
        (SELECTION, CLUSTER, APPROACH, JUDGING, GATE, RESULTS, DEPTH, OWNERSHIP, TIME, ACCESS),
        _TARGETS,
    )
    add_all_namespaces(line)
    add_output(line)
    line.own_flag(
        "--explain", action="store_true", help="say how it would go and what is missing, as preflight"
    )
    add_dry_run(line)
    add_verbose(line)
    return line


def preflight_line() -> CommandLine:
    line = CommandLine(
        "preflight",
        "Say how a scan would go and which rights are missing; change nothing.",
        scan_target_info_spec(),
        (SELECTION, CLUSTER, APPROACH, ESTIMATE, OWNERSHIP, ACCESS),
        _TARGETS,
    )
    add_all_namespaces(line)
    add_output(line, (TABLE, JSON))
    add_verbose(line)
    return line


def sweep_line() -> CommandLine:
    home = tuple(flag for flag in ACCESS.flags if flag.option == "account_namespace")
    line = CommandLine(
        "sweep",
        "Remove what interrupted scans have left in the cluster, once it has expired.",
        scan_access_spec(),
        (NAMESPACE, CLUSTER, FlagGroup("the access of those scans", home)),
    )
    add_output(line, (TABLE, JSON))
    add_dry_run(line)
    add_verbose(line)
    return line


def judge_line() -> CommandLine:
    line = CommandLine(
        "judge",
        "Judge again what a run has kept (--keep-facts); no cluster is needed.",
        {**_conclusion_spec(), **scan_judgement_spec()},
        (EARLIER_RUN, JUDGING, GATE, RESULTS, HISTORY),
        _RUN,
    )
    add_output(line)
    return line


def report_line() -> CommandLine:
    spec = {**scan_report_spec(), **scan_threshold_spec()}
    del spec["output_dir"]  # reports stand beside the run
    line = CommandLine(
        "report",
        "Show an earlier run, decide its gate; no cluster is needed.",
        spec,
        (GATE, REPORTS, HISTORY),
        _RUN,
    )
    add_output(line)
    return line


def completion_line() -> CommandLine:
    said = "Write the script by which a shell completes the command `securescan`."
    return CommandLine("completion", said, {}, (), "SHELL")


def version_line() -> CommandLine:
    return CommandLine("version", "Say which version this is.", {}, ())


def _conclusion_spec() -> Spec:
    """The options of what follows a run that was just made."""
    spec = {**scan_report_spec(), **scan_threshold_spec()}
    return {name: rule for name, rule in spec.items() if name not in _OF_EARLIER_RUNS}
