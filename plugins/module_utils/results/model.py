# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What any engine hands over when it has judged a target: profiles of controls of segments, in HDF's words.

These types are the seam between judging and everything after it. An engine fills them; the HDF document, the
summary and the gate are made from them (or from the HDF document read back).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SEGMENT_PASSED = "passed"
SEGMENT_FAILED = "failed"
SEGMENT_SKIPPED = "skipped"
SEGMENT_ERROR = "error"


@dataclass(frozen=True)
class Segment:
    """One test of one control (an entry of `results` in HDF).

    `status` is passed, failed, skipped or error. `message` says expected and found for a failure, or the error's
    text; `skip_message` says why it was skipped. `start_time` is RFC 3339, `run_time` seconds.
    """

    status: str
    code_desc: str
    start_time: str
    run_time: float = 0.0
    message: str = ""
    skip_message: str = ""
    resource_class: str = ""
    resource_id: str = ""


@dataclass
class ControlResult:
    """One control with its segments. `descriptions` maps a label (check, fix, rationale) to its text."""

    id: str
    title: str
    desc: str
    impact: float
    results: list[Segment]
    descriptions: dict[str, str] = field(default_factory=dict)
    tags: dict[str, Any] = field(default_factory=dict)
    refs: list[dict[str, str]] = field(default_factory=list)
    code: str = ""
    source_file: str = ""
    source_line: int = 0
    waiver_data: dict[str, Any] = field(default_factory=dict)
    # whether only a person can check it: its profile says so, never what was seen of a target
    manual: bool = False
    attestation_data: dict[str, str] = field(default_factory=dict)


@dataclass
class ProfileResult:
    """One profile judged on one target. `status` is loaded, failed or skipped (then `controls` is empty).

    `of_pod`: it asks only for the settings of the pod, and nothing of the container's content.
    """

    name: str
    title: str
    version: str
    sha256: str
    controls: list[ControlResult]
    maintainer: str = ""
    summary: str = ""
    license: str = ""
    copyright: str = ""
    supports: list[dict[str, Any]] = field(default_factory=list)
    attributes: list[dict[str, Any]] = field(default_factory=list)
    status: str = "loaded"
    status_message: str = ""
    of_pod: bool = False


@dataclass(frozen=True)
class Platform:
    """The operating system inside the target as InSpec names it; empty strings where it could not be seen."""

    name: str = ""
    family: str = ""
    release: str = ""
    arch: str = ""


@dataclass
class Judgement:
    """Everything one HDF document is made from.

    `identity` is `Target.identity()`. `method` says how it was seen: run_id, approach, collector_version,
    `evidence` (as Evidence.to_json), and `unread`: a list of {fact, status, cause} for facts that could not be had.
    `started` is RFC 3339, `duration` seconds.
    """

    identity: dict[str, Any]
    method: dict[str, Any]
    platform: Platform
    profiles: list[ProfileResult]
    started: str
    duration: float
