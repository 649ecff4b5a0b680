# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_access."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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
from .spec import Params, Spec

PRESENT, ABSENT, SWEPT = "present", "absent", "swept"


@dataclass(frozen=True)
class AccessOptions:
    """`run_id`: empty where a new one is to be made. `selection`: None where no namespace is named, which
    only an access that is to be removed or swept can do without. `kubeconfig_file`: where the scanner's
    kubeconfig is to be."""

    connection: ConnectionOptions
    state: str
    run_id: str
    selection: Selection | None
    allow_empty: bool
    approach: str
    forbidden: Rules
    grant: GrantOptions
    kubeconfig_file: Path | None

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
        grant = GrantOptions.from_params(params)
        if state == PRESENT:
            grant.check()
        names_namespaces = params["namespaces"] or params["namespace_selectors"]
        path = params["scanner_kubeconfig"]
        return cls(
            connection=connection_options(params),
            state=state,
            run_id=run_id,
            selection=selection(params) if state == PRESENT or names_namespaces else None,
            allow_empty=params["allow_empty"],
            approach=params["approach"],
            forbidden=forbidden_rules(params) if state == PRESENT else (),
            grant=grant,
            kubeconfig_file=Path(path).expanduser() if path else None,
        )


def scan_access_spec() -> Spec:
    return {
        "state": {"type": "str", "choices": [PRESENT, ABSENT, SWEPT], "default": PRESENT},
        "run_id": {"type": "str"},
        "scanner_kubeconfig": {"type": "path"},
        "approach": {"type": "str", "choices": list(ENTERING), "default": "exec"},
        **forbidden_spec(),
        **grant_spec(),
        **targets_spec(),
        **connection_spec(),
    }
