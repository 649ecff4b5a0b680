# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-navigator scans the real cluster without an image; in the built one: tests/real/test_execution_environment.py."""

from __future__ import annotations

import json
import pathlib

from ansible_collections.securescan.kubernetes.tests.support.navigator import navigate, navigator_version
from ansible_collections.securescan.kubernetes.tests.support.planted_secrets import JWT, grantor_secrets
from ansible_collections.securescan.kubernetes.tests.support.real_systems import SECTIONS, shown

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_it_scans_and_its_artifact_holds_no_secret(operator_kubeconfig, tmp_path) -> None:
    host = {
        "scan_kubeconfig": str(operator_kubeconfig),
        "scan_namespaces": "shop",
        "scan_output_dir": str(tmp_path / "results"),
        "scan_fail_on": "never",
    }
    environ = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT.parents[2])}
    done = navigate(
        tmp_path, "securescan.kubernetes.scan", host, "--execution-environment", "false", environ=environ
    )
    assert done.status == 0, done.output
    summary = json.loads((tmp_path / "results" / "sample" / "latest" / "summary.json").read_text())
    assert summary["target_counts"]["scanned"] > 0
    assert done.artifact["status"] == "successful"
    text = json.dumps(done.artifact).encode()
    assert not JWT.search(text) and not [one for one in grantor_secrets(operator_kubeconfig) if one in text]
    shown(
        "ansible-navigator",
        navigator_version(),
        "scans without an image; no secret in its artifact",
        SECTIONS[0],
    )
