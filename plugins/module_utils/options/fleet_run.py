# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_fleet_run: those of its five states, each with a class of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..reports.fleet_registry import FLEET_REPORTS
from ..reports.fleet_report import FleetReport
from ..results.fleet_gate import FAIL_ON_WORDS, KINDS, NEVER
from ..results.fleet_run import Slice, is_fleet_run_id
from ..safe_text import one_line
from ..suggestions import unknown_name
from ..times import parse_rfc3339
from .bounds import check_numbers
from .run import cluster_name_option, cluster_name_spec, shared_folder_spec
from .spec import Params, Spec, bad_option
from .values import shown

BEGUN = "begun"
CLUSTER_BEGUN = "cluster_begun"
CLUSTER_ENDED = "cluster_ended"
ENDED = "ended"
MERGED = "merged"
STATES: tuple[str, ...] = (BEGUN, CLUSTER_BEGUN, CLUSTER_ENDED, ENDED, MERGED)

_LONGEST_NAME = 1_000


@dataclass(frozen=True)
class ExpectedCluster:
    """A cluster that is to be scanned: its name in results, its inventory host, and what it belongs to."""

    cluster: str
    host: str
    groups: Mapping[str, str]


@dataclass(frozen=True)
class BegunOptions:
    """`fleet_run_id` is empty for a new one. `deadline` is in seconds, None without one; `resume_within` too."""

    output_dir: str
    allow_shared_folder: bool
    fleet_run_id: str
    clusters: tuple[ExpectedCluster, ...]
    part: Slice | None
    deadline: int | None
    fail_on: tuple[str, ...]
    resume: bool
    resume_within: int

    @classmethod
    def from_params(cls, params: Params) -> BegunOptions:
        """:raises ScanError: bad_option"""
        check_numbers(params)
        _reports(params["formats"])  # a wrong one is told before the scans, not after them
        return cls(
            output_dir=params["output_dir"],
            allow_shared_folder=params["allow_shared_folder"],
            fleet_run_id=_fleet_run_id(params, needed=False),
            clusters=_clusters(params["clusters"] or []),
            part=_slice(params["slice"]),
            deadline=params["deadline"],
            fail_on=fail_on_option(params),
            resume=params["resume"],
            resume_within=params["resume_within"],
        )


@dataclass(frozen=True)
class ClusterBegunOptions:
    """`deadline_at` is when the fleet run's time ends, None without a deadline. `terms` stands for how the cluster is scanned
    and judged, empty where that is not known."""

    output_dir: str
    fleet_run_id: str
    cluster_name: str
    deadline_at: datetime | None
    terms: str

    @classmethod
    def from_params(cls, params: Params) -> ClusterBegunOptions:
        """:raises ScanError: bad_option"""
        return cls(
            output_dir=params["output_dir"],
            fleet_run_id=_fleet_run_id(params),
            cluster_name=_needed_cluster(params),
            deadline_at=_deadline_at(params["deadline_at"]),
            terms=params["terms"] or "",
        )


@dataclass(frozen=True)
class ClusterEndedOptions:
    """`scan` is the result of the scan's task, `failure` that of a task that failed; empty where there is none."""

    output_dir: str
    fleet_run_id: str
    cluster_name: str
    scan: Mapping[str, Any]
    failure: Mapping[str, Any]

    @classmethod
    def from_params(cls, params: Params) -> ClusterEndedOptions:
        """:raises ScanError: bad_option"""
        return cls(
            output_dir=params["output_dir"],
            fleet_run_id=_fleet_run_id(params),
            cluster_name=_needed_cluster(params),
            scan=_result(params["scan"]),
            failure=_result(params["failure"]),
        )


@dataclass(frozen=True)
class EndedOptions:
    """`elsewhere`: clusters of the inventory that the fleet run left out."""

    output_dir: str
    allow_shared_folder: bool
    fleet_run_id: str
    fail_on: tuple[str, ...]
    reports: tuple[FleetReport, ...]
    elsewhere: tuple[str, ...]

    @classmethod
    def from_params(cls, params: Params) -> EndedOptions:
        """:raises ScanError: bad_option"""
        return cls(
            output_dir=params["output_dir"],
            allow_shared_folder=params["allow_shared_folder"],
            fleet_run_id=_fleet_run_id(params),
            fail_on=fail_on_option(params),
            reports=_reports(params["formats"]),
            elsewhere=tuple(params["elsewhere"] or ()),
        )


@dataclass(frozen=True)
class MergedOptions:
    """`fleet_run_id` is empty for the one that is made of those of the parts. `clusters` are expected besides those that
    the parts expect."""

    output_dir: str
    allow_shared_folder: bool
    fleet_run_id: str
    fleet_dirs: tuple[Path, ...]
    clusters: tuple[ExpectedCluster, ...]
    fail_on: tuple[str, ...]
    reports: tuple[FleetReport, ...]

    @classmethod
    def from_params(cls, params: Params) -> MergedOptions:
        """:raises ScanError: bad_option"""
        return cls(
            output_dir=params["output_dir"],
            allow_shared_folder=params["allow_shared_folder"],
            fleet_run_id=_fleet_run_id(params, needed=False),
            fleet_dirs=tuple(Path(path) for path in params["fleet_dirs"] or ()),
            clusters=_clusters(params["clusters"] or []),
            fail_on=fail_on_option(params),
            reports=_reports(params["formats"]),
        )


