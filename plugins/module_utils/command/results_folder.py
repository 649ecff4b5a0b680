# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the results of the command are: in the folder that was named, else in a private one that goes away."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from .arguments import Arguments


@contextmanager
def results_folder(arguments: Arguments) -> Iterator[str]:
    """The path of the folder; it is made with the first results."""
    named = arguments.values.get("output_dir")
    if named:
        yield named
        return
    private = tempfile.mkdtemp(prefix="securescan-")  # nobody else can enter it
    try:
        yield private
    finally:
        shutil.rmtree(private, ignore_errors=True)


def is_kept(arguments: Arguments) -> bool:
    """Whether somebody has named the folder."""
    return bool(arguments.values.get("output_dir"))
