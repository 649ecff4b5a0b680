# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_sidecar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..cluster.connection import ConnectionOptions
from ..sidecar.containers import SidecarOptions
from ..sidecar.workload import WorkloadRef, workload_refs
from ..targets.patterns import DNS_LABEL, check_names, is_pattern
from ..targets.quantities import parse_quantity
from .approach import scanner_image_spec
from .bounds import check_numbers
from .connection import connection_options, connection_spec
from .spec import Params, Spec, bad_option

PRESENT, ABSENT = "present", "absent"


@dataclass(frozen=True)
class SidecarTaskOptions:
    """`sidecar`: what the sidecars are like; None where they are removed. `wait_timeout`: seconds for all
    rollouts together. `output_dir`: where manifests are written."""

    connection: ConnectionOptions
    namespace: str
    workloads: Sequence[WorkloadRef]
    sidecar: SidecarOptions | None
    wait: bool
    wait_timeout: int
    manifests_only: bool
    output_dir: Path | None

    @classmethod
    def from_params(cls, params: Params) -> SidecarTaskOptions:
        """:raises ScanError: bad_option"""
        _check(params)
        is_present = params["state"] == PRESENT
        return cls(
            connection=connection_options(params),
            namespace=params["namespace"],
            workloads=workload_refs(
                params["namespace"],
                params["workloads"],
                needs_change=is_present and not params["manifests_only"],
            ),
            sidecar=_sidecar(params) if is_present else None,
            wait=params["wait"],
            wait_timeout=params["wait_timeout"],
            manifests_only=params["manifests_only"],
            output_dir=Path(params["output_dir"]).expanduser() if params["output_dir"] else None,
        )


def _check(params: Params) -> None:
    """:raises ScanError: bad_option"""
    check_names("namespace", [params["namespace"]], DNS_LABEL)
    if is_pattern(params["namespace"]):
        raise bad_option("namespace", "it is a pattern; one namespace must be named")
    check_numbers(params)
    _check_resources(params)
    if params["state"] == PRESENT:
        if not (params["scanner_image"] or "").strip():
            raise bad_option(
                "scanner_image",
                "the sidecar needs an image",
                "Name any image with a POSIX shell and sleep that the clusters' nodes can pull, or have.",
            )
    elif params["manifests_only"] or params["output_dir"]:
        raise bad_option("state", "there are no manifests for state=absent")


def _check_resources(params: Params) -> None:
    for part, amounts in (params["resources"] or {}).items():
        if part not in ("requests", "limits") or not isinstance(amounts, dict):
            raise bad_option(
                "resources", f"{str(part)[:100]} is neither requests nor limits, or has no amounts"
            )
        for name, amount in amounts.items():
            if not _is_amount(amount):
                raise bad_option(
                    "resources", f"{str(name)[:100]} of {part} is {str(amount)[:100]!r}, which is no quantity"
                )


def _is_amount(value: object) -> bool:
    try:
        return parse_quantity(value) >= 0
    except ValueError:
        return False


def _sidecar(params: Params) -> SidecarOptions:
    return SidecarOptions(
        image=params["scanner_image"],
        pull_policy=params["scanner_image_pull_policy"],
        resources=params["resources"] or {},
        user=params["run_as_user"],
        group=params["run_as_group"],
    )


def scan_sidecar_spec() -> Spec:
    return {
        "state": {"type": "str", "choices": [PRESENT, ABSENT], "default": PRESENT},
        "namespace": {"type": "str", "required": True},
        "workloads": {"type": "list", "elements": "str", "required": True},
        **scanner_image_spec(),
        "run_as_user": {"type": "int"},
        "run_as_group": {"type": "int"},
        "resources": {
            "type": "dict",
            "default": {
                "requests": {"cpu": "10m", "memory": "16Mi"},
                "limits": {"cpu": "500m", "memory": "128Mi"},
            },
        },
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 300},
        "manifests_only": {"type": "bool", "default": False},
        "output_dir": {"type": "path"},
        **connection_spec(),
    }
