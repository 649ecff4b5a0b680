# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one scan costs, against a floor measured in the same run: a bare exec of `true` in the same container.

    python benchmarks.py OUTPUT [--once]

--once measures as little as can be: it shows that all of it works, and its figures say nothing.

Writes build/bench.json: a list of {name, value, unit, goal, met}. A goal that is not met does not fail the run; an
error does. Wall times are medians of interleaved rounds, so that a busy machine burdens both sides alike.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from ansible_collections.securescan.kubernetes.plugins.module_utils.access.scanner import ScannerAccess
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.debug import DebugApproach
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.debug_container import (
    DebugOptions,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.exec import ExecApproach
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.looks import Looks
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.pod_entry import (
    ExecLimits,
    Means,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.bounded_work import run_bounded
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.websocket_exec import (
    exec_in_container,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.collect import read_facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.script import build_script
from ansible_collections.securescan.kubernetes.plugins.module_utils.engines.engine import Subject
from ansible_collections.securescan.kubernetes.plugins.module_utils.engines.registry import engines_for
from ansible_collections.securescan.kubernetes.plugins.module_utils.network.deadline import Deadline
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.access import scan_access_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.amendments import NO_AMENDMENTS
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_folder import RunFolder
from ansible_collections.securescan.kubernetes.plugins.module_utils.scanning.scan_target import (
    ScanPlan,
    judge,
    scan_request,
    scan_target,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import (
    Selection,
    select_targets,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.access import run_scan_access
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.profile import chosen_profiles
from ansible_collections.securescan.kubernetes.tests.benchmarks.simulated_fleet import SimulatedFleet
from ansible_collections.securescan.kubernetes.tests.environment.sample_cluster import sample_cluster

NAMESPACE = "shop"
FLEET_CLUSTERS = 8
FLEET_CONCURRENCY = 32
IDLE_CLUSTERS = 5
# Those of the playbook scan, with the check of its role's variables, which Ansible adds.
SCAN_TASKS = 4


@dataclasses.dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int = 40
    scans: int = 120
    fleet_targets: int = 1000
    idle_hosts: int = 50
    idle_forks: tuple[int, ...] = (5, 50)


ONCE = Size(rounds=2, scans=6, fleet_targets=16, idle_hosts=2, idle_forks=(2,))


def say(text: str) -> None:
    print(f"==> {text}", file=sys.stderr, flush=True)


class Bench:
    """The measurements, over one access to the sample workloads."""

    def __init__(self, kubeconfig: pathlib.Path, folder: pathlib.Path, size: Size) -> None:
        self.size = size
        self.rows: list[dict] = []
        self.context = TaskContext(check_mode=False, environ=dict(os.environ))
        self.options = {name: rule.get("default") for name, rule in scan_access_spec().items()}
        self.options.update(kubeconfig=str(kubeconfig), owner="bench", namespaces=[NAMESPACE])
        self.access = run_scan_access(self.options, self.context)["access"]
        self.connection = connect(ConnectionOptions(kubeconfig=str(kubeconfig)), os.environ)
        self.grantor = RestClient(self.connection)
        self.folder = RunFolder(str(folder), "bench")
        self.folder.create()
        self.engines = engines_for(chosen_profiles(["container-baseline", "workload-baseline"]))
        running = [
            selected
            for selected in select_targets(self.grantor, "bench", Selection(namespaces=(NAMESPACE,)))
            if selected.target.state == "running" and selected.target.workload != "broken"
        ]
        self.targets = [selected for selected in running if selected.target.workload != "edge"]
        self.distroless = next(selected for selected in running if selected.target.workload == "edge")
        self.plan = self.make_plan(concurrency=8)

    def make_plan(self, concurrency: int):
        slots = threading.BoundedSemaphore(concurrency)
        self.scanner = ScannerAccess(self.grantor, self.connection, self.access)
        approach = ExecApproach(
            Means(self.scanner, slots, ExecLimits(timeout=60.0, output=8 << 20), threading.Event())
        )
        return ScanPlan(
            run_id="bench", approach=approach, engines=self.engines, request=scan_request(self.engines)
        )

    def close(self) -> None:
        run_scan_access({**self.options, "state": "absent", "run_id": self.access["run_id"]}, self.context)

    def row(self, name: str, value: float, unit: str, goal: float, met: bool) -> None:
        self.rows.append({"name": name, "value": round(value, 3), "unit": unit, "goal": goal, "met": met})
        say(
            "{:<48} {:10.3f} {:<10} goal {:<6g} {}".format(
                name, value, unit, goal, "met" if met else "NOT MET"
            )
        )

    def at_most(self, name: str, value: float, unit: str, goal: float) -> None:
        self.row(name, value, unit, goal, value <= goal)

    def scan_outcome(self, plan: ScanPlan, selected):
        outcome = scan_target(plan, selected)
        if outcome.judgement is None:
            raise SystemExit(f"the scan of {selected.target.path} failed: {outcome.error}")
        return outcome

    def scan_once(self, selected) -> None:
        outcome = self.scan_outcome(self.plan, selected)
        self.folder.write_hdf(hdf_document(outcome.judgement), selected.target.identity())

    def bare_exec(self, selected) -> None:
        target = selected.target
        connection = self.scanner.for_target(target).connection
        outcome = exec_in_container(
            connection,
            target.namespace,
            target.pod,
            target.container,
            ["true"],
            b"",
            timeout=30.0,
            output_limit=1024,
        )
        if outcome.exit_code:
            raise SystemExit(f"the bare exec ended with {outcome.exit_code}")

    def against_floor(self, selected, label: str) -> None:
        """Wall and controller CPU of a scan (exec, judging, HDF on disk) and of a bare exec, in turns."""
        wall: dict[str, list[float]] = {"floor": [], "scan": []}
        cpu: dict[str, float] = {"floor": 0.0, "scan": 0.0}
        rounds = self.size.rounds
        for work in (self.bare_exec, self.scan_once):
            work(selected)
        for _round in range(rounds):
            for name, work in (("floor", self.bare_exec), ("scan", self.scan_once)):
                started, used = time.perf_counter(), time.process_time()
                work(selected)
                wall[name].append(time.perf_counter() - started)
                cpu[name] += time.process_time() - used
        floor, scan = statistics.median(wall["floor"]), statistics.median(wall["scan"])
        say(
            "{}: bare exec {:.1f} ms wall, {:.1f} ms CPU; scan {:.1f} ms wall, {:.1f} ms CPU (medians of {})".format(
                label,
                floor * 1000,
                cpu["floor"] / rounds * 1000,
                scan * 1000,
                cpu["scan"] / rounds * 1000,
                rounds,
            )
        )
        self.at_most(f"scan of the {label} target over a bare exec, wall", scan / floor, "ratio", 2.2)
        self.at_most(
            f"scan of the {label} target over a bare exec, CPU",
            cpu["scan"] / max(cpu["floor"], 1e-6),
            "ratio",
            3.0,
        )
        self.at_most(f"controller CPU per scan, {label} target", cpu["scan"] / rounds * 1000, "ms", 8.0)

    def collection_and_evaluation(self, selected) -> None:
        """What the collector adds to a bare exec, what comes over the wire, and what judging by both profiles takes."""
        target, nonce = selected.target, "0123456789abcdef" * 2
        connection, script = (
            self.scanner.for_target(target).connection,
            build_script(self.plan.request, nonce),
        )

        def collect() -> bytes:
            return exec_in_container(
                connection,
                target.namespace,
                target.pod,
                target.container,
                ["sh"],
                script,
                timeout=60.0,
                output_limit=8 << 20,
            ).stdout

        reply = collect()
        seconds: dict[str, list[float]] = {"floor": [], "collector": []}
        for _round in range(self.size.rounds):
            for name, work in (("floor", lambda: self.bare_exec(selected)), ("collector", collect)):
                started = time.perf_counter()
                work()
                seconds[name].append(time.perf_counter() - started)
        facts = read_facts(self.plan.request, reply, nonce)
        used = []
        for _round in range(self.size.rounds):
            started = time.process_time()
            judge(self.engines, NO_AMENDMENTS, Subject(selected, facts))
            used.append(time.process_time() - started)
        self.at_most(
            "collector for both profiles over a bare exec",
            statistics.median(seconds["collector"]) - statistics.median(seconds["floor"]),
            "s",
            0.1,
        )
        self.at_most("request and reply on the wire", (len(script) + len(reply)) / 1000, "kB", 200)
        self.at_most("evaluation by both profiles, CPU", statistics.median(used) * 1000, "ms", 2.0)

    def by_debug(self, selected) -> None:
        """A distroless container by an ephemeral container: the first time, and while that one lives."""
        options = {**self.options, "approach": "debug"}
        access = run_scan_access(options, self.context)["access"]
        try:
            scanner = ScannerAccess(self.grantor, self.connection, access)
            scanner.for_target(selected.target)
            means = Means(
                scanner,
                threading.BoundedSemaphore(1),
                ExecLimits(timeout=60.0, output=8 << 20),
                threading.Event(),
            )
            approach = DebugApproach(means, DebugOptions("securescan.local/busybox:1", keep_alive=300))
            plan = ScanPlan(
                run_id="bench", approach=approach, engines=self.engines, request=self.plan.request
            )
            started, cpu = time.perf_counter(), time.process_time()
            self.scan_outcome(plan, selected)
            self.at_most(
                "debug scan of a distroless container, the first", time.perf_counter() - started, "s", 1.5
            )
            self.at_most("the same, controller CPU", time.process_time() - cpu, "s", 0.1)
            again, floor = [], []
            for _round in range(self.size.rounds // 2):
                started = time.perf_counter()
                self.scan_outcome(plan, selected)
                again.append(time.perf_counter() - started)
                started = time.perf_counter()
                self.bare_exec(self.targets[0])
                floor.append(time.perf_counter() - started)
            ratio = statistics.median(again) / statistics.median(floor)
            self.at_most("a further one over a bare exec, wall", ratio, "ratio", 2.0)
        finally:
            run_scan_access({**options, "state": "absent", "run_id": access["run_id"]}, self.context)

    def requests_per_target(self) -> None:
        """What one more target costs; an access costs three more per namespace (a token and two reviews)."""
        plan = self.make_plan(concurrency=1)
        self.scan_outcome(plan, self.targets[0])
        before = self.scanner.requests + plan.approach.execs
        for selected in self.targets[1:]:
            self.scan_outcome(plan, selected)
        requests = self.scanner.requests + plan.approach.execs - before
        self.at_most(
            "API requests per further target after the list",
            requests / (len(self.targets) - 1),
            "requests",
            3.0,
        )
        scanner = self.scanner.for_target(self.targets[0].target)
        looking = []
        for _round in range(self.size.rounds):
            started = time.perf_counter()
            looks = Looks(scanner, self.targets[0].target, Deadline(60.0, None, "looking"))
            looks.before()
            looks.after()
            looking.append(time.perf_counter() - started)
        self.at_most("both looks at a target's pod, wall", statistics.median(looking) * 1000, "ms", 20.0)

    def throughput(self) -> None:
        work = [self.targets[index % len(self.targets)] for index in range(self.size.scans)]
        self.plan = self.make_plan(concurrency=8)
        started = time.perf_counter()
        for _pair in run_bounded(work, self.scan_once, 8, threading.Event(), lambda done: None):
            pass
        rate = self.size.scans / (time.perf_counter() - started)
        self.row(
            f"scans a second, {self.size.scans} scans on {len(self.targets)} containers",
            rate,
            "1/s",
            18,
            rate >= 18,
        )

    def fleet(self, folder: pathlib.Path) -> None:
        """Many targets on many clusters by ansible-playbook: the reply is a real one, the wait stands for the node."""
        selected = next(selected for selected in self.targets if selected.target.workload == "api")
        target, nonce = selected.target, "0123456789abcdef" * 2
        reply = exec_in_container(
            self.scanner.for_target(target).connection,
            target.namespace,
            target.pod,
            target.container,
            ["sh"],
            build_script(self.plan.request, nonce),
            timeout=30.0,
            output_limit=8 << 20,
        ).stdout
        with SimulatedFleet(
            folder, FLEET_CLUSTERS, self.size.fleet_targets // FLEET_CLUSTERS, 0.5, reply
        ) as fleet:
            seconds, memory, scanned = fleet.scan(concurrency=FLEET_CONCURRENCY)
        if scanned != self.size.fleet_targets:
            raise SystemExit(f"{scanned} of {self.size.fleet_targets} simulated targets were scanned")
        self.at_most(
            f"{self.size.fleet_targets} simulated targets on {FLEET_CLUSTERS} clusters, ansible-playbook",
            seconds,
            "s",
            8.0,
        )
        self.at_most("the same, memory of all Ansible processes", memory, "MB", 300.0)

    def idle_hosts(self, folder: pathlib.Path) -> None:
        """What an inventory host costs of whose containers none is chosen, against as many tasks that do nothing."""
        with SimulatedFleet(folder, IDLE_CLUSTERS, 1, 0.0, b"securescan-facts 1 %032d" % 0) as fleet:
            bare = fleet.bare_tasks(SCAN_TASKS)
            first, bare_first = fleet.idle_cpu(1, 1), fleet.idle_cpu(1, 1, bare)
            for forks in self.size.idle_forks:
                cpu = (fleet.idle_cpu(self.size.idle_hosts, forks) - first) / (self.size.idle_hosts - 1)
                floor = (fleet.idle_cpu(self.size.idle_hosts, forks, bare) - bare_first) / (
                    self.size.idle_hosts - 1
                )
                say(
                    f"{self.size.idle_hosts} idle hosts, {forks} forks: {cpu:.3f} s of CPU a host, of which "
                    f"{SCAN_TASKS} bare tasks take {floor:.3f} s"
                )
                self.at_most(
                    f"controller CPU per idle host, {self.size.idle_hosts} hosts, {forks} forks",
                    cpu,
                    "s",
                    0.1,
                )
                self.at_most("the same over as many bare tasks", cpu - floor, "s", 0.1)

    def first_import(self) -> None:
        """What a process pays before its first scan, over an empty one of the same Python."""
        package = "ansible_collections.securescan.kubernetes.plugins.module_utils"
        module = f"{package}.tasks.container"
        spent = [
            _cpu_of(f"import {module}") - _cpu_of("import json")
            for _round in range(self.size.rounds // 4 or 1)
        ]
        self.at_most("first import of what scans, CPU", statistics.median(spent) * 1000, "ms", 80.0)

    def run(self, folder: pathlib.Path) -> None:
        debian = next(selected for selected in self.targets if selected.target.workload == "api")
        busybox = next(selected for selected in self.targets if "busybox" in selected.target.image)
        self.against_floor(debian, "Debian")
        self.against_floor(busybox, "busybox")
        self.collection_and_evaluation(debian)
        self.by_debug(self.distroless)
        self.requests_per_target()
        self.first_import()
        self.throughput()
        self.fleet(folder)
        self.idle_hosts(folder)


def _cpu_of(code: str) -> float:
    """Seconds of CPU of a Python process that runs `code`."""
    before = os.times()
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--once", action="store_true")
    options = parser.parse_args()
    cluster = sample_cluster("bench")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(cluster.kubeconfig, pathlib.Path(folder), ONCE if options.once else Size())
        try:
            bench.run(pathlib.Path(folder))
        finally:
            bench.close()
    output = options.output
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(bench.rows, indent=2) + "\n", encoding="utf-8")
    say(f"written: {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
