# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task shows people beside its result: progress lines while it works, and a block of text at its end.

Every line says which host it is about. A block is displayed in one call: Ansible's main process displays one call of a
worker after another, so blocks of several hosts never mix, and a job system keeps a block as one event.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from ansible import constants, context
from ansible.utils.display import Display

_display = Display()
# Ansible loads action plugins, and this file with them, before it forks a worker, whose stdout is no terminal.
_IS_TERMINAL = os.isatty(1)
# Its stderr is none either. A worker that was interrupted speaks to nobody else: the main process no longer listens.
try:
    _STDERR = os.dup(2)
except OSError:  # closed
    _STDERR = -1
# The stdout callbacks that write for people, without the collection's name. Any other one may be read by a program.
_FOR_PEOPLE = frozenset(
    {
        "actionable",
        "counter_enabled",
        "debug",
        "default",
        "default_without_diff",
        "dense",
        "diy",
        "full_skip",
        "print_task",
        "selective",
        "skippy",
        "stderr",
        "tasks_only",
        "timestamp",
        "unixy",
        "yaml",
    }
)
# ansible-runner's callback stands in front of the one that the operator has chosen, which this variable names.
_OF_RUNNER = "awx_display"
_BEHIND_RUNNER = "ORIGINAL_STDOUT_CALLBACK"
# How many v of the command line it takes.
_DETAILS = 3


def stdout_callback(environ: Mapping[str, str]) -> str:
    """The name of the callback that writes to stdout, without its collection.

    Ansible tells no plugin which callback it has chosen, so this follows its own choice: the configuration's for
    ansible-playbook, `oneline` or `minimal` for `ansible` unless the configuration asks for callbacks there too.
    """
    name: str = constants.DEFAULT_STDOUT_CALLBACK
    arguments = context.CLIARGS
    if "one_line" in arguments:
        if arguments["one_line"]:
            name = "oneline"
        elif not constants.DEFAULT_LOAD_CALLBACK_PLUGINS or name == "default":
            name = "minimal"
    if name == _OF_RUNNER:
        name = environ.get(_BEHIND_RUNNER) or "default"
    return name.rpartition(".")[2]


def is_stdout_for_people() -> bool:
    """Whether no program reads stdout. Else what is for people goes to stderr."""
    return stdout_callback(os.environ) in _FOR_PEOPLE


class HostDisplay:
    """Displays lines about one host; none where the task has `no_log`."""

    def __init__(self, host: str, *, no_log: bool) -> None:
        self._host = host
        self._is_silent = no_log

    def say(self, text: str) -> None:
        """One line of progress, at once."""
        self._display(f"[{self._host}] {text}")

    def last_words(self, text: str) -> None:
        """A line to the controller's stderr, from a worker whose play is over; nothing for an empty text."""
        if text and not self._is_silent:
            with suppress(OSError):
                os.write(_STDERR, f"[{self._host}] {text}\n".encode("utf-8", "backslashreplace"))

    def teller(self) -> Callable[[str], None] | None:
        """What displays one line of detail (-vvv); None where nobody wants them, so that none is made."""
        if self._is_silent or _display.verbosity < _DETAILS:
            return None
        return lambda text: _display.vvv(text, host=self._host)

    def sums(self, text: str) -> None:
        """A line of sums (-vv), if there is one."""
        if text and not self._is_silent:
            _display.vv(f"[{self._host}] {text}")

    def block(self, lines: Sequence[str], cluster: str = "") -> None:
        """Lines below a head that names the host, and its cluster where that has another name, in one call."""
        if lines:
            named = f" cluster {cluster}" if cluster not in ("", self._host) else ""
            self._display("\n".join((f"[{self._host}]{named}", *lines)))

    def _display(self, text: str) -> None:
        if self._is_silent:
            return
        if is_stdout_for_people():
            _display.display(text)
        else:
            _display.display(text, stderr=True)


def terminal_columns() -> int:
    """The columns of the terminal that people look at, 0 without one."""
    return int(_display.columns) if _IS_TERMINAL else 0
