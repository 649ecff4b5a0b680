# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people and programs see of the command: stdout has the output and nothing else, stderr all that is said besides."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TextIO

from ..safe_text import escape_text

_TO_LINE_START = "\r\x1b[K"


@dataclass
class Screen:
    """`out` and `err` are text streams; progress is shown on `err` where it is a terminal, each line in place of the one before.
    `details`: also say how the work is done."""

    out: TextIO
    err: TextIO
    details: bool = False

    def __post_init__(self) -> None:
        self._has_progress = False

    @property
    def columns(self) -> int:
        """Of the terminal that stdout is, 0 for none."""
        return shutil.get_terminal_size().columns if self.out.isatty() else 0

    def progress(self, text: str) -> None:
        """A line that the next one replaces; nothing without a terminal."""
        if self.err.isatty():
            width = shutil.get_terminal_size().columns
            self._write(f"{_TO_LINE_START}{escape_text(text)[: width - 1]}")
            self._has_progress = True

    def say(self, text: str) -> None:
        """A line that stays, on stderr."""
        self.end_progress()
        self._write(f"securescan: {text}\n")

    def warn(self, warnings: Iterable[str]) -> None:
        for text in dict.fromkeys(warnings):
            self.say(f"warning: {text}")

    def end_progress(self) -> None:
        if self._has_progress:
            self._write(_TO_LINE_START)
            self._has_progress = False

    def lines(self, lines: Iterable[str]) -> None:
        """Of the output."""
        self.end_progress()
        for line in lines:
            self.out.write(f"{line}\n")

    def _write(self, text: str) -> None:
        # nobody may read it any more: that is no reason to end a scan
        with suppress(OSError):
            self.err.write(text)
            self.err.flush()
