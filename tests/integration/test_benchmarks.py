# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmarks work; how fast things are is not tested."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

# Of two times that are measured one after the other: on a busy machine it can be of either sign.
DIFFERENCES = ("collector for", "first import", "bare tasks", "idle")

BENCHMARKS = pathlib.Path(__file__).resolve().parents[1] / "benchmarks" / "benchmarks.py"


def test_every_measurement_is_made(cluster, tmp_path):
    output = tmp_path / "bench.json"
    path = os.pathsep.join([str(pathlib.Path(cluster.kubectl_program).parent), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS), str(output), "--once"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
        env=dict(os.environ, KUBECONFIG=str(cluster.kubeconfig), PATH=path),
    )
    assert done.returncode == 0, done.stdout[-3000:]
    rows = json.loads(output.read_text(encoding="utf-8"))
    assert len({row["name"] for row in rows}) == 20
    assert all(row["value"] > 0 for row in rows if not any(words in row["name"] for words in DIFFERENCES)), (
        rows
    )
