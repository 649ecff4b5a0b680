# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The approaches that there are, in the order in which `auto` tries them: the least footprint first."""

from __future__ import annotations

from ..access.rights import RIGHTS
from . import debug, exec, image, sidecar
from .approach_kind import ApproachKind

KINDS: tuple[ApproachKind, ...] = (exec.KIND, sidecar.KIND, debug.KIND, image.KIND)

_BY_NAME = {kind.name: kind for kind in KINDS}
# An access says by the name of an approach which rights it holds.
RIGHTS.update({kind.name: kind.rights for kind in KINDS})


def kind_of(name: str) -> ApproachKind:
    """The approach of that name, which is one of `KINDS`."""
    return _BY_NAME[name]
