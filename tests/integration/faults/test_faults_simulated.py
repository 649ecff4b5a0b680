# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that a healthy cluster cannot be made to show, each through the whole scan, against a simulated API server."""

from __future__ import annotations

import pathlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster import open_exec
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.integration.faults.fault_table import FaultTable, Row
from ansible_collections.securescan.kubernetes.tests.integration.faults.faulty_scan import (
    ScanEnd,
    check_kept_out,
    check_record,
    scan,
)
from ansible_collections.securescan.kubernetes.tests.integration.faults.simulated_cases import (
    NAMESPACES,
    RUNS,
    TARGETS,
    Case,
)
from ansible_collections.securescan.kubernetes.tests.integration.faults.simulated_collector import (
    SimulatedCollector,
)

HEALTHY = ("healthy-1", "healthy-2", "healthy-3")
SECONDS = 30.0  # one target's time: enough for what is healthy, and some rows wait for its end
TABLE = FaultTable("Simulated API server", [each.row for each in (*TARGETS, *NAMESPACES, *RUNS)])


def left(server: FakeApiServer) -> list[str]:
    return [
        path
        for path in server.objects.paths()
        if path.split("/")[-2] in ("serviceaccounts", "roles", "rolebindings")
    ]


@dataclass
class Seen:
    """How a scan ended, and what it left in the simulated cluster."""

    end: ScanEnd
    left: list[str]


class Simulation:
    """Runs the scans, and keeps what came out."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._authority = Authority(_made(folder / "authority"))
        strangers = Authority(_made(folder / "strangers"))
        # Before the threads begin: certificates are made by one program after the other.
        self._certificates = {
            "run-expired": self._authority.expired(),
            "run-ca": strangers.server("localhost"),
            "run-name": self._authority.server("elsewhere", ["DNS:elsewhere.test"]),
        }
        self._authority.server("localhost")
        self._collector = SimulatedCollector()

    def targets(self) -> Seen:
        with FakeApiServer(self._authority) as server:
            for each in TARGETS:
                server.add_pod("shop", each.row.name, {"app": each.program or self._collector})
                server.faults += [each.fault] if each.fault else []
                if each.change:
                    each.change(server)
            self._add_healthy(server, "shop")
            return self._scan(server, "targets", ["shop"], concurrency=len(TARGETS), output_limit=1 << 20)

    def namespaces(self) -> Seen:
        with FakeApiServer(self._authority) as server:
            for each in NAMESPACES:
                server.add_pod(each.row.name, each.row.name, {"app": self._collector})
                server.faults += [each.fault] if each.fault else []
            self._add_healthy(server, "shop")
            return self._scan(server, "namespaces", [*(each.row.name for each in NAMESPACES), "shop"])

    def run(self, each: Case) -> Seen:
        name = each.row.name
        with FakeApiServer(
            self._authority, tls=name != "run-http", certificate=self._certificates.get(name)
        ) as server:
            self._add_healthy(server, "shop")
            if name == "server-dies":
                server.add_pod("shop", "slow", {"app": lambda _argv, _streams: self._die(server)})
            server.faults += [each.fault] if each.fault else []
            if each.change:
                each.change(server)
            # One at a time, in the order of their names: what is healthy is done before the server dies.
            return self._scan(server, name, ["shop"], pods=[*HEALTHY, "slow"], concurrency=1)

    @staticmethod
    def _die(server: FakeApiServer) -> int:
        server.__exit__()
        raise OSError("dead")

    def _add_healthy(self, server: FakeApiServer, namespace: str) -> None:
        for pod in HEALTHY:
            server.add_pod(namespace, pod, {"app": self._collector})

    def _scan(self, server: FakeApiServer, name: str, namespaces: list[str], **options: Any) -> Seen:
        end = scan(
            server.kubeconfig(), self._folder / name, namespaces, **dict({"timeout": SECONDS}, **options)
        )
        return Seen(end, left(server))


def _made(folder: pathlib.Path) -> pathlib.Path:
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seen]:
    """All scans, several at a time: most of them wait."""
    simulation = Simulation(tmp_path_factory.mktemp("simulated"))
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(6) as pool:
        patch.setattr(open_exec, "PING_AFTER", 1.0)
        # longer than the simulated servers, which all run in this process, may be kept from an answer
        patch.setattr(open_exec, "GIVE_UP_AFTER", 12.0)
        running = {
            "targets": pool.submit(simulation.targets),
            "namespaces": pool.submit(simulation.namespaces),
        }
        running.update({each.row.name: pool.submit(simulation.run, each) for each in RUNS})
        return {name: future.result() for name, future in running.items()}


def ids(cases: list[Case]) -> dict[str, Any]:
    return {"argvalues": cases, "ids": [each.row.name for each in cases]}


def check_target(end: ScanEnd, row: Row) -> None:
    if row.reasons:
        TABLE.note(row, check_kept_out(end, row.name, row.reasons))
    else:
        assert end.targets[row.name]["outcome"] == "scanned", end.record(row.name)


@pytest.mark.parametrize("each", **ids(TARGETS))
def test_a_fault_of_one_target_keeps_out_that_target_only(seen: dict[str, Seen], each: Case) -> None:
    check_target(seen["targets"].end, each.row)


@pytest.mark.parametrize("each", **ids(NAMESPACES))
def test_a_fault_of_one_namespace_keeps_out_that_namespace_only(seen: dict[str, Seen], each: Case) -> None:
    check_target(seen["namespaces"].end, each.row)


@pytest.mark.parametrize("scope", ["targets", "namespaces"])
def test_the_others_are_scanned_and_nothing_is_left(seen: dict[str, Seen], scope: str) -> None:
    done = seen[scope]
    assert done.end.error is None
    harmless = {
        each.row.name for each in (TARGETS if scope == "targets" else NAMESPACES) if not each.row.reasons
    }
    assert done.end.scanned() == harmless | set(HEALTHY)
    assert done.end.problems == []
    assert done.left == []


@pytest.mark.parametrize("each", **ids(RUNS))
def test_a_fault_that_ends_the_run_has_its_reason(seen: dict[str, Seen], each: Case) -> None:
    done, row = seen[each.row.name], each.row
    assert done.end.problems == []
    if not row.reasons:
        assert done.end.error is None, done.end.error
        assert (done.end.scanned(), done.left) == (set(HEALTHY), [])
        return
    assert done.end.error is not None
    assert done.end.error.reason in row.reasons, done.end.error
    check_record(done.end.error.record())
    TABLE.note(row, done.end.error.record())
    if row.reasons == ("access_remains",):
        assert done.left, "it says that something remains"
        assert done.end.scanned() == set(HEALTHY), "what was scanned before is kept"
    else:
        assert (done.left, done.end.targets) == ([], {})


def test_what_the_dying_server_hit_is_recorded(seen: dict[str, Seen]) -> None:
    check_kept_out(seen["server-dies"].end, "slow", ["connection_lost"])


def test_no_thread_is_left(seen: dict[str, Seen]) -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("scan"):
            thread.join(60)
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("scan")]


def test_the_page_is_current() -> None:
    TABLE.check()
