# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A debug container that does not end although it was told to is found, and named in the result."""

from __future__ import annotations

import json
import pathlib
import signal
import subprocess
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches import debug_end
from ansible_collections.securescan.kubernetes.tests.fake_api_server.controllers import Node
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import (
    ExecStreams,
    Program,
    no_shell,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.empty_cluster import (  # noqa: F401
    authority,
    server,
)
from ansible_collections.securescan.kubernetes.tests.support.scans_on_fake_cluster import (
    PODS,
    Cluster,
    Scan,
)
from ansible_collections.securescan.kubernetes.tests.support.simulated_containers import beside_target

ROOT = pathlib.Path("/")


class StubbornNode(Node):
    """Its containers run on when they are told to end.

    :ivar exit_code: of the shell that tells them; None where that is stopped, and never answers
    :ivar ends_late: the container ends when the pod is looked at so often after that; None for never
    """

    exit_code: int | None = 137
    ends_late: int | None = None

    def __call__(self) -> None:
        super().__call__()
        if self.ends_late is not None and self.ended:
            self.ends_late -= 1
            if self.ends_late < 0:
                for path in self._server.objects.paths():
                    pod = self._server.objects.find(path)
                    for status in (pod or {}).get("status", {}).get("ephemeralContainerStatuses", []):
                        status["state"] = {"terminated": {"exitCode": 0}}
                    if pod and "/pods/" in path:
                        self._server.objects.put(path, pod)

    def _entered(self, path: str, container: str) -> Program:
        inside = super()._entered(path, container)

        def program(argv: list[str], streams: ExecStreams) -> int:
            if "securescan-end" not in argv:
                return inside(argv, streams)
            self.ended.append(container)
            if self.exit_code is None:
                streams.closed.wait(30)
            return self.exit_code or 0

        return program


@pytest.fixture
def node(server: FakeApiServer, monkeypatch: pytest.MonkeyPatch) -> StubbornNode:  # noqa: F811
    monkeypatch.setattr(debug_end, "_PATIENCE", 0.6)
    monkeypatch.setattr(debug_end, "_PAUSE", 0.05)
    # the test with a shell that never answers makes it short
    monkeypatch.setattr(debug_end, "_EXEC_SECONDS", 30.0)
    return StubbornNode(server, beside_target(ROOT))


@pytest.fixture
def scan(server: FakeApiServer, node: StubbornNode, tmp_path: pathlib.Path) -> Scan:  # noqa: F811
    cluster = Cluster(server, no_shell)
    server.objects.meanwhile[:] = [node]
    cluster.add_pod("web-1", no_shell)
    return Scan(cluster, tmp_path)


def entry_of(server: FakeApiServer) -> str:  # noqa: F811
    pod = server.objects.find(PODS + "web-1")
    assert pod is not None
    (entry,) = pod["spec"]["ephemeralContainers"]
    return str(entry["name"])


def footprint(scan: Scan) -> dict[str, Any]:
    text = (scan.run_dir / scan.targets["web-1"]["hdf"]).read_text()
    found: dict[str, Any] = json.loads(text)["passthrough"]["securescan_kubernetes"]["scan"]["footprint"]
    return found


@pytest.mark.parametrize(
    "exit_code", [137, 0, None], ids=["its shell was killed", "its shell went on", "stopped"]
)
def test_one_that_runs_on_is_named_in_the_result_and_in_a_warning(
    scan: Scan,
    server: FakeApiServer,  # noqa: F811
    node: StubbornNode,
    exit_code: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node.exit_code = exit_code
    if exit_code is None:
        monkeypatch.setattr(debug_end, "_EXEC_SECONDS", 0.3)
    result = scan(approach="debug")
    name = entry_of(server)
    assert scan.outcomes() == {"web-1": "debug"}
    assert result["footprint"]["not_ended"] == [{"namespace": "shop", "pod": "web-1", "name": name}]
    assert any(f"shop/web-1/{name}" in warning and "did not end" in warning for warning in scan.warnings)
    # a shell that was ended with its container, as a target can pretend, is not asked about twice for the document
    assert footprint(scan).get("still_runs", False) is (exit_code != 137)


@pytest.mark.parametrize("exit_code", [137, 0])
def test_one_whose_end_the_node_reports_late_has_ended(
    scan: Scan, node: StubbornNode, exit_code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debug_end, "_PATIENCE", 60.0)
    node.exit_code, node.ends_late = exit_code, 3
    result = scan(approach="debug")
    assert result["footprint"]["not_ended"] == [] and scan.warnings == []
    assert "still_runs" not in footprint(scan)


def test_one_that_is_kept_is_not_told_to_end(scan: Scan, node: StubbornNode) -> None:
    assert scan(approach="debug", debug_keep_alive=600)["footprint"]["not_ended"] == []
    assert node.ended == [] and scan.warnings == []


def test_the_end_script_wakes_a_stopped_process_or_kills_it() -> None:
    """The part behind the search: of what it found, `1` here is a process of this machine."""
    _search, _found, ending = debug_end.END_SCRIPT.decode().partition("set -- $roots\n")
    assert ending
    for ignores in ("", "trap '' TERM; "):
        loop = "trap 'exit 0' USR1; echo; while :; do sleep 0.1; done"
        stopped = subprocess.Popen(["sh", "-c", ignores + loop], stdout=subprocess.PIPE)
        assert stopped.stdout is not None
        with stopped.stdout as said:
            said.readline()  # its traps are set
        stopped.send_signal(signal.SIGSTOP)
        whole = f"cgroup() {{ :; }}; own=; set -- {stopped.pid}\n{ending}"
        subprocess.run(["sh", "-c", whole], check=False, timeout=60)
        assert stopped.wait(60) == -(signal.SIGKILL if ignores else signal.SIGTERM)
