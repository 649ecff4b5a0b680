# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_threshold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import ScanError
from ..evidence.trust import Trust
from ..reports.table import FULL, ROWS
from ..results.threshold import DEFAULT_THRESHOLD, LASTING_LIMITS, Threshold, load_threshold
from .bounds import check_numbers
from .run import (
    cluster_name_option,
    cluster_name_spec,
    shared_folder_spec,
    summary_sha256_option,
    summary_sha256_spec,
)
from .spec import Params, Spec
from .trust import trust_option, trust_spec
from .values import numbers_in_text, shown


@dataclass(frozen=True)
class ThresholdOptions:
    """`fail_on` is gate, error or never; `baseline` names an earlier run, None without one. `summary_sha256` is empty where
    it is not known. `max_age` is in seconds, None without a limit. `cluster_name`: that of the run, empty where any is taken.
    `table` is a word of `reports.table.ROWS`. `trust`: by which the run and the
    baseline must be signed."""

    run_dir: str
    summary_sha256: str
    max_age: int | None
    allow_shared_folder: bool
    threshold: Threshold
    baseline: str | None
    fail_on: str
    table: str
    cluster_name: str
    trust: Trust

    @classmethod
    def from_params(cls, params: Params) -> ThresholdOptions:
        """:raises ScanError: bad_threshold; bad_option, for a SHA-256 or an age that cannot be one; bad_key"""
        check_numbers(params)
        return cls(
            run_dir=params["run_dir"],
            summary_sha256=summary_sha256_option(params),
            max_age=params["max_age"],
            allow_shared_folder=params["allow_shared_folder"],
            threshold=threshold_option(params),
            baseline=params["baseline"],
            fail_on=params["fail_on"],
            table=params["table"],
            cluster_name=cluster_name_option(params),
            trust=trust_option(params),
        )


def threshold_option(params: Params) -> Threshold:
    """None means the default. Anything else without limits is a mistake, which must not open the gate.

    Limits that hold whatever threshold is given are added. Numbers can be written as texts.

    :raises ScanError: bad_threshold
    """
    if params["threshold"] is None:
        return DEFAULT_THRESHOLD
    if not isinstance(params["threshold"], Mapping):
        raise ScanError(
            "bad_threshold",
            f"the threshold is {shown(params['threshold'])}, not keys with limits",
            tried="reading the option threshold",
            advice="Give a file in SAF's format, or in a play a dictionary.",
        )
    given = load_threshold(numbers_in_text(params["threshold"]), params["threshold_source"])
    return given.with_limits(LASTING_LIMITS)


def threshold_spec() -> Spec:
    return {
        "threshold": {"type": "raw"},
        "threshold_source": {"type": "str", "default": "the option threshold"},
        "baseline": {"type": "path"},
    }


def scan_threshold_spec() -> Spec:
    return {
        "run_dir": {"type": "path", "required": True},
        **summary_sha256_spec(),
        "max_age": {"type": "int"},
        **shared_folder_spec(),
        **cluster_name_spec(),
        **threshold_spec(),
        "fail_on": {"type": "str", "choices": ["gate", "error", "never"], "default": "gate"},
        "table": {"type": "str", "choices": list(ROWS), "default": FULL},
        **trust_spec(),
    }
