# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a format's own readers see a report. docs/formats.md is made of what they say."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# (target id, profile, id of the control) -> the format's word for it. A format that only counts has "" as profile and control.
Words = dict[tuple[str, str, str], str]


def no_targets(_path: pathlib.Path) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class FormatReader:
    """Reads what a format wrote, by a program or library that is not ours.

    `name` is that of the registry. `validator` says what judged the report, for people, with its version. `read` gives what it
    says of each control, as its reader shows it and with its marks ("fail, suppressed"); `targets` the same of each target that
    has no controls (not scanned, unread; also of a name that gave no target): none where the format has no words for it.

    Both are given the path that `write_report` returned, and raise AssertionError where the validator refuses what is there.
    """

    name: str
    validator: str
    read: Callable[[pathlib.Path], Mapping[tuple[str, str, str], str]]
    targets: Callable[[pathlib.Path], Mapping[str, str]] = no_targets
