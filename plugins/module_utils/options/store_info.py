# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_store_info."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from ..store.questions.question import Asked
from ..store.questions.registry import QUESTIONS
from ..times import in_utc, parse_written
from .bounds import check_numbers
from .spec import Params, Spec, bad_option
from .store_access import StoreAccess, access_spec

DOCUMENT = "document"
_DAY = 86_400


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
        **access_spec(),
    }