def fail_on_option(params: Params) -> tuple[str, ...]:
    """Words of FAIL_ON_WORDS, each once. :raises ScanError: bad_option, also for `never` beside others, and for none"""
    words = tuple(dict.fromkeys(params["fail_on"]))
    for word in words:
        if word not in FAIL_ON_WORDS:
            raise bad_option("fail_on", unknown_name("word", word[:100], FAIL_ON_WORDS))
    if not words or (NEVER in words and len(words) > 1):
        raise bad_option(
            "fail_on",
            f"it must be some of {', '.join(KINDS)}, or {NEVER} alone; found {shown(', '.join(words))}",
        )
    return words


def _fleet_run_id(params: Params, needed: bool = True) -> str:
    name: str = params["fleet_run_id"] or ""
    if not name and needed:
        raise bad_option("fleet_run_id", f"it is needed for the state {params['state']}")
    if name and not is_fleet_run_id(name):
        raise bad_option(
            "fleet_run_id",
            f"{one_line(name, 80)!r} must be 1 to 63 letters, digits, dots, dashes or underscores, begin with a letter or "
            "digit, and not be 'latest'",
        )
    return name


def _clusters(given: Sequence[Mapping[str, Any]]) -> tuple[ExpectedCluster, ...]:
    """Each with a name of its own. :raises ScanError: bad_option, naming two hosts of one name"""
    found: dict[str, ExpectedCluster] = {}
    for value in given:
        host = str(value.get("host") or "")
        name = str(value.get("cluster") or host)
        groups = value.get("groups") or {}
        if not 0 < len(host) <= _LONGEST_NAME or not 0 < len(name) <= _LONGEST_NAME:
            raise bad_option("clusters", "each needs a host, with at most 1000 characters")
        if not isinstance(groups, Mapping):
            raise bad_option("clusters", f"groups of {one_line(host, 80)} must be a dictionary")
        if name in found:
            raise bad_option(
                "clusters",
                f"the hosts {one_line(found[name].host, 80)} and {one_line(host, 80)} are both the cluster "
                f"{one_line(name, 80)}: their results would lie in one folder",
                advice="Give each its own scan_cluster_name, or take one of them out of the inventory.",
            )
        texts = {str(key): str(item) for key, item in groups.items() if item not in (None, "")}
        found[name] = ExpectedCluster(name, host, texts)
    return tuple(found.values())


def _slice(given: Mapping[str, Any] | None) -> Slice | None:
    if not given:
        return None
    unknown = sorted(set(map(str, given)) - {"offset", "count"})
    numbers = [given.get("offset"), given.get("count")]
    if unknown or not all(isinstance(one, (int, str)) and str(one).strip().isdecimal() for one in numbers):
        raise bad_option(
            "slice", f"it must be {{offset: 0, count: 3}}, with whole numbers; found {shown(str(given))}"
        )
    offset, count = (int(str(one)) for one in numbers)
    if not 0 <= offset < count:
        raise bad_option("slice", f"offset must be from 0 to {count - 1}, found {offset}")
    return Slice(offset, count)


def _needed_cluster(params: Params) -> str:
    name = cluster_name_option(params)
    if not name:
        raise bad_option("cluster_name", f"it is needed for the state {params['state']}")
    return name


def _deadline_at(given: str | None) -> datetime | None:
    if not given:
        return None
    try:
        return parse_rfc3339(given)
    except (ValueError, OverflowError):
        raise bad_option("deadline_at", f"it must be a time in RFC 3339, found {shown(given)}") from None


def _result(given: Any) -> Mapping[str, Any]:
    return given if isinstance(given, Mapping) else {}


def _reports(formats: Sequence[str]) -> tuple[FleetReport, ...]:
    for name in formats:
        if name not in FLEET_REPORTS:
            raise ScanError(
                "bad_option",
                unknown_name("format", name[:100], FLEET_REPORTS),
                tried="reading the option formats",
            )
    return tuple(FLEET_REPORTS[name] for name in dict.fromkeys(formats))


def scan_fleet_run_spec() -> Spec:
    return {
        "state": {"type": "str", "choices": list(STATES), "required": True},
        "output_dir": {"type": "path", "required": True},
        **shared_folder_spec(),
        "fleet_run_id": {"type": "str"},
        **cluster_name_spec(),
        "clusters": {"type": "list", "elements": "dict"},
        "slice": {"type": "dict"},
        "deadline": {"type": "int"},
        "resume": {"type": "bool", "default": True},
        "resume_within": {"type": "int", "default": 43200},
        "deadline_at": {"type": "str"},
        "terms": {"type": "str"},
        "scan": {"type": "raw"},
        "failure": {"type": "raw"},
        "elsewhere": {"type": "list", "elements": "str"},
        "fleet_dirs": {"type": "list", "elements": "path"},
        "fail_on": {"type": "list", "elements": "str", "default": list(KINDS)},
        "formats": {"type": "list", "elements": "str", "default": ["json", "csv", "markdown", "html"]},
    }
