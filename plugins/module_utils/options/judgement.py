# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_judgement."""

from __future__ import annotations

from dataclasses import dataclass

from .profile import JudgingOptions, judging_spec
from .run import (
    cluster_name_option,
    cluster_name_spec,
    shared_folder_spec,
    summary_sha256_option,
    summary_sha256_spec,
)
from .spec import Params, Spec


@dataclass(frozen=True)
class JudgementOptions:
    """`run_dir`: the folder of the run whose kept facts are judged; `summary_sha256`: of its summary, empty where that is
    not known. `output_dir`: of the new run's folder. `cluster_name`: that of the run, empty where any is taken."""

    judging: JudgingOptions
    run_dir: str
    summary_sha256: str
    output_dir: str
    allow_shared_folder: bool
    cluster_name: str

    @classmethod
    def from_params(cls, params: Params) -> JudgementOptions:
        """:raises ScanError: as JudgingOptions; bad_option, for what is no SHA-256"""
        return cls(
            judging=JudgingOptions.from_params(params),
            run_dir=params["run_dir"],
            summary_sha256=summary_sha256_option(params),
            output_dir=params["output_dir"],
            allow_shared_folder=params["allow_shared_folder"],
            cluster_name=cluster_name_option(params),
        )


def scan_judgement_spec() -> Spec:
    return {
        "run_dir": {"type": "path", "required": True},
        **summary_sha256_spec(),
        "output_dir": {"type": "path", "required": True},
        **shared_folder_spec(),
        **cluster_name_spec(),
        **judging_spec(),
    }
