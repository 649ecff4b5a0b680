# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a scan would go, and what is missing. Nothing is changed."""

from __future__ import annotations

import json

from ..options.target_info import scan_target_info_spec
from ..tasks.judging_input import read_teams_file
from ..tasks.named_files import NamedFiles
from ..tasks.target_info import run_scan_target_info
from .arguments import Arguments
from .connection_words import read_connection, read_targets
from .exit_status import NOT_SEEN, PASSED
from .outputs import JSON
from .own_flags import output_of
from .subcommand import Surroundings, done

_ALL = 1_000_000


def run(arguments: Arguments, surroundings: Surroundings) -> int:
    read_connection(arguments, surroundings)
    read_targets(arguments, surroundings, scan_target_info_spec())
    return explain(arguments, surroundings)


def explain(arguments: Arguments, surroundings: Surroundings) -> int:
    """Of a command line whose connection and targets are read. :raises ScanError: as the task"""
    screen, context = surroundings.screen, surroundings.context()
    params = arguments.params(scan_target_info_spec(), explain=True, listed=_ALL, output_file=None)
    params.update(read_teams_file(params, NamedFiles()))
    try:
        result = dict(done(run_scan_target_info(params, context)))
    finally:
        screen.warn(context.warnings)
    table = result.pop("table")
    screen.lines([json.dumps(result, indent=2)] if output_of(arguments) == JSON else table)
    explained = result["explained"]
    return NOT_SEEN if explained["targets"] and not explained["scannable"] else PASSED
