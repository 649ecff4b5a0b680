# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_store."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..evidence.trust import Trust
from ..results.deadline_policy import DeadlinePolicy
from ..store.place_writer import ALL, EVIDENCE_POLICIES
from .bounds import check_numbers
from .ownership import OwnershipOptions
from .spec import Params, Spec, bad_option
from .store_access import StoreAccess, access_spec
from .trust import trust_option, trust_spec

PRESENT, MIGRATED, BACKED_UP, RESTORED, PRUNED = "present", "migrated", "backed_up", "restored", "pruned"
STATES = (PRESENT, MIGRATED, BACKED_UP, RESTORED, PRUNED)
_DAY = 86_400
# Which states have which options.
_OF_STATES = {
    "run_dirs": (PRESENT,),
    "deadlines": (PRESENT,),
    "team_roles": (PRESENT,),
    "trusted_keys": (PRESENT,),
    "path": (BACKED_UP, RESTORED),
    "keep_days": (PRUNED,),
    "keep_documents_days": (PRUNED,),
}


@dataclass(frozen=True)
class StoreOptions:
    """`deadlines` and `team_roles` are None where they stay as they are. `before` and `documents_before` are seconds since 1970:
    what is older is removed. `path` is that of a backup. `trust`: by which runs must be signed."""

    access: StoreAccess
    state: str
    run_dirs: tuple[str, ...]
    evidence: str
    deadlines: DeadlinePolicy | None
    team_roles: Mapping[str, str] | None
    path: Path | None
    before: int
    documents_before: int
    trust: Trust

    @classmethod
    def from_params(cls, params: Params, environ: Mapping[str, str]) -> StoreOptions:
        """:raises ScanError: bad_option, bad_deadlines, bad_key"""
        state = params["state"]
        for name, states in _OF_STATES.items():
            if params[name] not in (None, []) and state not in states:
                raise bad_option(
                    name, f"{name} belongs to state={' or state='.join(states)}, and the state is {state}"
                )
        if state in (BACKED_UP, RESTORED) and not params["path"]:
            raise bad_option("path", f"state={state} needs path, the file of the backup")
        if state == PRUNED and params["keep_days"] is None:
            raise bad_option("keep_days", "state=pruned needs keep_days")
        check_numbers(params)
        keep = params["keep_days"] or 0
        keep_documents = params["keep_documents_days"] or keep
        if keep_documents > keep:
            raise bad_option(
                "keep_documents_days", "documents cannot be kept longer than their runs (keep_days)"
            )
        roles = params["team_roles"]
        now = int(time.time())
        return cls(
            access=StoreAccess.from_params(params, environ),
            state=state,
            run_dirs=tuple(params["run_dirs"] or ()),
            evidence=params["evidence"],
            deadlines=OwnershipOptions.from_params({**params, "teams": None}).deadlines,
            team_roles=None if roles is None else {str(role): str(team) for role, team in roles.items()},
            path=Path(params["path"]) if params["path"] else None,
            before=now - keep * _DAY,
            documents_before=now - keep_documents * _DAY,
            trust=trust_option(params),
        )


def scan_store_spec() -> Spec:
    return {
        "state": {"type": "str", "choices": list(STATES), "default": PRESENT},
        "run_dirs": {"type": "list", "elements": "path", "default": []},
        "evidence": {"type": "str", "choices": list(EVIDENCE_POLICIES), "default": ALL},
        "deadlines": {"type": "raw"},
        "team_roles": {"type": "dict"},
        "path": {"type": "path"},
        "keep_days": {"type": "int"},
        "keep_documents_days": {"type": "int"},
        **trust_spec(),
        **access_spec(),
    }
