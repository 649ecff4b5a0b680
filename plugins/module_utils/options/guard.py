# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_guard."""

from __future__ import annotations

from dataclasses import dataclass

from ..access.guard_terms import GuardOptions
from ..cluster.connection import ConnectionOptions
from .approach import match_capabilities_spec
from .connection import connection_options, connection_spec
from .spec import Params, Spec

PRESENT, ABSENT = "present", "absent"


@dataclass(frozen=True)
class GuardTaskOptions:
    connection: ConnectionOptions
    state: str
    guard: GuardOptions

    @classmethod
    def from_params(cls, params: Params) -> GuardTaskOptions:
        return cls(connection_options(params), params["state"], guard_options(params))


def guard_options(params: Params) -> GuardOptions:
    """What the guard holds scanners to."""
    return GuardOptions(
        images=tuple(params["scanner_images"]),
        pull_secrets=tuple(params["scanner_image_pull_secrets"]),
        enter_targets=params["enter_targets"],
        match_capabilities=params["debug_match_capabilities"],
        grantors=tuple(params["grantors"]),
        grantor_groups=tuple(params["grantor_groups"]),
        closed_namespaces=tuple(params["closed_namespaces"]),
        account_namespace=params["account_namespace"] or "",
    )


def scan_guard_spec() -> Spec:
    return {
        "state": {"type": "str", "choices": [PRESENT, ABSENT], "default": PRESENT},
        "scanner_images": {"type": "list", "elements": "str", "default": []},
        # names of Secrets, nothing secret themselves
        "scanner_image_pull_secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
        "enter_targets": {"type": "bool", "default": True},
        "grantors": {"type": "list", "elements": "str", "default": []},
        "grantor_groups": {"type": "list", "elements": "str", "default": []},
        "closed_namespaces": {"type": "list", "elements": "str", "default": ["kube-system"]},
        "account_namespace": {"type": "str"},
        **match_capabilities_spec(),
        **connection_spec(),
    }
