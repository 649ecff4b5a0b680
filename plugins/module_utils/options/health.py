# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_health."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..health.canaries import check_controls
from ..health.denied_rights import read_rights
from ..preflight.permissions import Permission
from .scan import ScanOptions, scan_container_spec
from .spec import Params, Spec, bad_option
from .target_info import TargetInfoOptions, scan_target_info_spec

# A scan of canaries and of one container writes into a folder of its own, which is removed.
_NOT_ITS_OWN = ("access", "output_dir", "allow_shared_folder", "keep_facts", "drift", "drift_paths", "renew_access")
_NOT_ITS_OWN += ("teams", "deadlines", "waivers", "attestations", "finished_pods", "limit")
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
    denied: tuple[Permission, ...]
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
            denied=tuple(read_rights(params["denied_rights"])),
            params=as_scan,
        )


def with_defaults(spec: Spec, params: Params) -> dict[str, Any]:
    """The parameters that a specification knows; those that are not given have its defaults."""
    return {
        name: params[name] if params.get(name) is not None else rule.get("default")
        for name, rule in spec.items()
    }


def _canary_options(params: Params) -> CanaryOptions:
    image, namespace = params["canary_image"] or "", params["canary_namespace"] or ""
    good, bad = params["canary_good_selectors"], params["canary_bad_selectors"]
    if image and (good or bad):
        raise bad_option("canary_image", "canaries are made of it, or chosen by selectors, not both")
    if bool(good) != bool(bad):
        raise bad_option("canary_good_selectors", "a good and a bad canary are needed")
    if (image or good) and not namespace:
        raise bad_option("canary_namespace", "canaries need a namespace")
    if not 0 < params["canary_timeout"] <= 600:
        raise bad_option("canary_timeout", "must be above 0 and at most 600 seconds")
    check_controls(params["canary_controls"])
    return CanaryOptions(
        namespace,
        image,
        tuple(params["canary_command"]),
        tuple(good),
        tuple(bad),
        tuple(params["canary_controls"]),
        params["canary_timeout"],
    )


def scan_health_spec() -> Spec:
    inherited = {name: rule for name, rule in scan_container_spec().items() if name not in _NOT_ITS_OWN}
    return {
        "canary_namespace": {"type": "str"},
        "canary_image": {"type": "str"},
        "canary_command": {"type": "list", "elements": "str", "default": ["sleep", "600"]},
        "canary_good_selectors": {"type": "list", "elements": "str", "default": []},
        "canary_bad_selectors": {"type": "list", "elements": "str", "default": []},
        "canary_controls": {"type": "list", "elements": "str", "default": list(CONTROLS)},
        "canary_timeout": {"type": "float", "default": 120.0},
        "denied_rights": {"type": "list", "elements": "str", "default": list(DENIED)},
        **inherited,
    }
