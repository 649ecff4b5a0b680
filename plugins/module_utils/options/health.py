# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_health."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .approach import approach_spec
from .bounds import check_numbers
from .connection import connection_spec
from .grant import grant_spec
from .profile import profiles_spec
from .run import cluster_name_spec
from .scan import ScanOptions, scan_container_spec
from .selection import targets_spec
from .spec import Params, Spec, bad_option
from .target_info import TargetInfoOptions, scan_target_info_spec

CONTROLS = ("cb-main-process-user", "wb-privilege-escalation", "wb-memory-limit")
DENIED = (
    "* *.*",
    "impersonate users",
    "get secrets",
    "create clusterrolebindings.rbac.authorization.k8s.io",
    "escalate clusterroles.rbac.authorization.k8s.io",
)


@dataclass(frozen=True)
class CanaryOptions:
    """`image` is empty where pods that are there are the canaries: then `good` and `bad` are their label selectors."""

    namespace: str
    image: str
    command: tuple[str, ...]
    good: tuple[str, ...]
    bad: tuple[str, ...]
    controls: tuple[str, ...]
    timeout: float

    @property
    def is_asked_for(self) -> bool:
        return bool(self.image or self.good)


@dataclass(frozen=True)
class HealthOptions:
    """`scan`: what a scan with these options would be, `info`: the same for a preflight. `params`: the options as a scan takes
    them, for the scan of the canaries."""

    scan: ScanOptions
    info: TargetInfoOptions
    canaries: CanaryOptions
    denied: tuple[str, ...]
    params: Params

    @classmethod
    def from_params(cls, params: Params) -> HealthOptions:
        """:raises ScanError: bad_option, and as ScanOptions"""
        canaries = _canary_options(params)
        as_scan = with_defaults(scan_container_spec(), params)
        return cls(
            scan=ScanOptions.from_params(as_scan),
            info=TargetInfoOptions.from_params(
                {**with_defaults(scan_target_info_spec(), params), "explain": True, "listed": 0}
            ),
            canaries=canaries,
            denied=tuple(params["denied_rights"]),
            params=as_scan,
        )


def with_defaults(spec: Spec, params: Params) -> dict[str, Any]:
    """The parameters that a specification knows; those that are not given have its defaults."""
    return {
        name: params[name] if params.get(name) is not None else rule.get("default")
        for name, rule in spec.items()
    }


def _canary_options(params: Params) -> CanaryOptions:
    check_numbers(params)
    image, namespace = params["canary_image"] or "", params["canary_namespace"] or ""
    good, bad = params["canary_good_selectors"], params["canary_bad_selectors"]
    if image and (good or bad):
        raise bad_option("canary_image", "canaries are made of it, or chosen by selectors, not both")
    if bool(good) != bool(bad):
        raise bad_option("canary_good_selectors", "a good and a bad canary are needed")
    if (image or good) and not namespace:
        raise bad_option("canary_namespace", "canaries need a namespace")
    controls = params["canary_controls"]
    if not controls or len(set(controls)) < len(controls):
        raise bad_option("canary_controls", "it must name controls, each once")
    return CanaryOptions(
        namespace,
        image,
        tuple(params["canary_command"]),
        tuple(good),
        tuple(bad),
        tuple(controls),
        params["canary_timeout"],
    )


def scan_health_spec() -> Spec:
    return {
        "canary_namespace": {"type": "str"},
        "canary_image": {"type": "str"},
        "canary_command": {"type": "list", "elements": "str", "default": ["sleep", "600"]},
        "canary_good_selectors": {"type": "list", "elements": "str", "default": []},
        "canary_bad_selectors": {"type": "list", "elements": "str", "default": []},
        "canary_controls": {"type": "list", "elements": "str", "default": list(CONTROLS)},
        "canary_timeout": {"type": "float", "default": 120.0},
        "denied_rights": {"type": "list", "elements": "str", "default": list(DENIED)},
        "timeout": {"type": "float", "default": 60.0},
        "compiled_profiles": {"type": "list", "elements": "dict"},
        **profiles_spec(),
        **cluster_name_spec(),
        **approach_spec(),
        **grant_spec(),
        **targets_spec(),
        **connection_spec(),
    }
