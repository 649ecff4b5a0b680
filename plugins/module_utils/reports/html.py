# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page report.html: one file with everything in it, which asks for nothing over a network.

It is the built page of page/ (see page_file.py) with the data of page_data.py in it, packed by gzip and written in base64: no
text of a container can end the element in which it stands. The page's own policy (Content-Security-Policy) lets no other script
run and no request leave.
"""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from ..results.run import Run
from ..results.whole_file import whole_file
from .page_data import PageData
from .page_file import page_template
from .page_source import PageSource
from .report import Report

FILE_NAME = "report.html"
# Where the built page wants its data.
DATA_PLACE = "@@PAGE_DATA@@"
_GZIP = 31
_LEVEL = 6
# A multiple of three: base64 of the pieces is then that of the whole.
_PIECE = 3 * 16 * 1024


def write_page(source: PageSource, stream: TextIO) -> None:
    """Writes the page, piece by piece."""
    before, _place, after = page_template().partition(DATA_PLACE)
    stream.write(before)
    for piece in packed(PageData(source).pieces()):
        stream.write(piece)
    stream.write(after)


def write_page_file(source: PageSource, folder: Path) -> Path:
    """Writes report.html in `folder`. Returns its path. :raises ScanError: `write_failed`"""
    path = folder / FILE_NAME
    with whole_file(path) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="\n")
        write_page(source, text)
        text.detach()
    return path


def packed(texts: Iterable[str]) -> Iterator[str]:
    """Texts in ASCII as base64 of their gzip, in pieces."""
    rest = b""
    for data in _compressed(texts):
        rest += data
        whole = len(rest) - len(rest) % _PIECE
        if whole:
            yield base64.b64encode(rest[:whole]).decode("ascii")
            rest = rest[whole:]
    yield base64.b64encode(rest).decode("ascii")


def _compressed(texts: Iterable[str]) -> Iterator[bytes]:
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    for text in texts:
        yield compressor.compress(text.encode("ascii"))
    yield compressor.flush()


def write_html(run: Run, stream: TextIO) -> None:
    write_page(PageSource.of_run(run), stream)


REPORT = Report("html", FILE_NAME, write_html)
