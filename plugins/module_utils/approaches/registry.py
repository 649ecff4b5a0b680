# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The approaches that there are, in the order in which `auto` tries them: the least footprint first."""

from __future__ import annotations

from ..access.rights import RIGHTS
from . import debug, exec, image, sidecar
from .approach_kind import ApproachKind

KINDS: tuple[ApproachKind, ...] = (exec.KIND, sidecar.KIND, debug.KIND, image.KIND)

# The same for whoever prefers trust to the least footprint: a shell of our own that sees the running container, then the
# image, which the target cannot touch but which does not show what the container did since its start; its own shell last.
BY_TRUST: tuple[ApproachKind, ...] = (debug.KIND, sidecar.KIND, image.KIND, exec.KIND)

_BY_NAME = {kind.name: kind for kind in KINDS}
# An access says by the name of an approach which rights it holds.
RIGHTS.update({kind.name: kind.rights for kind in KINDS})


def kind_of(name: str) -> ApproachKind:
    """The approach of that name, which is one of `KINDS`."""
    return _BY_NAME[name]
