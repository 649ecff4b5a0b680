# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chart charts/securescan: its files, the parts of it that are made from the engine, and what the real Helm made of it.

`renderings/` has what Helm rendered for the values in `examples/`, with a hash of all that went in. `make real` writes it anew
where SECURESCAN_WRITE_DOCS is set; without Helm a test still sees that it is stale.
"""

from __future__ import annotations

import hashlib
import json
import pathlib
from typing import Any

import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.guard import (
    guard_options,
    scan_guard_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.guard import guard_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "securescan"
EXAMPLES = ROOT / "charts" / "examples"
RENDERINGS = ROOT / "charts" / "renderings"
GITOPS = ROOT / "charts" / "gitops"
# The release of all renderings; its namespace is what the GitOps examples have.
RELEASE, NAMESPACE = "nightly", "securescan"

# Variables of the roles that the chart itself sets, or that are about the connection, which its values say.
_OF_THE_CHART = {
    "scan_namespaces",
    "scan_approaches",
    "scan_scanner_image",
    "scan_scanner_image_pull_secrets",
    "scan_account_namespace",
    "scan_helper_namespace",
    "scan_owner",
    "scan_output_dir",
    "scan_allow_shared_folder",
    "scan_cluster_name",
    "scan_deadline",
    "scan_deadline_at",
    "scan_fail_on",
    "scan_push",
    "scan_run_id",
    "scan_store",
    "scan_store_password",
    "fleet_output_dir",
    "fleet_allow_shared_folder",
    "fleet_deadline",
    "fleet_fail_on",
    "fleet_store",
    "fleet_store_password",
    "fleet_run_id",
    "fleet_slice",
}
_CONNECTION = ROOT / "roles" / "scan" / "vars" / "main" / "connection.yml"
_JSON_TYPES: dict[str, list[str]] = {
    "str": ["string"],
    "path": ["string"],
    "bool": ["boolean"],
    "int": ["integer"],
    "float": ["number"],
    "list": ["array"],
    "dict": ["object"],
    "raw": ["string", "object", "array"],
}


def examples() -> list[pathlib.Path]:
    """The values files, each with a rendering of its name."""
    return sorted(EXAMPLES.glob("*.yaml"))


def rendering_of(values: pathlib.Path) -> pathlib.Path:
    return RENDERINGS / f"{values.stem}.txt"


def inputs_hash(values: pathlib.Path) -> str:
    """A hash of all that a rendering is made of: the chart's files, by name and content, and the values."""
    content = hashlib.sha256()
    for file in [*sorted(path for path in CHART.rglob("*") if path.is_file()), values]:
        content.update(f"{file.relative_to(ROOT).as_posix()}\0{file.stat().st_size}\0".encode())
        content.update(file.read_bytes())
    return content.hexdigest()


def rendering_head(values: pathlib.Path) -> str:
    return (
        f"# What Helm makes of charts/securescan with charts/examples/{values.name}; `make real` writes it.\n"
        f"# inputs: {inputs_hash(values)}\n"
    )


def rendered(values: pathlib.Path) -> list[dict[str, Any]]:
    """The objects of a committed rendering."""
    text = rendering_of(values).read_text(encoding="utf-8")
    return [item for item in yaml.safe_load_all(text) if item]


def guard_template() -> str:
    """The guard with marks where the names of a release go, as JSON."""
    params = {name: rule.get("default") for name, rule in scan_guard_spec().items()}
    params.update(
        scanner_images=["@image@"],
        scanner_image_pull_secrets=["@pull-secret@"],
        closed_namespaces=["@closed@"],
        grantors=["@grantor@"],
        account_namespace="@accounts@",
    )
    return json.dumps({"items": guard_of(guard_options(params))}, indent=1) + "\n"


def role_variables() -> dict[str, Any]:
    """The schema of scan.variables: each variable of the roles scan and fleet that is neither the chart's own nor about the
    connection nor secret, with its type, choices and first sentence."""
    connection = yaml.safe_load(_CONNECTION.read_text(encoding="utf-8"))["__scan_connection_options"]
    left_out = _OF_THE_CHART | {f"scan_{name}" for name in connection}
    properties = {}
    for role in ("scan", "fleet"):
        specs = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text("utf-8"))
        for name, option in specs["argument_specs"]["main"]["options"].items():
            if name in left_out or option.get("no_log"):
                continue
            properties[name] = _property(option)
    return {"type": "object", "additionalProperties": False, "properties": dict(sorted(properties.items()))}


def _property(option: dict[str, Any]) -> dict[str, Any]:
    kinds = _JSON_TYPES[option.get("type", "str")]
    made: dict[str, Any] = {"type": kinds[0] if len(kinds) == 1 else kinds}
    text = option["description"]
    made["description"] = _plain(text if isinstance(text, str) else text[0])
    if "choices" in option and kinds == ["array"]:
        made["items"] = {"enum": option["choices"]}
    elif "choices" in option:
        made["enum"] = option["choices"]
    return made


def _plain(text: str) -> str:
    """Without Ansible's markup, as C(x) and O(x), and on one line."""
    plain = " ".join(text.split())
    for mark in ("C(", "O(", "V("):
        while mark in plain:
            before, _mark, after = plain.partition(mark)
            inner, _end, rest = after.partition(")")
            plain = before + inner + rest
    return plain
