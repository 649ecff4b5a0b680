# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks as an operator runs them, from a shell, and how they end."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from dataclasses import dataclass

import pytest
from ansible_collections.securescan.kubernetes.tests.environment.sample_cluster import SampleCluster

TESTS = pathlib.Path(__file__).resolve().parents[1]
WAIVERS = TESTS / "workloads" / "waivers.yml"


@dataclass
class PlaybookRun:
    """How a playbook ended: exit status, all that it printed, and (for a scan) its run folder's summary."""

    status: int
    output: str
    run_dir: pathlib.Path | None = None

    @property
    def summary(self) -> dict:
        return json.loads((self.run_dir / "summary.json").read_text(encoding="utf-8"))


class Playbooks:
    """Runs playbooks against the cluster as an operator does, from a shell."""

    def __init__(self, kubeconfig: pathlib.Path, folder: pathlib.Path) -> None:
        self.kubeconfig = kubeconfig
        self.folder = folder

    def inventory(self, **variables: object) -> pathlib.Path:
        host = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "scan_kubeconfig": str(self.kubeconfig),
            **variables,
        }
        path = self.folder / "inventory.json"
        path.write_text(json.dumps({"all": {"hosts": {"sample": host}}}), encoding="utf-8")
        return path

    def start(
        self, playbook: str, *arguments: str, environ: dict | None = None, **variables: object
    ) -> subprocess.Popen[str]:
        """The playbook as a running process, its output in a pipe."""
        program = pathlib.Path(sys.executable).parent / "ansible-playbook"
        plugins = str(TESTS / "integration" / "connection_plugins")
        return subprocess.Popen(
            [str(program), playbook, "-i", str(self.inventory(**variables)), *arguments],
            cwd=self.folder,
            text=True,
            env=dict(os.environ, ANSIBLE_NOCOLOR="1", ANSIBLE_CONNECTION_PLUGINS=plugins, **(environ or {})),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(
        self, playbook: str, *arguments: str, environ: dict | None = None, **variables: object
    ) -> PlaybookRun:
        process = self.start(playbook, *arguments, environ=environ, **variables)
        output, _nothing = process.communicate()
        return PlaybookRun(process.returncode, output)

    def scan(self, *arguments: str, **variables: object) -> PlaybookRun:
        """The shipped scan playbook over the sample namespace, with its results in a folder of its own."""
        results = self.folder / "results"
        fixed = {"scan_namespaces": "shop", "scan_output_dir": str(results), "scan_waivers": str(WAIVERS)}
        run = self.run("securescan.kubernetes.scan", *arguments, **{**fixed, **variables})
        if (results / "sample" / "latest").exists():
            run.run_dir = (results / "sample" / "latest").resolve()
        return run


@pytest.fixture
def playbooks(operator_kubeconfig: pathlib.Path, tmp_path: pathlib.Path) -> Playbooks:
    """With the operator's credential that the documentation describes, not the administrator's."""
    return Playbooks(operator_kubeconfig, tmp_path)


@pytest.fixture(scope="session")
def shop_scan(
    cluster: SampleCluster, operator_kubeconfig: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> PlaybookRun:
    """One scan of everything in the sample namespace with all that Ansible can print; many tests look at it."""
    folder = tmp_path_factory.mktemp("shop_scan")
    cluster.forget_audit()
    run = Playbooks(operator_kubeconfig, folder).scan("-vvvv")
    run.audit = cluster.audit_events()
    run.execs = cluster.exec_requests()
    return run
