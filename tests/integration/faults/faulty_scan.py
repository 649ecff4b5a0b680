# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One scan by the engine's task, as the action plugin calls it, and what must hold of every scan however it ends."""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import KINDS, ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.scan import scan_container_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.container import run_scan_container
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.profile import chosen_profiles


@dataclass
class ScanEnd:
    """How a scan ended: the task's `error`, if it failed; `targets` of its summary by pod name, if it wrote one;
    `problems` with its results."""

    output_dir: pathlib.Path
    error: ScanError | None = None
    targets: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def record(self, pod: str) -> Mapping[str, str]:
        """The record of a target's failure; empty where it was scanned."""
        return self.targets[pod]["error"] or {}

    def scanned(self) -> set[str]:
        return {pod for pod, target in self.targets.items() if target["outcome"] == "scanned"}


def check_kept_out(end: ScanEnd, pod: str, reasons: Sequence[str]) -> Mapping[str, str]:
    """The target was not scanned for one of the reasons, the record is whole, and there is no verdict; the record."""
    target = end.targets[pod]
    record: Mapping[str, str] = target["error"] or {}
    assert record.get("reason") in reasons, (record, target["counts"])
    check_record(record)
    assert (target["outcome"], target["hdf"], target["counts"]) == ("not_scanned", "", None)
    return record


def check_record(record: Mapping[str, str]) -> None:
    kind = KINDS[record["reason"]]
    assert record["code"] == kind.code
    assert all(record[name] for name in ("message", "tried", "cause", "advice")), record


def scan(kubeconfig: Any, output_dir: pathlib.Path, namespaces: Sequence[str], **options: Any) -> ScanEnd:
    """Runs the task scan_container and reads its results back."""
    params = {name: rule.get("default") for name, rule in scan_container_spec().items()}
    params.update(
        kubeconfig=kubeconfig,
        output_dir=str(output_dir),
        namespaces=list(namespaces),
        compiled_profiles=compiled_profiles(),
        approach="exec",
        finished_pods=True,
        timeout=30.0,
    )
    params.update(options)
    end = ScanEnd(output_dir)
    context = TaskContext(check_mode=False, environ={}, warnings=end.warnings)
    try:
        result = run_scan_container(params, context)
        if result.get("failed"):
            # results stand beside the error: the scan was done, its access could not be removed
            assert pathlib.Path(result["summary_file"]).exists()
            end.error = ScanError.from_record(result["error"])
    except ScanError as error:
        end.error = error
    _read_back(end)
    return end


@functools.cache
def compiled_profiles() -> list[dict[str, Any]]:
    return [profile.as_dict() for profile in chosen_profiles(["container-baseline"])]


def _read_back(end: ScanEnd) -> None:
    """Fills `targets`; every document must be a scanned target's, and hold verdicts that were reached from facts."""
    folders = [path for path in end.output_dir.glob("*/*") if path.is_dir() and not path.is_symlink()]
    documents = {
        str(path)
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and path.name != "summary.json"
    }
    for folder in folders:
        if not (folder / "summary.json").exists():
            continue
        run = open_run(str(folder))
        targets = run.to_json()["targets"]
        end.targets.update({target["pod"]: target for target in targets})
        documents -= {path for path, _document in run.documents()}
        for target in targets:
            if (target["outcome"] == "scanned") != bool(target["hdf"]):
                end.problems.append(
                    "{} is {}, its document is {!r}".format(target["pod"], target["outcome"], target["hdf"])
                )
            if target["outcome"] == "scanned" and not target["counts"]["passed"]:
                end.problems.append("{} was scanned, but nothing passed".format(target["pod"]))
    end.problems += [f"{path} is nobody's" for path in sorted(documents)]
