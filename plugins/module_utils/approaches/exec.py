# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The approach `exec`: a shell that the target's own image brings, entered once, as the container's own
user."""

from __future__ import annotations

from ..access.rights import ENTER, SEE
from ..results.evidence import EVIDENCE_TARGET, Evidence
from ..targets.selection import SelectedTarget
from .approach_kind import NOT_ENTERED, ApproachKind, GivenOptions, Unchanged
from .pod_entry import ExecLimits, PresentShellApproach, check_state

NAME = "exec"


class ExecApproach(PresentShellApproach):
    """One exec per target, with the scanner's token only. It adds nothing to any pod."""

    name = NAME


def _predict_change(selected: SelectedTarget, _options: GivenOptions, _limits: ExecLimits) -> None:
    check_state(selected, NAME)


KIND = ApproachKind(
    name=NAME,
    rights=(ENTER, SEE),
    evidence=Evidence(EVIDENCE_TARGET),
    seconds=0.9,
    goes_on=NOT_ENTERED | {"target_unreadable"},
    open=lambda means, _options: ExecApproach(means),
    predict_change=_predict_change,
    unchanged=Unchanged(
        "only an exec tells whether the image has a shell", "shell_unknown", "if the image has a shell"
    ),
)
