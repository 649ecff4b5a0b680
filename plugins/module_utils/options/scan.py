# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_container."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..access.objects import FIRST_APPROACH, check_run_id
from ..access.rights import covers, makes_pods
from ..access.scanner import approach_of, check_covers
from ..approaches.auto import NAME as AUTO
from ..approaches.choice import ApproachOptions, check_image_side, check_options
from ..approaches.pod_entry import ExecLimits
from ..cluster.connection import ConnectionOptions
from .approach import approach_options, approach_spec
from .bounds import check_numbers
from .connection import connection_options, connection_spec
from .grant import GrantOptions, grant_spec
from .ownership import OwnershipOptions, ownership_spec
from .profile import JudgingOptions, judging_spec
from .run import cluster_name_option, cluster_name_spec, shared_folder_spec
from .selection import SelectionOptions, targets_spec
from .spec import Params, Spec, bad_option
from .time_and_resume import TimeAndResume, time_and_resume_spec


@dataclass(frozen=True)
class ScanOptions:
    """`run_id`: empty where the access has one, or a new one is made. `access`: the value that scan_access
    returned, None where the scan makes its own. `drift_paths`: what is compared with the image; empty where drift
    is not asked for. `concurrency`: targets at a time. `cluster_name`: empty where the connection's name for the
    cluster is taken."""

    connection: ConnectionOptions
    targets: SelectionOptions
    approach: ApproachOptions
    limits: ExecLimits
    judging: JudgingOptions
    grant: GrantOptions
    access: Mapping[str, Any] | None
    run_id: str
    output_dir: str
    allow_shared_folder: bool
    concurrency: int
    keep_facts: bool
    renew_access: bool
    drift_paths: tuple[str, ...]
    cluster_name: str
    times: TimeAndResume
    ownership: OwnershipOptions

    @classmethod
    def from_params(cls, params: Params) -> ScanOptions:
        """:raises ScanError: bad_option, where a value cannot be used; as JudgingOptions"""
        check_numbers(params)
        judging = JudgingOptions.from_params(params)
        approach = approach_options(params)
        if params["access"] and approach.name == AUTO:
            approach = _covered(approach, params["access"])
        check_options(approach)
        if params["drift"]:
            check_image_side(approach)
        grant = GrantOptions.from_params(params)
        if not params["access"]:
            grant.check()
        return cls(
            connection=connection_options(params),
            targets=SelectionOptions.from_params(params),
            approach=approach,
            limits=ExecLimits(timeout=params["timeout"], output=params["output_limit"]),
            judging=judging,
            grant=grant,
            access=params["access"] or None,
            run_id=_run_id(params),
            output_dir=params["output_dir"],
            allow_shared_folder=params["allow_shared_folder"],
            concurrency=params["concurrency"],
            keep_facts=params["keep_facts"],
            renew_access=params["renew_access"],
            drift_paths=tuple(params["drift_paths"]) if params["drift"] else (),
            cluster_name=cluster_name_option(params),
            times=TimeAndResume.from_params(params),
            ownership=OwnershipOptions.from_params(params),
        )

    def looking_at_images(self) -> ScanOptions:
        """The same, with the targets' images looked at, too: drift is asked for by option or profile."""
        return replace(self, approach=replace(self.approach, image_side=True))


def _covered(approach: ApproachOptions, access: Mapping[str, Any]) -> ApproachOptions:
    """What `auto` can try with an access that was made beforehand: the approaches that this one covers.

    :raises ScanError: bad_option, where it covers none
    """
    made_for = approach_of(access)
    order = tuple(name for name in approach.order if not makes_pods(name) and covers(made_for, name))
    if not order:
        check_covers(access, approach.order[0] if approach.order else FIRST_APPROACH)
    return replace(approach, order=order)


def _run_id(params: Params) -> str:
    """:raises ScanError: bad_option"""
    given: str = params["run_id"] or ""
    if given and params["access"]:
        raise bad_option("run_id", "the access has a run id: leave run_id out")
    return check_run_id(given) if given else ""


def scan_container_spec() -> Spec:
    return {
        "access": {"type": "dict"},
        "run_id": {"type": "str"},
        "keep_facts": {"type": "bool", "default": False},
        "drift": {"type": "bool", "default": False},
        "drift_paths": {"type": "list", "elements": "str", "default": ["/"]},
        "output_dir": {"type": "path", "required": True},
        **shared_folder_spec(),
        **cluster_name_spec(),
        "concurrency": {"type": "int", "default": 8},
        "timeout": {"type": "float", "default": 60.0},
        "output_limit": {"type": "int", "default": 8388608},
        "renew_access": {"type": "bool", "default": False},
        **time_and_resume_spec(),
        **approach_spec(),
        **judging_spec(),
        **ownership_spec(),
        **grant_spec(),
        **targets_spec(),
        **connection_spec(),
    }
