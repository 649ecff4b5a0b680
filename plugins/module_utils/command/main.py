# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command: chooses the subcommand, and says how it ended."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn, TextIO

from ..errors import ScanError
from ..suggestions import question
from .arguments import Arguments
from .command_lines import (
    completion_line,
    judge_line,
    preflight_line,
    report_line,
    scan_line,
    sweep_line,
    version_line,
)
from .completion import COMPLETE
from .exit_status import FAILED_OTHERWISE, INTERRUPTED, PASSED, exit_status
from .screen import Screen
from .subcommand import Subcommand, Surroundings, of_kubectl

_DEFAULT = "scan"


def _scan(arguments: Arguments, surroundings: Surroundings) -> int:
    from .scan import run

    return run(arguments, surroundings)


def _preflight(arguments: Arguments, surroundings: Surroundings) -> int:
    from .preflight import run

    return run(arguments, surroundings)


def _sweep(arguments: Arguments, surroundings: Surroundings) -> int:
    from .sweep import run

    return run(arguments, surroundings)


def _judge(arguments: Arguments, surroundings: Surroundings) -> int:
    from .judge import run

    return run(arguments, surroundings)


def _report(arguments: Arguments, surroundings: Surroundings) -> int:
    from .report import run

    return run(arguments, surroundings)


def _completion(arguments: Arguments, surroundings: Surroundings) -> int:
    from .completion import run

    return run(arguments, surroundings)


def _version(arguments: Arguments, surroundings: Surroundings) -> int:
    from .version import run

    return run(arguments, surroundings)


# What one does is imported when it is meant: the others do not pay for it.
SUBCOMMANDS: Mapping[str, Subcommand] = {
    _DEFAULT: Subcommand(scan_line, _scan),
    "preflight": Subcommand(preflight_line, _preflight),
    "sweep": Subcommand(sweep_line, _sweep),
    "judge": Subcommand(judge_line, _judge),
    "report": Subcommand(report_line, _report),
    "completion": Subcommand(completion_line, _completion),
    "version": Subcommand(version_line, _version),
}


def main(
    arguments: Sequence[str], environ: Mapping[str, str], stdin: TextIO, stdout: TextIO, stderr: TextIO
) -> int:
    """The exit status."""
    screen = Screen(stdout, stderr)
    try:
        if arguments and arguments[0] == COMPLETE:
            return _complete(arguments[1:], environ, screen)
        return _run(arguments, Surroundings(screen, environ, stdin))
    except SystemExit as ended:  # --help
        return int(ended.code or PASSED)
    except KeyboardInterrupt:
        screen.end_progress()
        return INTERRUPTED
    except ScanError as error:
        screen.say(str(error))
        return exit_status(error.kind.code, error.reason)
    except BrokenPipeError:
        return FAILED_OTHERWISE


def _run(arguments: Sequence[str], surroundings: Surroundings) -> int:
    subcommand, rest = _chosen(arguments)
    line = subcommand.line()
    if subcommand is SUBCOMMANDS[_DEFAULT]:
        line.add_to_help(f"other subcommands: {', '.join(name for name in SUBCOMMANDS if name != _DEFAULT)}")
    try:
        read = line.read(rest)
        surroundings.screen.details = bool(read.others.get("verbose"))
        return subcommand.run(read, surroundings)
    except ScanError as error:
        raise line.named_by_flags(error) from error


def _chosen(arguments: Sequence[str]) -> tuple[Subcommand, Sequence[str]]:
    first = arguments[0] if arguments else ""
    if first in SUBCOMMANDS:
        return SUBCOMMANDS[first], arguments[1:]
    if first and not first.startswith("-") and "/" not in first and question(first, SUBCOMMANDS):
        raise ScanError(
            "bad_option",
            f"there is no subcommand {first[:100]}{question(first, SUBCOMMANDS)}",
            tried="reading the command line",
            advice=f"The subcommands are {', '.join(SUBCOMMANDS)}; a target is named as deploy/api.",
        )
    return SUBCOMMANDS[_DEFAULT], arguments


def _complete(arguments: Sequence[str], environ: Mapping[str, str], screen: Screen) -> int:
    """Answers a shell. Whatever goes wrong, it is no matter of the person who types."""
    from .candidates import candidates

    *before, word = arguments or [""]
    found: list[str] = []
    directive = 0
    with suppress(ScanError):
        subcommand, rest = _chosen(before)
        found, directive = candidates(subcommand.line(), rest, word, of_kubectl(environ))
        if not before and not word.startswith("-"):
            found = [*(name for name in SUBCOMMANDS if name.startswith(word)), *found]
    screen.lines([*found, f":{directive}"])
    return PASSED


def start() -> NoReturn:
    """The process's own."""

    def interrupt(number: int, _frame: Any) -> NoReturn:
        raise KeyboardInterrupt(f"signal {number}")

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = main(sys.argv[1:], os.environ, sys.stdin, sys.stdout, sys.stderr)
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = INTERRUPTED
    except BrokenPipeError:
        status = FAILED_OTHERWISE
    # a cluster that does not answer a completion is not waited for, and nobody may read stdout any more
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(status)
