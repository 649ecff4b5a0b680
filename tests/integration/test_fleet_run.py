# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One play over many clusters: the real one under two names, and fake ones that are slow, refusing, cutting or dead.

Whatever happens to one of them, the fleet run ends in time, says what became of each, and the same command goes on.
"""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.fleet_run import (
    scan_fleet_run_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.fleet_run import (
    FleetRun,
    open_fleet_run,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.fleet_run import run_scan_fleet_run
from ansible_collections.securescan.kubernetes.tests.support.fleet_of_clusters import FleetOfClusters
from ansible_collections.securescan.kubernetes.tests.support.shown_outputs import shown

PROGRESS = {"ANSIBLE_CALLBACKS_ENABLED": "securescan.kubernetes.scan_progress"}

LINES = {**PROGRESS, "SECURESCAN_PROGRESS_INTERVAL": "1"}


def states(run: FleetRun) -> dict[str, str]:
    return {entry.cluster: entry.state for entry in run.clusters}


def wait_for(condition: Callable[[], object], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.05)


@pytest.fixture
def small(tmp_path: pathlib.Path) -> Iterator[FleetOfClusters]:
    """A fleet to add clusters to."""
    with FleetOfClusters(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def played(operator_kubeconfig, tmp_path_factory) -> Iterator[tuple[FleetOfClusters, int, str]]:
    """(the fleet, exit status, output) of one play over clusters of every kind."""
    with FleetOfClusters(tmp_path_factory.mktemp("fleet")) as fleet:
        for name in ("prod-eu", "prod-us"):
            fleet.hosts[name] = {
                "scan_kubeconfig": str(operator_kubeconfig),
                "scan_workloads": ["Deployment/api"],
                "fleet_groups": {"region": name[-2:].lower()},
            }
        fleet.add_fine("lab")
        # only this one: the others must end in their time, and this one must see its containers, however busy the machine is
        fleet.add_fine("slow", seconds=600, fleet_cluster_deadline=30)
        fleet.add_refusing("refusing")
        fleet.add_cutting("cutting")
        fleet.add_dead("dead")
        fleet.hosts["odd"] = {"scan_kubeconfig": "{{ nobody_defined_this }}"}
        started = time.monotonic()
        status, output = fleet.play(fleet_deadline=120)
        assert time.monotonic() - started < 120, "within the deadline"
        yield fleet, status, output


def test_each_failure_is_an_entry_with_its_cause(played) -> None:
    fleet, status, output = played
    run = fleet.latest()
    found = {entry.cluster: (entry.state, entry.error.code if entry.error else "") for entry in run.clusters}
    assert found == {
        "prod-eu": ("scanned", ""),
        "prod-us": ("scanned", ""),
        "lab": ("scanned", ""),
        "slow": ("out_of_time", "SCAN-825"),
        "refusing": ("refused", "SCAN-204"),
        "cutting": ("not_scanned", ""),
        "dead": ("unreachable", "SCAN-202"),
        "odd": ("broken", "SCAN-824"),
    }, output[-4000:]
    assert status == 2 and run.gate is not None
    assert set(run.gate.failed_by) == {"gate", "coverage", "unreachable"}
    eu = run.entry("prod-eu")
    assert eu is not None and eu.groups == {"region": "eu"} and eu.cluster_uid


def test_the_play_says_what_became_of_the_fleet(played) -> None:
    fleet, _status, output = played
    table = output[
        output.index(f"FLEET {fleet.latest().fleet_run_id}: FAILED by gate, coverage, unreachable") :
    ]
    assert "3 of 8   scanned" in table
    assert "dead: unreachable: " in table and "refusing: refused: " in table and "odd: broken: " in table
    assert "SCAN-820 fleet_gate_failed" in table
    markdown = (pathlib.Path(fleet.latest().folder) / "summary.md").read_text()
    assert "| dead | unreachable |" in markdown


def test_the_guide_shows_what_it_prints(played) -> None:
    fleet, _status, output = played
    lines = output[output.index("FLEET ") :].splitlines()
    summary = "\n".join(
        line for line in lines[: next(n for n, line in enumerate(lines) if re.search("ERROR|WARNING", line))]
    )
    seconds = re.sub(r"(?m) +\d+\.\d$", lambda found: "5.0".rjust(len(found.group())), summary)
    shown("fleet.md", "summary", seconds, {str(fleet.results): "/var/lib/securescan"})


def test_no_credential_is_in_what_a_fleet_run_keeps(played) -> None:
    fleet, _status, _output = played
    secrets = [server.token for server in fleet.servers.values()]
    for path in (fleet.results / "_fleet").rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert not any(secret in path.read_text() for secret in secrets), path


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (("-f", "1"), {"fleet_strategy": "free", "fleet_serial": 2}),
        (("--limit", "fine,dead"), {"fleet_strategy": "host_pinned"}),
    ],
    ids=["free", "limit"],
)
def test_any_strategy_batch_and_limit(
    small: FleetOfClusters, arguments: tuple[str, ...], variables: dict[str, object]
) -> None:
    small.add_fine("fine", pods=1)
    small.add_dead("dead")
    small.add_dead("other")
    _status, output = small.play(*arguments, fleet_fail_on="unreachable", **variables)
    found = states(small.latest())
    assert (found["fine"], found["dead"]) == ("scanned", "unreachable"), output[-3000:]
    assert ("other" in found) is ("--limit" not in arguments)


def test_all_can_fail_and_an_empty_inventory_is_refused(small: FleetOfClusters) -> None:
    small.add_dead("dead")
    status, _output = small.play(fleet_fail_on="gate")
    assert status == 0 and states(small.latest()) == {"dead": "unreachable"}
    small.hosts.clear()
    status, output = small.play()
    assert status == 2 and "The inventory has no host" in output


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"fleet_store": "/no/folder/store.db"}, "store_unreachable"),
        ({"fleet_store": "mysql://db/x"}, "bad_option"),
        ({"fleet_formats": "pdf"}, "unknown format 'pdf'"),
    ],
)
def test_what_its_end_could_not_do_is_told_before_any_cluster_is_touched(
    small: FleetOfClusters, variables: dict[str, object], said: str
) -> None:
    server = small.add_fine("fine", pods=1)
    status, output = small.play(**variables)
    assert status == 2 and said in output
    assert not server.requests and not (small.results / "_fleet").exists()


def test_what_was_not_reached_comes_first_next_time(small: FleetOfClusters) -> None:
    for name in "abc":
        small.add_fine(name, pods=1, seconds=0 if name == "c" else 60)
    # time enough for the first to begin, on a busy machine too
    status, output = small.play("-f", "1", fleet_deadline=30, environ=LINES)
    assert "[fleet] 0 of 3 clusters done, " in output and "\x1b" not in output
    assert status == 2 and states(small.latest()) == {
        "a": "out_of_time",
        "b": "not_reached",
        "c": "not_reached",
    }
    assert "Not reached, first in the next fleet run: b, c" in output
    _status, output = small.play("-f", "1", fleet_deadline=5)
    turns = output[output.index("See whether the cluster's turn has come") :]
    assert turns.index("[b]") < turns.index("[a]")


@pytest.mark.parametrize("whom", ["all", "worker"])
def test_the_same_command_finishes_what_was_killed(small: FleetOfClusters, whom: str) -> None:
    """Also where only a worker is killed: the play then ends, and does not wait for it."""
    small.add_fine("first", pods=1)
    slow = small.add_fine("second", pods=1, seconds=60)
    process = small.start("-f", "2", fleet_strategy="linear")
    wait_for(lambda: any("/exec" in request.path for request in slow.requests))
    if whom == "all":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        (worker, *_rest) = filter(_runs, _children(process.pid))
        os.kill(worker, signal.SIGKILL)
    process.communicate(timeout=120)
    assert process.returncode not in (0, 2)
    (folder,) = small.fleet_folders()
    assert not open_fleet_run(str(folder)).is_finished
    small.run_fast("second")
    store = small.folder / "store.db"
    status, output = small.play(fleet_store=str(store), fleet_store_password="of no use to a file")
    assert status == 0, output[-3000:]
    assert store.stat().st_size > 0, "and it is in the store"
    assert small.fleet_folders() == [folder], "the same fleet run"
    assert states(small.latest()) == {"first": "scanned", "second": "scanned"}
    assert " goes on: 2 clusters expected" in output


def _children(pid: int) -> list[int]:
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def _runs(pid: int) -> bool:
    """A worker that has ended is a child until the play has taken note of it."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_what_is_judged_by_another_gate_is_scanned_again(
    small: FleetOfClusters, tmp_path: pathlib.Path
) -> None:
    """Its gate opened for another threshold, which also can be a file that was changed."""
    server = small.add_fine("one")
    small.file.chmod(0o777)
    threshold = tmp_path / "threshold.yml"
    threshold.write_text("compliance: {min: 10}\nfailed: {high: {max: 99}}\n")
    options = {"fleet_run_id": "night", "scan_threshold": str(threshold)}
    assert small.play(**options)[0] == 0
    entered = len(server.requests)
    assert small.play(**options)[0] == 0 and len(server.requests) == entered
    threshold.write_text("compliance: {min: 90}\n")
    assert small.play(**options)[0] == 2 and len(server.requests) > entered
    assert small.latest().entry("one").gate == "failed"


