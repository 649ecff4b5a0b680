# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The output of a program of the container: command.

Only this resource runs a program by name. No shell is involved.
"""

from __future__ import annotations

from typing import Any, Callable

from ...collector.commands import join_command, split_command
from ...collector.facts import Query
from ...collector.frames import decode_text
from ...errors import ScanError
from ..evidence import Absent
from ..resource import Attribute, Parameter, Params, Resource, View, attributes_by_name, present
from ..value_text import bound_text
from ..value_types import BOOLEAN, INTEGER, TEXT, ValueType


def _accept_argv(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ValueError(
            "found something else; no shell reads it, so each word is an entry of its own, numbers in quotes"
        )
    try:
        return split_command(join_command(value))
    except ScanError as error:
        raise ValueError(error.message) from error


_ARGV = ValueType(
    "a list of a program and its arguments, such as [sshd, -T]",
    _accept_argv,
    {"type": "array", "items": {"type": "string"}, "minItems": 1},
)


def _query(params: Params) -> Query:
    options = (("seconds", params["timeout"]),) if "timeout" in params else ()
    return Query("command", join_command(params["argv"]), options)


def _needs(params: Params) -> tuple[Query, ...]:
    return (_query(params),)


def _shown(params: Params) -> str:
    return bound_text(" ".join(params["argv"]))


def _exit_status(view: View) -> Any:
    return view.part(_query(view.params), "exit_status", lambda answer: answer["exit_status"])


def _exists(view: View) -> Any:
    return present(view.part(_query(view.params), "exist", lambda _answer: True))


def _stream(name: str) -> Callable[[View], Any]:
    def read(view: View) -> Any:
        answer = view.value(_query(view.params))
        return answer if isinstance(answer, Absent) else decode_text(answer[name])

    return read


RESOURCES = (
    Resource(
        "command",
        "One program, run in the container without a shell, as the container's user. Its output stands in "
        "results where a test fails. Only where the scan works inside the container.",
        lambda params: f"Command: `{_shown(params)}`",
        lambda params: f"from `{_shown(params)}`",
        attributes_by_name(
            Attribute(
                "exist",
                BOOLEAN,
                "Whether there is such a program.",
                _exists,
                _needs,
                predicate="exist",
            ),
            Attribute("exit_status", INTEGER, "Its exit status.", _exit_status, _needs),
            Attribute(
                "stdout",
                TEXT,
                "What it wrote; bytes that are not UTF-8 become \\xNN.",
                _stream("stdout"),
                _needs,
            ),
            Attribute("stderr", TEXT, "What it wrote about errors.", _stream("stderr"), _needs),
        ),
        (Parameter("timeout", INTEGER, "Seconds that it may take; left out: 10."),),
        Parameter(
            "argv", _ARGV, "The program (absolute path, or name in PATH) and its arguments.", required=True
        ),
    ),
)
