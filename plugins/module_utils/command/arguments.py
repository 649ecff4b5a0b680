# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of a command line as the options of a task."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from ..errors import ScanError
from ..options.spec import Params, Spec
from ..options.values import read_values
from ..suggestions import question
from .exit_status import MEANINGS
from .flag import Flag, FlagGroup, flag_of

_PROGRAM = "kubectl securescan"
_OPTION = re.compile(r"reading the option (?P<option>\w+)(?P<item>\S*)")


def bad_usage(message: str, advice: str = "") -> ScanError:
    """The error for a command line that cannot be meant."""
    return ScanError(
        "bad_option",
        message,
        tried="reading the command line",
        advice=advice or f"`{_PROGRAM} --help` lists what there is.",
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise bad_usage(message)


class CommandLine:
    """What a subcommand takes.

    :param name: of the subcommand; empty for the one that needs no name
    :param spec: of all options that its flags can set
    :param groups: flags as the help shows them; those of options that are not in `spec` are none of it
    :param words: what its words are called in the help; empty where it takes none
    """

    def __init__(
        self, name: str, said: str, spec: Spec, groups: Sequence[FlagGroup], words: str = ""
    ) -> None:
        self.spec = spec
        of_spec = (
            FlagGroup(group.title, tuple(flag for flag in group.flags if flag.option in spec))
            for group in groups
        )
        self.groups = tuple(group for group in of_spec if group.flags)
        self._parser = _Parser(
            prog=f"{_PROGRAM} {name}".strip(),
            usage="%(prog)s" + (f" [{words} ...]" if words else "") + " [flags]",
            description=said,
            epilog="exit status:\n" + "".join(f"  {number:<4}{text}\n" for number, text in MEANINGS.items()),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self._takes_words = bool(words)
        for group in self.groups:
            shown = self._parser.add_argument_group(group.title)
            for flag in group.flags:
                _add(shown, flag, spec[flag.option])

    def own_flag(self, *names: str, **how: Any) -> None:
        """A flag that sets no option."""
        self._parser.add_argument(*names, **how)

    @property
    def flags(self) -> Mapping[str, Flag]:
        """By each of their names."""
        return {name: flag for group in self.groups for flag in group.flags for name in flag.names}

    @property
    def all_names(self) -> Sequence[str]:
        """All flags as they are written."""
        return [name for action in self._parser._actions for name in action.option_strings]

    def choices_of(self, name: str) -> Sequence[str]:
        """The values that a flag of the command's own can have; none where any can be meant."""
        return next(
            (
                [str(each) for each in action.choices or ()]
                for action in self._parser._actions
                if name in action.option_strings
            ),
            [],
        )

    def add_to_help(self, text: str) -> None:
        """A line before the exit status."""
        self._parser.epilog = f"{text}\n\n{self._parser.epilog}"

    def takes_value(self, name: str) -> bool:
        """Whether the flag wants a value."""
        return any(name in action.option_strings and action.nargs != 0 for action in self._parser._actions)

    def read(self, arguments: Sequence[str]) -> Arguments:
        """:raises ScanError: bad_option, for a flag that there is not, or a value that it cannot have"""
        found, others = self._parser.parse_known_args(list(arguments))
        words = [word for word in others if word != "--"]
        unknown = next((word for word in words if word.startswith("-")), "")
        if unknown:
            name = unknown.partition("=")[0]
            raise bad_usage(f"there is no flag {name[:100]}{question(name, self.all_names)}")
        if words and not self._takes_words:
            raise bad_usage(f"{words[0][:100]!r} stands where no word is expected")
        given = vars(found)
        options = {name: value for name, value in given.items() if name in self.spec and value is not None}
        own = {name: value for name, value in given.items() if name not in self.spec}
        return Arguments(self, words, self._values(options), own)

    def _values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The values of the options that are given, each of its type."""
        plain = {name: _joined(self.spec[name], value) for name, value in given.items()}
        read = read_values(self.spec, plain)
        if read.problems:
            said = "; ".join(f"{flag_of(one.option, self.groups)} {one.why}" for one in read.problems)
            raise bad_usage(said)
        return {
            name: str(Path(value).expanduser()) if self.spec[name].get("type") == "path" else value
            for name, value in read.values.items()
        }

    def named_by_flags(self, error: ScanError) -> ScanError:
        """The error, which calls an option by its flag."""
        found = _OPTION.fullmatch(error.tried)
        if found is None:
            return error
        tried = f"reading {flag_of(found['option'], self.groups)}{found['item']}"
        return ScanError(error.reason, error.message, tried=tried, cause=error.cause, advice=error.advice)


class Arguments:
    """A command line that was read. `values`: by option, what was given. `words`: what is no flag. `others`: by name, the
    flags that set no option."""

    def __init__(
        self,
        line: CommandLine,
        words: Sequence[str],
        values: Mapping[str, Any],
        others: Mapping[str, Any],
    ) -> None:
        self.line = line
        self.words = list(words)
        self.values = dict(values)
        self.others = dict(others)

    def params(self, spec: Spec, **more: Any) -> dict[str, Any]:
        """The parameters of a task: what was given of its options, and its defaults.

        :param more: what the command sets itself, in place of both
        """
        values = {**self.values, **more}
        return {name: with_defaults(rule, values.get(name)) for name, rule in spec.items()}


def with_defaults(rule: Mapping[str, Any], value: Any) -> Any:
    """The value, or the default where there is none; the same in the dictionaries of a list."""
    if value is None:
        return rule.get("default")
    inner: Spec = rule.get("options") or {}
    if inner and isinstance(value, list):
        return [_filled(inner, item) for item in value]
    return _filled(inner, value) if inner else value


def _filled(inner: Spec, value: Params) -> dict[str, Any]:
    return {name: with_defaults(rule, value.get(name)) for name, rule in inner.items()}


def _add(parser: Any, flag: Flag, rule: Mapping[str, Any]) -> None:
    """One flag, of its option's type."""
    kind, said = rule.get("type", "str"), flag.said.replace("%", "%%")
    if kind == "bool":
        if rule.get("default") is True:
            parser.add_argument(
                "--no-" + flag.name[2:],
                dest=flag.option,
                action="store_false",
                default=None,
                help=f"do not: {said}",
            )
        else:
            parser.add_argument(*flag.names, dest=flag.option, action="store_true", default=None, help=said)
        return
    parser.add_argument(
        *flag.names,
        dest=flag.option,
        metavar=flag.value,
        action="append" if kind in ("list", "dict") else "store",
        help=_with_rule(said, rule),
    )


def _with_rule(said: str, rule: Mapping[str, Any]) -> str:
    """The words with the option's choices, and with its default."""
    choices, default = rule.get("choices"), rule.get("default")
    if choices:
        said += f": {', '.join(map(str, choices))}"
    if isinstance(default, list):
        default = ",".join(map(str, default))
    return f"{said} (default {default})" if default not in (None, "", {}) else said


def _joined(rule: Mapping[str, Any], value: Any) -> Any:
    """A flag that can be repeated, as one value of its option."""
    kind = rule.get("type", "str")
    if kind == "dict":
        return _pairs(value)
    if kind == "list" and rule.get("elements") == "dict":
        return value[0] if len(value) == 1 else value
    if kind == "list":
        read = [read_values({"each": dict(rule)}, {"each": item}) for item in value]
        # a value that cannot be used is told once, of all
        return (
            value
            if any(one.problems for one in read)
            else [part for one in read for part in one.values["each"]]
        )
    return value


def _pairs(given: Sequence[str]) -> dict[str, Any]:
    """NAME=VALUE, where a value in JSON or YAML is what it says."""
    pairs: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise bad_usage(f"{text[:100]!r} is not NAME=VALUE")
        read = read_values({"each": {"type": "dict"}}, {"each": f"{{each: {value}}}"})
        pairs[name.strip()] = value if read.problems else read.values["each"]["each"]
    return pairs