def test_the_stdout_of_a_program_gets_none_of_it(small: FleetOfClusters) -> None:
    small.add_fine("one", pods=1, seconds=8)
    process = small.start(environ={**LINES, "ANSIBLE_STDOUT_CALLBACK": "minimal"}, stderr=subprocess.PIPE)
    output, errors = process.communicate()
    assert "[fleet] 0 of 1 cluster done, " in errors
    assert "[fleet]" not in output and "\x1b" not in output + errors


def test_a_terminal_gets_a_table_at_its_bottom(small: FleetOfClusters) -> None:
    small.add_fine("one", pods=1, seconds=8)
    small.hosts["two\x1b[31m"] = dict(small.hosts["one"])
    leader, follower = pty.openpty()
    subprocess.run(["stty", "rows", "40", "cols", "100"], stdin=follower, check=True)
    process = small.start(environ=PROGRESS, stdout=follower, stderr=follower, fleet_resume=False)
    os.close(follower)
    text = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:
            break
        if not piece:
            break
        text += piece
    process.wait()
    os.close(leader)
    screen = text.decode()
    assert "\x1b[1;28r" in screen, "the upper part scrolls"
    assert "CLUSTER" in screen and "running" in screen
    assert "two\x1b[31m" not in screen.replace("\\x1b", "")
    assert screen.rindex("\x1b[r") > screen.rindex("\x1b[1;28r"), "it gives the lines back"
    assert "FLEET " in screen[screen.rindex("\x1b[r") :], "the summary comes after it"


