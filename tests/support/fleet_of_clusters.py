# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of fake clusters that are fine, slow, refusing, cutting, silent or dead, and the playbook over it."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.results.fleet_run import (
    FleetRun,
    open_fleet_run,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import (
    ExecStreams,
    run_locally,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer

PLAYBOOK = "securescan.kubernetes.fleet"
NAMESPACE = "shop"
_PROFILE = """\
name: small
title: Small
version: 1.0.0
controls:
  - id: there
    title: The file is there
    impact: high
    tests: [{file: /etc/passwd, expect: {exist: true}}]
  - id: closed
    title: Nobody else can write the file
    impact: high
    tests: [{file: %s, expect: {mode: {no_wider_than: "0755"}}}]
"""


class FleetOfClusters:
    """Use it in a `with`. Each `add_*` makes a host; `extra` are variables of it.

    The containers run this machine's shell, and are judged by a profile of two controls. The second of them looks at `file`.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.results = folder / "results"
        self.file = folder / "judged"
        self.file.write_text("")
        self.file.chmod(0o644)
        (folder / "small.yml").write_text(_PROFILE % self.file)
        self.hosts: dict[str, dict[str, Any]] = {}
        self.servers: dict[str, FakeApiServer] = {}
        self.stopping = threading.Event()
        self._authority = Authority(folder)
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> FleetOfClusters:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stopping.set()
        self._stack.close()

    def add_fine(self, name: str, pods: int = 2, seconds: float = 0.0, **extra: Any) -> FakeApiServer:
        """A cluster that answers; each exec takes so many seconds."""
        server = self._stack.enter_context(FakeApiServer(self._authority))
        self.servers[name] = server
        for number in range(pods):
            server.add_pod(NAMESPACE, f"api-{number}", {"app": self._slowly(seconds)})
        kubeconfig = self.folder / f"{name}.kubeconfig"
        kubeconfig.write_text(json.dumps(server.kubeconfig()))
        self.hosts[name] = {"scan_kubeconfig": str(kubeconfig), **extra}
        return server

    def add_faulty(self, name: str, *faults: Fault, pods: int = 2, **extra: Any) -> FakeApiServer:
        server = self.add_fine(name, pods, **extra)
        server.faults.extend(faults)
        return server

    def add_refusing(self, name: str) -> FakeApiServer:
        """One that does not know the credential."""
        fault = Fault("status", status=401, reason="Unauthorized", text="Unauthorized")
        return self.add_faulty(name, fault)

    def add_cutting(self, name: str) -> FakeApiServer:
        """One that cuts each exec."""
        return self.add_faulty(name, Fault("cut", on="/exec", after=10))

    def add_dead(self, name: str) -> None:
        """One behind a port where nobody listens."""
        self.hosts[name] = {"scan_host": "https://127.0.0.1:1", "scan_api_key": "none"}

    def run_fast(self, name: str) -> None:
        """From now on its execs take no time."""
        server = self.servers[name]
        for pod in range(100):
            if server.program(NAMESPACE, f"api-{pod}", "app"):
                server.run_in(NAMESPACE, f"api-{pod}", "app", run_locally)

    def _slowly(self, seconds: float) -> Any:
        def program(argv: list[str], streams: ExecStreams) -> int:
            end = time.monotonic() + seconds
            while time.monotonic() < end and not streams.closed.wait(0.02) and not self.stopping.is_set():
                pass
            return run_locally(argv, streams)

        return program

    def inventory(self) -> pathlib.Path:
        common = {"ansible_python_interpreter": sys.executable, "scan_namespaces": NAMESPACE}
        hosts = {name: {**common, **host} for name, host in self.hosts.items()}
        path = self.folder / "inventory.json"
        path.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
        return path

    def variables(self) -> dict[str, Any]:
        return {
            "fleet_output_dir": str(self.results),
            "scan_profiles": [str(self.folder / "small.yml")],
            "scan_approach": "exec",
            "scan_timeout": 60,
        }

    def start(
        self,
        *arguments: str,
        environ: Mapping[str, str] | None = None,
        playbook: str = PLAYBOOK,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.STDOUT,
        **variables: Any,
    ) -> subprocess.Popen[str]:
        program = pathlib.Path(sys.executable).parent / "ansible-playbook"
        return subprocess.Popen(
            [
                str(program),
                playbook,
                "-i",
                str(self.inventory()),
                "-e",
                json.dumps({**self.variables(), **variables}),
                *arguments,
            ],
            cwd=self.folder,
            text=True,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORKS": "10", **(environ or {})},
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )

    def play(self, *arguments: str, **variables: Any) -> tuple[int, str]:
        """(exit status, output) of the playbook."""
        process = self.start(*arguments, **variables)
        output, _nothing = process.communicate()
        return process.returncode, output

    def latest(self) -> FleetRun:
        return open_fleet_run(str((self.results / "_fleet" / "latest").resolve()))

    def fleet_folders(self) -> list[pathlib.Path]:
        """The folders of all fleet runs, the oldest first."""
        return sorted(
            path for path in (self.results / "_fleet").iterdir() if path.is_dir() and not path.is_symlink()
        )
