# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the content of the containers is reached, and what the containers are like that a scan adds."""

from __future__ import annotations

import math

from ..approaches.choice import APPROACHES, CROSS_CHECKS, NEVER, ORDER, ApproachOptions
from ..approaches.debug_container import DebugOptions
from ..approaches.forbidden import OPTION as FORBIDDEN
from ..approaches.forbidden import Rules, read_rules
from ..approaches.image_helper import ImageOptions
from ..targets.quantities import parse_quantity
from .spec import Params, Spec, bad_option

# What `auto` looks to when it orders the approaches.
FOOTPRINT, TRUST = "footprint", "trust"


def approach_spec() -> Spec:
    return {
        "approach": {"type": "str", "choices": list(APPROACHES), "default": "auto"},
        "approaches": {"type": "list", "elements": "str", "choices": list(ORDER), "default": list(ORDER)},
        "prefer": {"type": "str", "choices": [FOOTPRINT, TRUST], "default": FOOTPRINT},
        "cross_check": {"type": "str", "choices": list(CROSS_CHECKS), "default": NEVER},
        "helper_namespace": {"type": "str"},
        # names of Secrets, nothing secret themselves
        "scanner_image_pull_secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
        **scanner_image_spec(),
        "debug_keep_alive": {"type": "int", "default": 0},
        **match_capabilities_spec(),
        "debug_memory_headroom": {"type": "str", "default": "16Mi"},
        **forbidden_spec(),
    }


def scanner_image_spec() -> Spec:
    """The image of the containers that are added."""
    return {
        "scanner_image": {"type": "str"},
        "scanner_image_pull_policy": {
            "type": "str",
            "choices": ["Always", "IfNotPresent", "Never"],
            "default": "IfNotPresent",
        },
    }


def match_capabilities_spec() -> Spec:
    """Whether an ephemeral container beside a root target gets the capabilities of that target."""
    return {"debug_match_capabilities": {"type": "bool", "default": False}}


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


def forbidden_rules(params: Params) -> Rules:
    """:raises ScanError: bad_option, for a rule that cannot be meant"""
    return read_rules(params[FORBIDDEN])


def approach_options(params: Params) -> ApproachOptions:
    """:raises ScanError: bad_option, for a rule that cannot be meant, or no amount of memory"""
    image, pull_policy = params["scanner_image"] or "", params["scanner_image_pull_policy"]
    return ApproachOptions(
        name=params["approach"],
        order=tuple(params["approaches"]),
        prefers_trust=params["prefer"] == TRUST,
        cross_check=params["cross_check"],
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
    )


def _bytes(option: str, params: Params) -> int:
    """A quantity of memory; ScanError bad_option where it is none, or negative."""
    try:
        size = parse_quantity(params[option])
        if size < 0:
            raise ValueError("negative")
    except ValueError as error:
        raise bad_option(
            option, f"{str(params[option])[:100]!r}: {error}", "Write it as 16Mi; 0 for none."
        ) from error
    return math.ceil(size)
