# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flags that set no option of a module."""

from __future__ import annotations

from .arguments import Arguments, CommandLine
from .outputs import OUTPUTS, TABLE


def add_all_namespaces(line: CommandLine) -> None:
    line.own_flag("-A", "--all-namespaces", action="store_true", help="all namespaces that you may list")


def add_output(line: CommandLine, outputs: tuple[str, ...] = OUTPUTS) -> None:
    """-o; `output_of` gives it."""
    line.own_flag(
        "-o",
        "--output",
        choices=outputs,
        default=TABLE,
        metavar="FORMAT",
        help=f"what is written to stdout: {', '.join(outputs)}",
    )


def add_dry_run(line: CommandLine) -> None:
    line.own_flag("--dry-run", action="store_true", help="say what would be done, and do nothing")


def add_verbose(line: CommandLine) -> None:
    line.own_flag("--verbose", action="store_true", help="say on stderr how it is done")


def output_of(arguments: Arguments) -> str:
    return str(arguments.others["output"])


def is_dry_run(arguments: Arguments) -> bool:
    return bool(arguments.others.get("dry_run"))
