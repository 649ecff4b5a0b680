# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..evidence.signer import Signer
from ..results.amendments import Amendments
from ..results.threshold import Threshold
from .amendments import amendments_option, amendments_spec
from .ownership import OwnershipOptions, ownership_spec
from .run import cluster_name_option, cluster_name_spec, shared_folder_spec
from .sign import signer_option, signer_spec
from .spec import Params, Spec
from .threshold import threshold_option, threshold_spec


@dataclass(frozen=True)
class CheckOptions:
    """What is checked before a cluster is touched; None for what is not named. `output_dir` is the folder that results
    will be written to, `baseline` an earlier run. `cluster_name`: that of the baseline, empty where any is taken. `signer`
    will sign the run."""

    amendments: Amendments
    threshold: Threshold
    baseline: str | None
    output_dir: str | None
    allow_shared_folder: bool
    cluster_name: str
    ownership: OwnershipOptions
    signer: Signer | None

    @classmethod
    def from_params(cls, params: Params, environ: Mapping[str, str]) -> CheckOptions:
        """:raises ScanError: bad_waivers, bad_attestations, bad_exception_policy, bad_threshold, bad_teams, bad_deadlines;
        bad_key; bad_option, for a name that no cluster has"""
        return cls(
            amendments=amendments_option(params),
            threshold=threshold_option(params),
            baseline=params["baseline"],
            output_dir=params["output_dir"],
            allow_shared_folder=params["allow_shared_folder"],
            cluster_name=cluster_name_option(params),
            ownership=OwnershipOptions.from_params(params),
            signer=signer_option(params, environ),
        )


def scan_check_spec() -> Spec:
    return {
        # for the controller alone
        "role": {"type": "str", "choices": ["access", "fleet", "scan"]},
        "profiles": {"type": "list", "elements": "str", "default": []},
        "inputs": {"type": "dict", "default": {}},
        **amendments_spec(),
        **ownership_spec(),
        **threshold_spec(),
        "output_dir": {"type": "path"},
        **signer_spec(),
        **shared_folder_spec(),
        **cluster_name_spec(),
    }
