# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A few lines at the bottom of a terminal that are drawn again and again, while everything else scrolls above them.

The terminal is told to scroll its upper part only (DECSTBM), so whoever writes need not know of these lines. They are written
to the terminal itself, past stdout: a callback's thread must take no lock that a worker could inherit.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress

_SAVE, _RESTORE = "\x1b7", "\x1b8"
_FEWEST_ROWS = 12


class LiveArea:
    """`rows` lines at the bottom of the terminal behind a descriptor. Only the process that made it draws: not its workers."""

    def __init__(self, terminal: int, rows: int) -> None:
        self._terminal = terminal
        self._wanted = rows
        self._pid = os.getpid()
        self._size = os.terminal_size((0, 0))
        self._rows = 0

    @property
    def rows(self) -> int:
        """How many lines can be drawn: none in a small window."""
        lines = self._window().lines
        return min(self._wanted, lines // 3) if lines >= _FEWEST_ROWS else 0

    @property
    def width(self) -> int:
        return self._window().columns

    def draw(self, lines: Sequence[str]) -> None:
        """:param lines: at most `rows` of at most `width` columns, of safe text"""
        if os.getpid() != self._pid:
            return
        window, rows = self._window(), self.rows
        text = ""
        if (window, rows) != (self._size, self._rows):
            text += self._released() + self._taken(window, rows)
            self._size, self._rows = window, rows
        if not rows:
            self._write(text)
            return
        first = window.lines - rows + 1
        shown = [*lines[:rows], *[""] * (rows - len(lines))]
        text += (
            _SAVE
            + "".join(f"\x1b[{first + row};1H\x1b[2K{line}" for row, line in enumerate(shown))
            + _RESTORE
        )
        self._write(text)

    def close(self) -> None:
        """Gives the lines back to the terminal."""
        if os.getpid() == self._pid:
            self._write(self._released())
            self._rows = 0

    def _taken(self, window: os.terminal_size, rows: int) -> str:
        """Makes room by as many line feeds, then scrolls only what is above it."""
        if not rows:
            return ""
        return "\n" * rows + f"\x1b[{rows}A" + _SAVE + f"\x1b[1;{window.lines - rows}r" + _RESTORE

    def _released(self) -> str:
        if not self._rows:
            return ""
        first = self._size.lines - self._rows + 1
        return _SAVE + "\x1b[r" + f"\x1b[{first};1H\x1b[J" + _RESTORE

    def _window(self) -> os.terminal_size:
        try:
            return os.get_terminal_size(self._terminal)
        except OSError:
            return os.terminal_size((0, 0))

    def _write(self, text: str) -> None:
        with suppress(OSError):
            os.write(self._terminal, text.encode("utf-8", "backslashreplace"))
