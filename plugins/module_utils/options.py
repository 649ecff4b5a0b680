# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of all modules, each said once. Modules, action plugins and their tests take them from here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .approaches.choice import APPROACHES, ENTERING, ORDER, ApproachOptions
from .approaches.debug_container import DebugOptions
from .approaches.forbidden import OPTION as FORBIDDEN
from .approaches.forbidden import Rules, read_rules
from .approaches.image_helper import ImageOptions
from .cluster.connection import ConnectionOptions
from .errors import ScanError
from .targets.criteria import REPLICAS, Selection
from .targets.pod import CONTAINER_KINDS
from .targets.quantities import parse_quantity

Spec = dict[str, dict[str, Any]]


def connection_spec() -> Spec:
    """How to reach a cluster and as whom: kubernetes.core's names and aliases.

    Its K8S_AUTH_* variables are read by the engine, which knows which of them may go together with which option.
    """
    return {
        "kubeconfig": {"type": "raw", "no_log": False},
        "context": {"type": "str"},
        "host": {"type": "str"},
        "api_key": {"type": "str", "no_log": True},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "ca_cert": {"type": "path", "aliases": ["ssl_ca_cert"]},
        "client_cert": {"type": "path", "aliases": ["cert_file"]},
        "client_key": {"type": "path", "aliases": ["key_file"], "no_log": False},
        "validate_certs": {"type": "bool", "aliases": ["verify_ssl"]},
        "proxy": {"type": "str"},
        "no_proxy": {"type": "str"},
        "impersonate_user": {"type": "str"},
        "impersonate_groups": {"type": "list", "elements": "str"},
        "proxy_headers": {"type": "dict", "no_log": True},
        "in_cluster": {"type": "bool", "default": False},
        "tls_server_name": {"type": "str"},
    }


def connection_options(params: Mapping[str, Any]) -> ConnectionOptions:
    """The engine's connection options from validated parameters."""
    return ConnectionOptions(
        **{name: params[name] for name in connection_spec() if params.get(name) is not None}
    )


def selection_spec() -> Spec:
    """Which containers are meant."""
    names = (
        "namespaces",
        "namespace_selectors",
        "exclude_namespaces",
        "label_selectors",
        "field_selectors",
        "workloads",
        "exclude_workloads",
        "pods",
        "exclude_pods",
        "containers",
        "exclude_containers",
        "images",
        "exclude_images",
    )
    spec: Spec = {name: {"type": "list", "elements": "str", "default": []} for name in names}
    spec["container_kinds"] = {
        "type": "list",
        "elements": "str",
        "choices": list(CONTAINER_KINDS),
        "default": ["container"],
    }
    spec["replicas"] = {"type": "str", "choices": list(REPLICAS), "default": "all"}
    spec["limit"] = {"type": "int"}
    return spec


def selection(params: Mapping[str, Any]) -> Selection:
    """The engine's selection from validated parameters; ScanError bad_option where a value can select nothing."""
    given = {name: params[name] for name in selection_spec() if params.get(name) is not None}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
    return Selection(**values)


def grant_spec() -> Spec:
    """What an access is marked with, and how long it may live."""
    return {
        "owner": {"type": "str", "default": "ansible"},
        "lifetime": {"type": "int", "default": 3600},
    }


def approach_spec() -> Spec:
    """How the content of the containers is reached, and what the containers are like that a scan adds."""
    return {
        "approach": {"type": "str", "choices": list(APPROACHES), "default": "exec"},
        "approaches": {"type": "list", "elements": "str", "choices": list(ORDER), "default": list(ORDER)},
        "helper_namespace": {"type": "str"},
        # names of Secrets, nothing secret themselves
        "scanner_image_pull_secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
        "scanner_image": {"type": "str"},
        "scanner_image_pull_policy": {
            "type": "str",
            "choices": ["Always", "IfNotPresent", "Never"],
            "default": "IfNotPresent",
        },
        "debug_keep_alive": {"type": "int", "default": 0},
        "debug_match_capabilities": {"type": "bool", "default": False},
        "debug_memory_headroom": {"type": "str", "default": "16Mi"},
        **forbidden_spec(),
    }


def forbidden_spec() -> Spec:
    """Which approaches must not be used on which pods."""
    return {
        FORBIDDEN: {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "approaches": {"type": "list", "elements": "str", "choices": list(ORDER), "required": True},
                "namespaces": {"type": "list", "elements": "str", "default": []},
                "label_selectors": {"type": "list", "elements": "str", "default": []},
                "reason": {"type": "str"},
            },
        }
    }


def forbidden_rules(params: Mapping[str, Any]) -> Rules:
    """The rules from validated parameters; ScanError bad_option for one that cannot be meant."""
    return read_rules(params[FORBIDDEN])


def approach_options(params: Mapping[str, Any]) -> ApproachOptions:
    """The engine's options of the approaches from validated parameters."""
    image, pull_policy = params["scanner_image"] or "", params["scanner_image_pull_policy"]
    return ApproachOptions(
        name=params["approach"],
        order=tuple(params["approaches"]),
        forbidden=forbidden_rules(params),
        debug=DebugOptions(
            image=image,
            pull_policy=pull_policy,
            keep_alive=params["debug_keep_alive"],
            match_capabilities=params["debug_match_capabilities"],
            headroom=_bytes("debug_memory_headroom", params),
        ),
        image=ImageOptions(
            namespace=params["helper_namespace"] or "",
            image=image,
            pull_policy=pull_policy,
            pull_secrets=tuple(params["scanner_image_pull_secrets"]),
        ),
        # no option of its own: the task sets it where drift is asked for, by its option or by a profile
        image_side=bool(params.get("image_side")),
    )


