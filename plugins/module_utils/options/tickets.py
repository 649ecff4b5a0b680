# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_tickets."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..results.configuration_items import read_configuration_items
from ..results.status import SEVERITIES
from ..sinks.sink_options import COMMON_SPEC, SinkOptions
from ..tickets.grouping import Grouping
from ..tickets.registry import TRACKERS
from ..tickets.ticket import PER_CONTROL, PER_PLACE
from ..tickets.tracker import Tracker, TrackerOptions
from .bounds import check_numbers
from .run import summary_sha256_option, summary_sha256_spec
from .spec import Params, Spec, bad_option

_TEXTS = ("url", "token", "username", "password", "ca_cert", "client_cert", "client_key", "proxy", "no_proxy")
_MOST_LABELS = 20


@dataclass(frozen=True)
class TicketsOptions:
    """`tracker` is None to say only which tickets there would be."""

    run_dir: Path
    summary_sha256: str
    grouping: Grouping
    tracker: Tracker | None
    tracker_name: str
    secrets: tuple[str, ...]
    max_new: int
    reopens: bool

    @classmethod
    def from_params(
        cls, params: Params, environ: Mapping[str, str], cancel: threading.Event
    ) -> TicketsOptions:
        """:raises ScanError: bad_option, bad_file, bad_configuration_items"""
        check_numbers(params)
        return cls(
            run_dir=Path(params["run_dir"]).expanduser(),
            summary_sha256=summary_sha256_option(params),
            grouping=Grouping(
                params["per"],
                params["min_severity"],
                params["profile_errors"],
                read_configuration_items(params["configuration_items"] or ""),
            ),
            tracker=_tracker(params, environ, cancel),
            tracker_name=params["tracker"] or "",
            secrets=tuple(filter(None, (params["token"], params["password"]))),
            max_new=params["max_new"],
            reopens=params["reopen"],
        )


def _tracker(params: Params, environ: Mapping[str, str], cancel: threading.Event) -> Tracker | None:
    name = params["tracker"]
    if not name:
        for option in (*_TEXTS, "project"):
            if params[option]:
                raise bad_option(option, f"{option} needs tracker")
        return None
    labels = tuple(params["labels"])
    if len(labels) > _MOST_LABELS or any(not _is_label(one) for one in labels):
        raise bad_option("labels", f"labels are at most {_MOST_LABELS} words without blanks and commas")
    texts: dict[str, Any] = {option: str(params[option] or "") for option in _TEXTS}
    http = SinkOptions(
        **texts,
        validate_certs=params["validate_certs"],
        timeout=float(params["timeout"]),
        environ=environ,
        cancel=cancel,
    )
    options = TrackerOptions(
        http,
        params["project"] or "",
        labels,
        jira_issue_type=params["jira_issue_type"],
        servicenow_close_code=params["servicenow_close_code"],
        rt_field=params["rt_field"],
        rt_closed_status=params["rt_closed_status"],
    )
    return TRACKERS[name].make(options)


def _is_label(text: str) -> bool:
    return 0 < len(text) <= 50 and text.isprintable() and not set(text) & set(' ,"')


def scan_tickets_spec() -> Spec:
    return {
        "run_dir": {"type": "path", "required": True},
        **summary_sha256_spec(),
        "tracker": {"type": "str", "choices": list(TRACKERS)},
        **{name: dict(COMMON_SPEC[name]) for name in _TEXTS},
        "project": {"type": "str"},
        "validate_certs": {"type": "bool", "default": True},
        "timeout": {"type": "float", "default": 30.0},
        "per": {"type": "str", "choices": [PER_PLACE, PER_CONTROL], "default": PER_PLACE},
        "min_severity": {"type": "str", "choices": list(SEVERITIES), "default": "high"},
        "profile_errors": {"type": "bool", "default": False},
        "max_new": {"type": "int", "default": 20},
        "reopen": {"type": "bool", "default": True},
        "labels": {"type": "list", "elements": "str", "default": []},
        "configuration_items": {"type": "path"},
        "jira_issue_type": {"type": "str", "default": "Task"},
        "servicenow_close_code": {"type": "str", "default": "Solved (Permanently)"},
        "rt_field": {"type": "str", "default": "Scan Key", "no_log": False},
        "rt_closed_status": {"type": "str", "default": "resolved"},
    }
