# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes the access of scans that is past its expiry."""

from __future__ import annotations

import json

from ..options.access import SWEPT, scan_access_spec
from ..tasks.access import run_scan_access
from .arguments import Arguments
from .connection_words import ALL, read_connection
from .exit_status import PASSED
from .outputs import JSON
from .own_flags import is_dry_run, output_of
from .subcommand import Surroundings, done


def run(arguments: Arguments, surroundings: Surroundings) -> int:
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
