# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_access."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..access.objects import check_run_id
from ..approaches.choice import ENTERING
from ..approaches.forbidden import Rules
from ..cluster.connection import ConnectionOptions
from ..errors import ScanError
from ..targets.criteria import Selection
from .approach import forbidden_rules, forbidden_spec
from .bounds import check_numbers
from .connection import connection_options, connection_spec
from .grant import GrantOptions, grant_spec
from .selection import selection, targets_spec
from .spec import Params, Spec, bad_option

PRESENT, ABSENT, SWEPT, PROVEN = "present", "absent", "swept", "proven"


@dataclass(frozen=True)
class AccessOptions:
    """`run_id`: empty where a new one is to be made. `selection`: None where no namespace is named, which
    only an access that is to be removed or swept, or is there, can do without. `kubeconfig_file`: where the scanner's
    kubeconfig is to be. `access`: that which is proven; None where one is to be made for the proof."""

    connection: ConnectionOptions
    state: str
    run_id: str
    selection: Selection | None
    allow_empty: bool
    approach: str
    forbidden: Rules
    grant: GrantOptions
    kubeconfig_file: Path | None
    access: Mapping[str, Any] | None
    also_allowed: tuple[str, ...]

    @classmethod
    def from_params(cls, params: Params) -> AccessOptions:
        """:raises ScanError: bad_option"""
        check_numbers(params)
        state, run_id = params["state"], params["run_id"] or ""
        if state == ABSENT and not run_id:
            raise ScanError(
                "bad_option", "state=absent needs the run_id of the access", tried="reading the options"
            )
        if run_id and state != SWEPT:
            check_run_id(run_id)
        access = params["access"] or None
        if state != PROVEN:
            for option in ("access", "also_allowed"):
                if params[option]:
                    raise bad_option(option, f"it goes with state={PROVEN} only")
        makes = state == PRESENT or (state == PROVEN and not access)
        grant = GrantOptions.from_params(params)
        if makes:
            grant.check()
        names_namespaces = params["namespaces"] or params["namespace_selectors"]
        path = params["scanner_kubeconfig"]
        return cls(
            connection=connection_options(params),
            state=state,
            run_id=run_id,
            selection=selection(params) if makes or names_namespaces else None,
            allow_empty=params["allow_empty"],
            approach=params["approach"],
            forbidden=forbidden_rules(params) if makes else (),
            grant=grant,
            kubeconfig_file=Path(path).expanduser() if path else None,
            access=access,
            also_allowed=tuple(params["also_allowed"]),
        )


def scan_access_spec() -> Spec:
    return {
        "state": {"type": "str", "choices": [PRESENT, ABSENT, SWEPT, PROVEN], "default": PRESENT},
        "run_id": {"type": "str"},
        "scanner_kubeconfig": {"type": "path"},
        "access": {"type": "dict"},
        "also_allowed": {"type": "list", "elements": "str", "default": []},
        "approach": {"type": "str", "choices": list(ENTERING), "default": "exec"},
        **forbidden_spec(),
        **grant_spec(),
        **targets_spec(),
        **connection_spec(),
    }
