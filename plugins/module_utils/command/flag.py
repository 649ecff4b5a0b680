# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a flag of the command is: a name for an option of the modules. Type, choices and default are the option's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# What the value of a flag is, for the shell that completes it.
CONTEXTS, NAMESPACES, CONTAINERS, PROFILES, FILES, FOLDERS = (
    "contexts",
    "namespaces",
    "containers",
    "profiles",
    "files",
    "folders",
)


@dataclass(frozen=True)
class Flag:
    """`option` is what it sets, `said` one short line for --help. `flag`: without its dashes; empty where it is called as the
    option. `short`: one letter, or empty. `value`: what stands in the help for the value, empty for one that is true by being
    there. `complete`: which values a shell offers; those of an option with choices are known."""

    option: str
    said: str
    flag: str = ""
    short: str = ""
    value: str = ""
    complete: str = ""

    @property
    def name(self) -> str:
        """As it is written: --server"""
        return "--" + (self.flag or self.option.replace("_", "-"))

    @property
    def names(self) -> tuple[str, ...]:
        """The short one first, where there is one."""
        return (f"-{self.short}", self.name) if self.short else (self.name,)


@dataclass(frozen=True)
class FlagGroup:
    """Flags that stand together in the help."""

    title: str
    flags: tuple[Flag, ...]


def flag_of(option: str, groups: Iterable[FlagGroup]) -> str:
    """How the flag of an option is written; the option itself where it has none."""
    return next((flag.name for group in groups for flag in group.flags if flag.option == option), option)