def test_two_slices_by_ansible_runner_are_merged(small: FleetOfClusters) -> None:
    """As AWX runs them: each in a process of ansible-runner, with results in a folder of its own."""
    for name in ("a", "b", "c"):
        small.add_fine(name, pods=1)
    inventory = str(small.inventory())
    dirs = []
    for offset in (0, 1):
        private = small.folder / f"runner-{offset}"
        (private / "env").mkdir(parents=True)
        results = small.folder / f"results-{offset}"
        variables = {
            **small.variables(),
            "fleet_output_dir": str(results),
            "fleet_slice": {"offset": offset, "count": 2},
        }
        (private / "env" / "extravars").write_text(json.dumps(variables))
        program = pathlib.Path(sys.executable).parent / "ansible-runner"
        done = subprocess.run(
            [
                str(program),
                "run",
                str(private),
                "-p",
                "securescan.kubernetes.fleet",
                "--inventory",
                inventory,
            ],
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, done.stdout[-3000:]
        dirs.append(str((results / "_fleet" / "latest").resolve()))
    found = set()
    for number, order in enumerate(itertools.permutations(dirs)):
        spec = {name: rule.get("default") for name, rule in scan_fleet_run_spec().items()}
        options = {
            "state": "merged",
            "output_dir": str(small.folder / f"all-{number}"),
            "fleet_dirs": list(order),
        }
        run_scan_fleet_run({**spec, **options}, TaskContext(check_mode=False, environ={}))
        (file,) = (small.folder / f"all-{number}" / "_fleet").glob("merged-*/fleet.json")
        found.add(file.read_bytes())
    assert len(found) == 1
    assert states(open_fleet_run(str(file.parent))) == dict.fromkeys("abc", "scanned")
