# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_push: those that sinks have in common, and the own ones of each kind, all flat."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..evidence.trust import Trust
from ..results.status import SEVERITIES
from ..sinks.push import Policy
from ..sinks.registry import SINKS
from ..sinks.sink import SinkKind
from ..sinks.sink_options import COMMON_SPEC, SinkOptions
from ..sinks.told_run import ASKED_STATUSES, Asked
from ..suggestions import unknown_name
from .bounds import check_numbers
from .spec import Params, Spec, bad_option
from .trust import trust_option, trust_spec
from .values import read_values

PRESENT, FLUSH = "present", "flush"
_TEXTS = (
    "url", "token", "username", "password", "ca_cert", "client_cert", "client_key", "proxy", "no_proxy", "format",
)  # fmt: skip


@dataclass(frozen=True)
class PushOptions:
    """`sink` is what the sink is made of, by `kind`. `spool_dir` is None for the folder beside the runs; `trust` refuses runs
    that are not signed, where that is asked for."""

    kind: SinkKind
    state: str
    run_dir: Path
    sink: SinkOptions
    policy: Policy
    asked: Asked
    spool_dir: Path | None
    trust: Trust

    @classmethod
    def from_params(cls, params: Params, environ: Mapping[str, str], cancel: threading.Event) -> PushOptions:
        """:raises ScanError: bad_option, bad_key, missing_library"""
        if params["sink"]:  # a module that Ansible started without our action plugin
            given = {
                name: value
                for name, value in params.items()
                if value is not None and name not in params["sink"]
            }
            params = {**params, **flat_options(given), "sink": None}
        if not params["system"]:
            raise bad_option("system", f"system is needed: one of {', '.join(SINKS)}")
        kind = SINKS[params["system"]]
        _refuse_others(kind, params)
        check_numbers(params)
        return cls(
            kind=kind,
            state=params["state"],
            run_dir=Path(params["run_dir"]).expanduser(),
            sink=_sink_options(kind, params, environ, cancel),
            policy=Policy(
                params["batch_items"], params["batch_bytes"], params["retries"], float(params["deadline"])
            ),
            asked=_asked(params),
            spool_dir=Path(params["spool_dir"]).expanduser() if params["spool_dir"] else None,
            trust=trust_option(params),
        )


def _refuse_others(kind: SinkKind, params: Params) -> None:
    has = {*kind.common, *kind.options}
    for name in _sink_spec():
        if name not in has and params.get(name) not in (None, [], "", {}):
            known = ", ".join(sorted(has))
            raise bad_option(name, f"{kind.name} has no option {name}; its own are: {known}")


def _sink_options(
    kind: SinkKind, params: Params, environ: Mapping[str, str], cancel: threading.Event
) -> SinkOptions:
    texts = {name: str(params.get(name) or "") for name in _TEXTS}
    validate = params.get("validate_certs")
    return SinkOptions(
        **texts,
        validate_certs=True if validate is None else validate,
        timeout=float(params["timeout"]),
        own={name: params.get(name) for name in kind.options},
        environ=environ,
        cancel=cancel,
    )


def _asked(params: Params) -> Asked:
    statuses = tuple(one.lower().replace(" ", "_") for one in params["statuses"] or ASKED_STATUSES)
    for status in statuses:
        if status not in ASKED_STATUSES:
            raise bad_option("statuses", f"{status[:50]!r} is not one of {', '.join(ASKED_STATUSES)}")
    severity = (params["min_severity"] or SEVERITIES[-1]).lower()
    if severity not in SEVERITIES:
        raise bad_option("min_severity", f"{severity[:50]!r} is not one of {', '.join(SEVERITIES)}")
    return Asked(statuses, severity, bool(params["only_changed"]))


def _sink_spec() -> dict[str, dict[str, Any]]:
    """The options of all kinds of sinks, each once."""
    found = {name: dict(rule) for name, rule in COMMON_SPEC.items()}
    for kind in SINKS.values():
        found.update({name: dict(rule) for name, rule in kind.options.items()})
    return found


def flat_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given for a task, with the options that stand in `sink` beside the others.

    :raises ScanError: bad_option, for a value that cannot be what its option wants, for an option that there is not, and for one
        that is given twice
    """
    flat = dict(given)
    sink = flat.pop("sink", None) or {}
    spec = scan_push_spec()
    for name in sink:
        if name not in spec or name == "sink":
            raise bad_option("sink", unknown_name("option of sink", str(name)[:100], sorted(spec)))
        if name in flat and name != "state":
            raise bad_option("sink", f"{name} is given twice, in sink and beside it")
    read = read_values(spec, sink)
    for problem in read.problems:
        raise bad_option(problem.option, problem.text)
    return {**read.values, **flat}


def scan_push_spec() -> Spec:
    return {
        "sink": {"type": "dict", "no_log": True},
        "system": {"type": "str", "choices": list(SINKS)},
        "state": {"type": "str", "choices": [PRESENT, FLUSH], "default": PRESENT},
        "run_dir": {"type": "path", "required": True},
        **_sink_spec(),
        "timeout": {"type": "float", "default": 30.0},
        "batch_items": {"type": "int"},
        "batch_bytes": {"type": "int"},
        "retries": {"type": "int", "default": 5},
        "deadline": {"type": "int", "default": 900},
        "spool_dir": {"type": "path"},
        **trust_spec(),
    }
