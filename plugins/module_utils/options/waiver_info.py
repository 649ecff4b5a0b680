# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_waiver_info."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..results.amendments import Amendments
from ..results.exception_review import FINDING_KINDS, ReviewRules
from .amendments import amendments_option, amendments_spec
from .bounds import check_numbers
from .run import cluster_name_option, cluster_name_spec, summary_sha256_option, summary_sha256_spec
from .spec import Params, Spec, bad_option
from .store_access import StoreAccess, access_spec

NEVER, ACTION = "never", "action"


@dataclass(frozen=True)
class WaiverInfoOptions:
    """The results are those of `run_dir` or of `store`; the other is None. `output` is the file of the Markdown report, None for
    none. `limit` is the most entries of the result. `fails`: the task fails where an entry needs somebody."""

    run_dir: Path | None
    store: StoreAccess | None
    summary_sha256: str
    cluster_name: str
    amendments: Amendments
    rules: ReviewRules
    output: Path | None
    limit: int
    fails: bool

    @classmethod
    def from_params(cls, params: Params, environ: Mapping[str, str]) -> WaiverInfoOptions:
        """:raises ScanError: as `amendments_option`; bad_option for a number out of its bounds, an unknown kind, and for results
        that are named twice or not at all"""
        check_numbers(params)
        if bool(params["run_dir"]) == bool(params["store"]):
            raise bad_option("run_dir", "one of run_dir and store is needed, and not both")
        kinds = tuple(dict.fromkeys(params["kinds"]))
        if not kinds:
            raise bad_option("kinds", "no kind is named")
        return cls(
            run_dir=Path(params["run_dir"]) if params["run_dir"] else None,
            store=StoreAccess.from_params(params, environ) if params["store"] else None,
            summary_sha256=summary_sha256_option(params),
            cluster_name=cluster_name_option(params),
            amendments=amendments_option(params),
            rules=ReviewRules(params["expiring_days"], params["wide_places"], params["long_days"], kinds),
            output=Path(params["output"]) if params["output"] else None,
            limit=params["limit"],
            fails=params["fail_on"] == ACTION,
        )


def scan_waiver_info_spec() -> Spec:
    return {
        "run_dir": {"type": "path"},
        **access_spec(required=False),
        **summary_sha256_spec(),
        **cluster_name_spec(),
        **amendments_spec(),
        "expiring_days": {"type": "int", "default": 30},
        "wide_places": {"type": "int", "default": 50},
        "long_days": {"type": "int", "default": 366},
        "kinds": {
            "type": "list",
            "elements": "str",
            "choices": list(FINDING_KINDS),
            "default": list(FINDING_KINDS),
        },
        "output": {"type": "path"},
        "limit": {"type": "int", "default": 200},
        "fail_on": {"type": "str", "choices": [NEVER, ACTION], "default": NEVER},
    }
