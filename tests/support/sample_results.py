# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small judgements, documents and a run's summary for tests of results and reports."""

from __future__ import annotations

import io
import pathlib
from collections.abc import Sequence
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.report import Report
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.gate import decide
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.model import (
    ControlResult,
    Judgement,
    Platform,
    ProfileResult,
    Segment,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.producer import PASSTHROUGH
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import ProfileReference, Run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_folder import RunFolder
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_summary_builder import (
    RunSummaryBuilder,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import (
    DEFAULT_THRESHOLD,
    Threshold,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import Target

START = "2026-11-23T10:00:00Z"


def make_target(pod: str = "api-1", container: str = "app", **fields: str) -> Target:
    values: dict[str, str] = {
        "cluster": "demo",
        "namespace": "shop",
        "workload_kind": "Deployment",
        "workload": "api",
        "pod": pod,
        "pod_uid": "uid-" + pod,
        "container": container,
        "image": "registry/api:1",
        "image_digest": "sha256:" + "1" * 64,
        "node": "node-1",
    }
    return Target(**dict(values, **fields))


def make_control(control_id: str, *statuses: str, impact: float = 0.5, **fields: Any) -> ControlResult:
    segments = [
        Segment(
            status,
            "File /etc/passwd mode",
            START,
            0.001,
            message="expected 0644, found 0777" if status in ("failed", "error") else "",
            skip_message="unreadable" if status == "skipped" else "",
        )
        for status in statuses
    ]
    values: dict[str, Any] = {
        "title": f"Title of {control_id}",
        "desc": "Description",
        "source_file": "controls.yml",
        "source_line": 7,
    }
    return ControlResult(id=control_id, impact=impact, results=segments, **dict(values, **fields))


def make_profile(name: str, *controls: ControlResult, **fields: Any) -> ProfileResult:
    return ProfileResult(name, name.title(), "1.2.0", "ab" * 32, list(controls), **fields)


def make_judgement(target: Target, *profiles: ProfileResult, **fields: Any) -> Judgement:
    values: dict[str, Any] = {
        "identity": target.identity(),
        "platform": Platform("debian", "debian", "12.5", "x86_64"),
        "method": {"run_id": "run-1", "approach": "exec", "collector_version": "1", "unread": []},
        "profiles": list(profiles),
        "started": START,
        "duration": 0.25,
    }
    return Judgement(**dict(values, **fields))


def make_document(target: Target, *controls: ControlResult, profile: str = "baseline") -> dict[str, Any]:
    return hdf_document(make_judgement(target, make_profile(profile, *controls)))


def make_run(
    documents: Sequence[tuple[Target, dict[str, Any]]],
    not_scanned: Sequence[tuple[Target, ScanError]] = (),
    threshold: Threshold | None = DEFAULT_THRESHOLD,
    **fields: Any,
) -> Run:
    """A run; without a threshold no gate decides."""
    values: dict[str, Any] = {
        "run_id": "run-1",
        "started": START,
        "cluster": "demo",
        "selection": {"namespaces": ["shop"]},
        "profiles": [ProfileReference("baseline", "1.2.0", "ab" * 32)],
    }
    builder = RunSummaryBuilder(**dict(values, **fields))
    named = []
    for target, document in documents:
        path = f"hdf/{target.pod}.json"
        builder.add_scanned(target.identity(), "exec", 0.25, document, path)
        named.append((path, document))
    for target, error in not_scanned:
        builder.add_not_scanned(target.identity(), "exec", 0.05, error.record())
    run = builder.finish("2026-11-23T10:00:02Z", 2.0)
    return run.with_gate(decide(threshold, named, run.expected_targets())) if threshold else run


def write_run(
    folder: pathlib.Path,
    run_id: str,
    documents: Sequence[tuple[Target, dict[str, Any]]],
    not_scanned: Sequence[tuple[Target, ScanError]] = (),
    **fields: Any,
) -> pathlib.Path:
    """Writes a run as a scan would, below `folder`; its documents are then of this run. No gate has decided."""
    values: dict[str, Any] = {
        "started": START,
        "cluster": "demo",
        "selection": {"namespaces": ["shop"]},
        "profiles": [ProfileReference("baseline", "1.2.0", "ab" * 32)],
    }
    run_folder = RunFolder(str(folder), run_id)
    run_folder.create()
    builder = RunSummaryBuilder(run_id=run_id, **dict(values, **fields))
    for target, document in documents:
        document["passthrough"][PASSTHROUGH]["scan"]["run_id"] = run_id
        path, sha256 = run_folder.write_hdf(document, target.identity())
        builder.add_scanned(target.identity(), "exec", 0.25, document, path, hdf_sha256=sha256)
    for target, error in not_scanned:
        builder.add_not_scanned(target.identity(), "exec", 0.05, error.record())
    run_folder.write_summary(builder.finish("2026-11-23T10:00:02Z", 2.0))
    run_folder.mark_latest()
    return run_folder.path


def rendered(report: Report, run: Run) -> str:
    """The whole text of a report."""
    stream = io.StringIO()
    report.write(run, stream)
    return stream.getvalue()
