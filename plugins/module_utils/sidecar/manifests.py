# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the sidecars of a workload as files for git: a kustomize component, and values for Helm charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..counted_yaml import require_yaml, yaml_text
from ..errors import ScanError
from .workload import WorkloadRef

KUSTOMIZATION = "kustomization.yaml"
_PATCH_HEAD = "# Made by scan_sidecar: sidecars for scans, a strategic merge patch.\n"
_COMPONENT_HEAD = """\
# Made by scan_sidecar. List the folder of this file under `components` of your kustomization.
"""
_VALUES_HEAD = """\
# Made by scan_sidecar: values for the chart of %s. Charts call them differently: put the list where yours takes init
# containers, and the flag into its pod spec. As a template of your own chart:
#   spec:
#     shareProcessNamespace: {{ .Values.shareProcessNamespace }}
#     initContainers: {{- toYaml .Values.initContainers | nindent 6 }}
"""


def manifests(changes: Sequence[tuple[WorkloadRef, Mapping[str, Any]]]) -> dict[str, str]:
    """File name -> content.

    :param changes: each workload, and what is added to the spec of its pod template
    :raises ScanError: missing_library
    """
    require_yaml("writing manifests")
    files: dict[str, str] = {}
    patches: list[dict[str, Any]] = []
    for ref, change in changes:
        base = f"{ref.kind.name.lower()}-{ref.name}"
        # a selector, whose name is a regular expression: a patch alone would only match where the namespace
        # is written likewise
        patches.append(
            {
                "path": base + ".patch.yaml",
                "target": {
                    "group": ref.kind.group,
                    "version": "v1",
                    "kind": ref.kind.name,
                    "name": ref.name.replace(".", "\\."),
                },
            }
        )
        files[base + ".patch.yaml"] = _PATCH_HEAD + yaml_text(patch_of(ref, change))
        files[base + ".values.yaml"] = _VALUES_HEAD % ref.title + yaml_text(change)
    component = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component", "patches": patches}
    return {KUSTOMIZATION: _COMPONENT_HEAD + yaml_text(component), **files}


def patch_of(ref: WorkloadRef, change: Mapping[str, Any]) -> dict[str, Any]:
    """The strategic merge patch of one workload."""
    body: dict[str, Any] = {"spec": dict(change)}
    for key in reversed(ref.kind.template):
        body = {key: body}
    return {"apiVersion": ref.kind.api_version, "kind": ref.kind.name, "metadata": {"name": ref.name}, **body}


def write_manifests(place: Path, files: Mapping[str, str], check_mode: bool) -> list[dict[str, str]]:
    """Write the files whose content differs, and return a diff of each.

    :raises ScanError: write_failed
    """
    diff = []
    try:
        for name, text in files.items():
            before = (place / name).read_text(encoding="utf-8") if (place / name).exists() else ""
            if before == text:
                continue
            diff.append(
                {
                    "before_header": str(place / name),
                    "after_header": str(place / name),
                    "before": before,
                    "after": text,
                }
            )
            if not check_mode:
                place.mkdir(parents=True, exist_ok=True)
                (place / name).write_text(text, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScanError("write_failed", f"{place}: {error}", tried="writing manifests") from error
    return diff
