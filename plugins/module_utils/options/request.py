# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import ScanError
from ..requests.queued_request import OUTCOMES
from ..requests.request import ACTIONS, SCAN, Request, read_request
from .bounds import check_numbers
from .run import shared_folder_spec
from .spec import Params, Spec, bad_option

QUEUED, TAKEN, ENDED = "queued", "taken", "ended"
_OF_STATE = {QUEUED: ("cluster",), TAKEN: ("cluster",), ENDED: ("run_id", "outcome")}
_LISTS = ("namespaces", "label_selectors", "workloads", "pods", "containers", "images")


@dataclass(frozen=True)
class RequestOptions:
    """`request`: what is to be queued, None for another state. `profiles`: with `taken`, those of a request that names none."""

    state: str
    queue: str
    allow_shared_folder: bool
    cluster: str
    seconds: int
    profiles: tuple[str, ...]
    allowed_profiles: tuple[str, ...]
    run_id: str
    outcome: str
    run_dir: str
    reason: str
    request: Request | None

    @classmethod
    def from_params(cls, params: Params) -> RequestOptions:
        """:raises ScanError: bad_option"""
        check_numbers(params)
        state = params["state"]
        for name in _OF_STATE[state]:
            if not params[name]:
                raise bad_option(name, f"state={state} needs {name}")
        return cls(
            state=state,
            queue=params["queue"],
            allow_shared_folder=params["allow_shared_folder"],
            cluster=params["cluster"] or "",
            seconds=params["seconds"],
            profiles=tuple(params["profiles"]),
            allowed_profiles=tuple(params["allowed_profiles"]),
            run_id=params["run_id"] or "",
            outcome=params["outcome"] or "",
            run_dir=params["run_dir"] or "",
            reason=params["reason"] or "",
            request=_request(params) if state == QUEUED else None,
        )


def _request(params: Params) -> Request:
    given: dict[str, Any] = {name: params[name] for name in (*_LISTS, "profiles") if params[name]}
    for name in ("action", "cluster", "revision", "key", "requested_by", "because"):
        if params[name]:
            given[name] = params[name]
    try:
        return read_request(given)
    except ScanError as error:
        raise bad_option(error.message.partition(":")[0].partition(" ")[0], error.message) from None


def scan_request_spec() -> Spec:
    return {
        "state": {"type": "str", "choices": [QUEUED, TAKEN, ENDED], "required": True},
        "queue": {"type": "path", "required": True},
        **shared_folder_spec(),
        "cluster": {"type": "str"},
        "action": {"type": "str", "choices": list(ACTIONS), "default": SCAN},
        **{name: {"type": "list", "elements": "str", "default": []} for name in _LISTS},
        "profiles": {"type": "list", "elements": "str", "default": []},
        "allowed_profiles": {"type": "list", "elements": "str", "default": []},
        "revision": {"type": "str"},
        # the sender's own name for a message, nothing secret
        "key": {"type": "str", "no_log": False},
        "requested_by": {"type": "str"},
        "because": {"type": "str"},
        "seconds": {"type": "int", "default": 7200},
        "run_id": {"type": "str"},
        "outcome": {"type": "str", "choices": list(OUTCOMES)},
        "run_dir": {"type": "str"},
        "reason": {"type": "str"},
    }
