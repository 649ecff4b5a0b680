# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the modules scan_store and scan_store_info."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from ..results.deadline_policy import DeadlinePolicy
from ..store.address import StoreAddress
from ..store.place_writer import ALL, EVIDENCE_POLICIES
from ..store.questions.question import Asked
from ..store.questions.registry import QUESTIONS
from ..times import in_utc, parse_written
from .bounds import check_numbers
from .ownership import OwnershipOptions
from .run import shared_folder_spec
from .spec import Params, Spec, bad_option

PRESENT, MIGRATED, BACKED_UP, RESTORED, PRUNED = "present", "migrated", "backed_up", "restored", "pruned"
STATES = (PRESENT, MIGRATED, BACKED_UP, RESTORED, PRUNED)
DOCUMENT = "document"
_DAY = 86_400
# Which states have which options.
_OF_STATES = {
    "run_dirs": (PRESENT,),
    "deadlines": (PRESENT,),
    "team_roles": (PRESENT,),
    "path": (BACKED_UP, RESTORED),
    "keep_days": (PRUNED,),
    "keep_documents_days": (PRUNED,),
}


@dataclass(frozen=True)
class StoreAccess:
    """Where a store is, and how to get in. `environment` is that of libpq."""

    address: str
    password: str
    allow_shared: bool

    @classmethod
    def from_params(cls, params: Params, environ: Mapping[str, str]) -> StoreAccess:
        """:raises ScanError: bad_option"""
        password = params["password"] or ""
        address = StoreAddress.of(params["store"], password)
        if not address.password:
            password = environ.get("PGPASSWORD", "")
        return cls(params["store"], password, params["allow_shared_folder"])

    @property
    def shown(self) -> str:
        return StoreAddress.of(self.address).shown


@dataclass(frozen=True)
class StoreOptions:
    """`deadlines` and `team_roles` are None where they stay as they are. `before` and `documents_before` are seconds since 1970:
    what is older is removed. `path` is that of a backup."""

    access: StoreAccess
    state: str
    run_dirs: tuple[str, ...]
    evidence: str
    deadlines: DeadlinePolicy | None
    team_roles: Mapping[str, str] | None
    path: Path | None
    before: int
    documents_before: int

    @classmethod
    def from_params(cls, params: Params, environ: Mapping[str, str]) -> StoreOptions:
        """:raises ScanError: bad_option, bad_deadlines"""
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
        )


@dataclass(frozen=True)
class StoreInfoOptions:
    """`asked` is for a query of rows. `run_id`, `target_id` and `output` are for a document."""

    access: StoreAccess
    query: str
    asked: Asked
    run_id: str
    target_id: str
    output: Path | None

    @classmethod
    def from_params(cls, params: Params, environ: Mapping[str, str]) -> StoreInfoOptions:
        """:raises ScanError: bad_option"""
        check_numbers(params)
        query = params["query"]
        of_document = ("run_id", "target_id", "output")
        for name in of_document:
            if query == DOCUMENT and not params[name]:
                raise bad_option(name, f"query={DOCUMENT} needs {name}")
            if query != DOCUMENT and params[name]:
                raise bad_option(name, f"{name} belongs to query={DOCUMENT}")
        if query == DOCUMENT and not params["cluster"]:
            raise bad_option("cluster", f"query={DOCUMENT} needs cluster")
        texts = {name: params[name] or "" for name in _TEXTS}
        asked = Asked(
            at=_moment("at", params["at"], end=True),
            since=_moment("since", params["since"], end=False),
            until=_moment("until", params["until"], end=True),
            limit=params["limit"],
            **texts,
        )
        if query in QUESTIONS:
            QUESTIONS[query].check(asked)
        return cls(
            access=StoreAccess.from_params(params, environ),
            query=query,
            asked=asked,
            run_id=params["run_id"] or "",
            target_id=params["target_id"] or "",
            output=Path(params["output"]) if params["output"] else None,
        )


_TEXTS = (
    "cluster", "namespace", "team", "environment", "workload", "place", "profile", "control", "severity", "image", "by",
)  # fmt: skip


def _moment(option: str, text: str | None, end: bool) -> int | None:
    """Seconds since 1970. A day without a time means its beginning, or its last second. :raises ScanError: bad_option"""
    if not text:
        return None
    try:
        given = parse_written(text)
    except ValueError as problem:
        raise bad_option(option, f"{option}: {problem}; write 2026-11-23 or 2026-11-23T10:00:00Z") from None
    if isinstance(given, datetime):
        return int(in_utc(given).timestamp())
    first = datetime(given.year, given.month, given.day, tzinfo=timezone.utc)
    return int(first.timestamp()) + (_DAY - 1 if end else 0)


def _access_spec() -> Spec:
    return {
        "store": {"type": "str", "required": True},
        "password": {"type": "str", "no_log": True},
        **shared_folder_spec(),
    }


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
        **_access_spec(),
    }


def scan_store_info_spec() -> Spec:
    return {
        "query": {"type": "str", "choices": [*QUESTIONS, DOCUMENT], "required": True},
        "at": {"type": "str"},
        "since": {"type": "str"},
        "until": {"type": "str"},
        **{name: {"type": "str"} for name in _TEXTS},
        "limit": {"type": "int", "default": 100},
        "run_id": {"type": "str"},
        "target_id": {"type": "str"},
        "output": {"type": "path"},
        **_access_spec(),
    }
