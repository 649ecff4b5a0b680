# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which containers are meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..targets.criteria import REPLICAS, Selection
from ..targets.pod import CONTAINER_KINDS
from .spec import Params, Spec

_LISTS = (
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


@dataclass(frozen=True)
class SelectionOptions:
    """The selection, and whether it is allowed to select nothing. `as_given` are the options in the
    operator's words, as a run's summary holds them."""

    selection: Selection
    allow_empty: bool
    as_given: Mapping[str, Any]

    @classmethod
    def from_params(cls, params: Params) -> SelectionOptions:
        """:raises ScanError: bad_option, where a value can select nothing"""
        return cls(
            selection(params), params["allow_empty"], {name: params[name] for name in selection_spec()}
        )


def selection_spec() -> Spec:
    """The conditions."""
    spec: Spec = {name: {"type": "list", "elements": "str", "default": []} for name in _LISTS}
    spec["container_kinds"] = {
        "type": "list",
        "elements": "str",
        "choices": list(CONTAINER_KINDS),
        "default": ["container"],
    }
    spec["finished_pods"] = {"type": "bool", "default": False}
    spec["replicas"] = {"type": "str", "choices": list(REPLICAS), "default": "all"}
    spec["limit"] = {"type": "int"}
    return spec


def targets_spec() -> Spec:
    """The conditions, and whether it is allowed that nothing meets them."""
    return {"allow_empty": {"type": "bool", "default": False}, **selection_spec()}


def selection(params: Params) -> Selection:
    """:raises ScanError: bad_option, where a value can select nothing"""
    given = {name: params[name] for name in selection_spec() if params.get(name) is not None}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
    # not one of the conditions: tasks that have this option leave out what is proven to be a scan's own
    scanner_image = (params["scanner_image"] or "") if "scanner_image" in params else ""
    return Selection(**values, scanner_image=scanner_image)
