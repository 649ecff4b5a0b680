# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a subcommand is, and what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable, TextIO

from ..errors import ScanError
from ..tasks.context import TaskContext
from .arguments import Arguments, CommandLine
from .screen import Screen

# kubectl knows nothing of these variables: it and the command would reach two clusters.
_NOT_OURS = "K8S_AUTH_"


def of_kubectl(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without the variables of Ansible's collections for Kubernetes."""
    return {name: value for name, value in environ.items() if not name.startswith(_NOT_OURS)}


class Surroundings:
    """The process, as a subcommand sees it. `environ` is without the variables of Ansible's collections."""

    def __init__(self, screen: Screen, environ: Mapping[str, str], stdin: TextIO) -> None:
        self.screen = screen
        self.environ = of_kubectl(environ)
        self.stdin = stdin

    def context(self, *, dry_run: bool = False) -> TaskContext:
        """For the tasks of one subcommand. What a dry run would do is its output."""
        screen = self.screen
        return TaskContext(
            check_mode=dry_run,
            environ=self.environ,
            say=(lambda text: screen.lines([text])) if dry_run else screen.progress,
            columns=screen.columns,
            tell=screen.say if screen.details else None,
        )


@dataclass(frozen=True)
class Subcommand:
    """`line` makes what it takes; `run` does it and gives the exit status.

    `run` raises ScanError, and KeyboardInterrupt when it was interrupted and has removed what it had made.
    """

    line: Callable[[], CommandLine]
    run: Callable[[Arguments, Surroundings], int]


def done(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The result of a task. :raises ScanError: the one that it ended with"""
    if result.get("failed"):
        raise ScanError.from_record(result["error"])
    return result