def _bytes(option: str, params: Mapping[str, Any]) -> int:
    """A quantity of memory; ScanError bad_option where it is none, or negative."""
    try:
        size = parse_quantity(params[option])
        if size < 0:
            raise ValueError("negative")
    except ValueError as error:
        raise ScanError(
            "bad_option",
            f"{str(params[option])[:100]!r}: {error}",
            tried=f"reading the option {option}",
            advice="Write it as 16Mi; 0 for none.",
        ) from error
    return math.ceil(size)


def scan_access_spec() -> Spec:
    spec: Spec = {
        "state": {"type": "str", "choices": ["present", "absent", "swept"], "default": "present"},
        "run_id": {"type": "str"},
        "scanner_kubeconfig": {"type": "path"},
        "allow_empty": {"type": "bool", "default": False},
        "approach": {"type": "str", "choices": list(ENTERING), "default": "exec"},
    }
    spec.update(forbidden_spec())
    spec.update(grant_spec())
    spec.update(selection_spec())
    spec.update(connection_spec())
    return spec


def scan_guard_spec() -> Spec:
    spec: Spec = {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "scanner_images": {"type": "list", "elements": "str", "default": []},
        "enter_targets": {"type": "bool", "default": True},
        "debug_match_capabilities": {"type": "bool", "default": False},
    }
    spec.update(connection_spec())
    return spec


def scan_sidecar_spec() -> Spec:
    spec: Spec = {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "namespace": {"type": "str", "required": True},
        "workloads": {"type": "list", "elements": "str", "required": True},
        "scanner_image": {"type": "str"},
        "scanner_image_pull_policy": {
            "type": "str",
            "choices": ["Always", "IfNotPresent", "Never"],
            "default": "IfNotPresent",
        },
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
    }
    spec.update(connection_spec())
    return spec


def scan_target_info_spec() -> Spec:
    spec: Spec = {
        "allow_empty": {"type": "bool", "default": False},
        "listed": {"type": "int", "default": 20},
        "output_file": {"type": "path"},
        "footprint": {"type": "bool", "default": False},
        "explain": {"type": "bool", "default": False},
        "earlier_run": {"type": "path"},
        "concurrency": {"type": "int", "default": 8},
        "timeout": {"type": "float", "default": 60.0},
    }
    spec.update(approach_spec())
    spec.update(grant_spec())
    spec.update(selection_spec())
    spec.update(connection_spec())
    return spec


def scan_recycle_spec() -> Spec:
    spec: Spec = {
        "allow_empty": {"type": "bool", "default": False},
        "wait_timeout": {"type": "float", "default": 300.0},
        "concurrency": {"type": "int", "default": 4},
    }
    spec.update(selection_spec())
    spec.update(connection_spec())
    return spec


def profiles_spec() -> Spec:
    """Which profiles, with which inputs."""
    return {
        "profiles": {
            "type": "list",
            "elements": "str",
            "default": ["container-baseline", "workload-baseline"],
        },
        "inputs": {"type": "dict", "default": {}},
    }


def scan_profile_spec() -> Spec:
    spec: Spec = {"tests": {"type": "bool", "default": False}}
    spec.update(profiles_spec())
    return spec


def scan_container_spec() -> Spec:
    spec: Spec = {
        "access": {"type": "dict"},
        "compiled_profiles": {"type": "list", "elements": "dict"},
        "waivers": {"type": "raw"},
        "attestations": {"type": "raw"},
        "keep_facts": {"type": "bool", "default": False},
        "drift": {"type": "bool", "default": False},
        "drift_paths": {"type": "list", "elements": "str", "default": ["/"]},
        "output_dir": {"type": "path", "required": True},
        "concurrency": {"type": "int", "default": 8},
        "timeout": {"type": "float", "default": 60.0},
        "output_limit": {"type": "int", "default": 8388608},
        "renew_access": {"type": "bool", "default": False},
        "allow_empty": {"type": "bool", "default": False},
    }
    spec.update(approach_spec())
    spec.update(profiles_spec())
    spec.update(grant_spec())
    spec.update(selection_spec())
    spec.update(connection_spec())
    return spec


def scan_threshold_spec() -> Spec:
    return {
        "run_dir": {"type": "path", "required": True},
        "threshold": {"type": "raw"},
        "threshold_source": {"type": "str", "default": "the option threshold"},
        "baseline": {"type": "path"},
        "fail_on": {"type": "str", "choices": ["gate", "error", "never"], "default": "gate"},
    }


def scan_report_spec() -> Spec:
    return {
        "run_dir": {"type": "path", "required": True},
        "formats": {"type": "list", "elements": "str", "default": ["markdown", "junit"]},
        "output_dir": {"type": "path"},
    }


def scan_judgement_spec() -> Spec:
    spec: Spec = {
        "run_dir": {"type": "path", "required": True},
        "compiled_profiles": {"type": "list", "elements": "dict"},
        "waivers": {"type": "raw"},
        "attestations": {"type": "raw"},
        "output_dir": {"type": "path", "required": True},
    }
    spec.update(profiles_spec())
    return spec
