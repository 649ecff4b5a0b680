# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The molecule scenarios, run as a contributor runs them."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCENARIOS = sorted(path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml"))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(scenario, cluster, tmp_path):
    workloads = ROOT / "molecule" / scenario / "files" / "workloads.yml"
    if workloads.exists():
        cluster.load_images(workloads.read_text(encoding="utf-8"))
    program = pathlib.Path(sys.executable).parent / "molecule"
    done = subprocess.run(
        [str(program), "test", "-s", scenario],
        cwd=ROOT,
        check=False,
        text=True,
        env=dict(
            os.environ,
            SCAN_KUBECONFIG=str(cluster.kubeconfig),
            SCAN_KUBECTL=cluster.kubectl_program,
            MOLECULE_EPHEMERAL_DIRECTORY=str(tmp_path / "molecule"),
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout[-5000:]
