# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_judgement."""

from __future__ import annotations

from dataclasses import dataclass

from .profile import JudgingOptions, judging_spec
from .spec import Params, Spec


@dataclass(frozen=True)
class JudgementOptions:
    """`run_dir`: the folder of the run whose kept facts are judged. `output_dir`: of the new run's folder."""

    judging: JudgingOptions
    run_dir: str
    output_dir: str

    @classmethod
    def from_params(cls, params: Params) -> JudgementOptions:
        """:raises ScanError: as JudgingOptions"""
        return cls(JudgingOptions.from_params(params), params["run_dir"], params["output_dir"])


def scan_judgement_spec() -> Spec:
    return {
        "run_dir": {"type": "path", "required": True},
        "output_dir": {"type": "path", "required": True},
        **judging_spec(),
    }
