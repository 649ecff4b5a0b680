# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes the access of scans that is past its expiry."""

from __future__ import annotations

import json

from ..options.access import SWEPT, scan_access_spec
from ..tasks.access import run_scan_access
from .arguments import Arguments, CommandLine
from .connection_words import ALL, read_connection
from .exit_status import PASSED
from .flag import FlagGroup
from .flags import ACCESS, CLUSTER, NAMESPACE
from .outputs import JSON, TABLE
from .own_flags import add_dry_run, add_output, add_verbose, is_dry_run, output_of
from .subcommand import Subcommand, Surroundings, done

_SAID = "Remove what interrupted scans have left in the cluster, once it has expired."
_HOME = FlagGroup(
    "the access of those scans", tuple(flag for flag in ACCESS.flags if flag.option == "account_namespace")
)


def _line() -> CommandLine:
    line = CommandLine("sweep", _SAID, scan_access_spec(), (NAMESPACE, CLUSTER, _HOME))
    add_output(line, (TABLE, JSON))
    add_dry_run(line)
    add_verbose(line)
    return line


def _run(arguments: Arguments, surroundings: Surroundings) -> int:
    read_connection(arguments, surroundings)
    screen, context = surroundings.screen, surroundings.context(dry_run=is_dry_run(arguments))
    # without a namespace all are searched; so says the pattern that means all
    if arguments.values.get("namespaces") == [ALL]:
        del arguments.values["namespaces"]
    try:
        result = run_scan_access(arguments.params(scan_access_spec(), state=SWEPT), context)
    finally:
        screen.warn(context.warnings)
    is_json = output_of(arguments) == JSON
    screen.lines([json.dumps(result["swept"], indent=2)] if is_json else result["table"])
    done(result)
    return PASSED


SUBCOMMAND = Subcommand("sweep", _SAID, _line, _run)
