# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real Helm, built once, with a home of its own."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess

from ..environment.go_program import MODULES, built

VERSION = re.findall(r"helm\.sh/helm/v4 v(\S+)", (MODULES / "helm" / "go.mod").read_text("utf-8"))[0]


class Helm:
    """`home` gets all that Helm writes on this machine."""

    def __init__(self, home: pathlib.Path, kubeconfig: pathlib.Path | None = None) -> None:
        self._program = built("helm")
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "HELM_CACHE_HOME": str(home / "cache"),
            "HELM_CONFIG_HOME": str(home / "config"),
            "HELM_DATA_HOME": str(home / "data"),
            "KUBECONFIG": str(kubeconfig or home / "none"),
        }

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """The caller judges its exit status."""
        return subprocess.run(
            [str(part) for part in (self._program, *arguments)],
            check=False,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def __call__(self, *arguments: object) -> str:
        """Its standard output; a failure is the test's."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"helm {arguments}: {done.stderr[-3000:]}{done.stdout[-3000:]}"
        return done.stdout
