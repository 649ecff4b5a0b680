# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OSCAL component definitions, judged by compliance-trestle. They say what is checked, and nothing of results."""

from __future__ import annotations

import pathlib

from ..trestle import validate
from .format_reader import FormatReader, Words


def _read(path: pathlib.Path) -> Words:
    validate(path, "component-definition")
    return {}


READER = FormatReader("oscal_component", "compliance-trestle 5.2.0 (OSCAL 1.2.1)", _read)
