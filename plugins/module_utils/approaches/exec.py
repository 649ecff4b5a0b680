# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The approach `exec`: a shell that the target's own image brings, entered once, as the container's own user."""

from __future__ import annotations

from .pod_entry import PresentShellApproach

NAME = "exec"


class ExecApproach(PresentShellApproach):
    """One exec per target, with the scanner's token only. It adds nothing to any pod."""

    name = NAME
