# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-playbook and ansible write to stdout and stderr, for people and for programs. Most of it needs no cluster.

The callbacks of ansible.posix are no part of ansible-core. Two of the same names stand for them: they print JSON.
"""

from __future__ import annotations

import fcntl
import json
import os
import pathlib
import pty
import struct
import subprocess
import sys
import termios
from contextlib import suppress

import pytest
from ansible_collections.securescan.kubernetes.tests.support.playbooks import Playbooks
from ansible_collections.securescan.kubernetes.tests.support.sample_run import write_sample_run

PROGRAMS = pathlib.Path(sys.executable).parent
HOSTS = tuple(f"cluster-{number}" for number in range(6))
CALLBACK = '''
DOCUMENTATION = """
name: NAME
type: stdout
short_description: a test's
description: [a test's]
"""
import json
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "ansible.posix.NAME"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.seen = []

    def _see(self, result, *args, **kwargs):
        self.seen.append({"host": result._host.get_name(), "result": result._result})
        if "NAME" == "jsonl":
            self._display.display(json.dumps(self.seen[-1], default=str))

    v2_runner_on_ok = v2_runner_on_failed = v2_runner_on_unreachable = _see

    def v2_playbook_on_stats(self, stats):
        if "NAME" == "json":
            self._display.display(json.dumps(self.seen, default=str, indent=1))
'''
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - securescan.kubernetes.scan_threshold:
        run_dir: "{{ playbook_dir }}/{{ inventory_hostname }}/run-1"
        cluster_name: demo
        fail_on: never
        allow_shared_folder: true
    - securescan.kubernetes.scan_report:
        run_dir: "{{ playbook_dir }}/{{ inventory_hostname }}/run-1"
        cluster_name: demo
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A play over some clusters, whose runs are there."""
    folder = tmp_path_factory.mktemp("outputs")
    for host in HOSTS:
        write_sample_run(folder / host)
    hosts = {
        host: {"ansible_connection": "local", "ansible_python_interpreter": sys.executable} for host in HOSTS
    }
    (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    (folder / "play.yml").write_text(PLAY, encoding="utf-8")
    (folder / "silent.yml").write_text(
        PLAY.replace("gather_facts: false", "gather_facts: false\n  no_log: true")
    )
    callbacks = folder / "collections" / "ansible_collections" / "ansible" / "posix" / "plugins" / "callback"
    callbacks.mkdir(parents=True)
    for name in ("json", "jsonl"):
        (callbacks / f"{name}.py").write_text(CALLBACK.replace("NAME", name), encoding="utf-8")
    return folder


def ansible(
    folder: pathlib.Path, program: str, *arguments: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    paths = f"{folder / 'collections'}:{os.environ['ANSIBLE_COLLECTIONS_PATH']}"
    done = subprocess.run(
        [str(PROGRAMS / program), "-i", "hosts.json", *arguments],
        cwd=folder,
        env=dict(os.environ, ANSIBLE_NOCOLOR="1", ANSIBLE_COLLECTIONS_PATH=paths, **environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_the_json_callbacks_output_is_one_json_document(
    folder: pathlib.Path, arguments: tuple[str, ...]
) -> None:
    done = ansible(
        folder, "ansible-playbook", "play.yml", *arguments, ANSIBLE_STDOUT_CALLBACK="ansible.posix.json"
    )
    assert len(json.loads(done.stdout)) == 2 * len(HOSTS)
    assert all(f"[{host}] cluster demo\n" in done.stderr for host in HOSTS) and "Gate: FAILED" in done.stderr


def test_the_progress_of_a_scan_is_no_part_of_json(folder: pathlib.Path, playbooks: Playbooks) -> None:
    inventory = playbooks.inventory(
        scan_namespaces="shop",
        scan_workloads="Deployment/api",
        scan_output_dir=str(playbooks.folder / "results"),
        scan_fail_on="never",
    )
    done = ansible(
        folder,
        "ansible-playbook",
        "securescan.kubernetes.scan",
        "-i",
        str(inventory),
        "--limit",
        "sample",
        ANSIBLE_STDOUT_CALLBACK="ansible.posix.json",
    )
    json.loads(done.stdout)
    assert "[sample] 2/2 containers done" in done.stderr and "[sample]\nWORKLOAD" in done.stderr
    (run_dir,) = (playbooks.folder / "results" / "sample").glob("2*")
    summary = run_dir / "summary.md"
    assert f"\nResults: {run_dir}\n" in done.stderr
    assert f"\nReport: {summary} ({summary.stat().st_size} bytes)\n" in done.stderr


def test_each_line_of_the_jsonl_callback_is_json(folder: pathlib.Path) -> None:
    done = ansible(folder, "ansible-playbook", "play.yml", ANSIBLE_STDOUT_CALLBACK="ansible.posix.jsonl")
    assert {json.loads(line)["host"] for line in done.stdout.splitlines()} == set(HOSTS)


def test_the_fleets_table_is_no_part_of_json_either(folder: pathlib.Path) -> None:
    done = ansible(
        folder,
        "ansible-playbook",
        "play.yml",
        ANSIBLE_STDOUT_CALLBACK="ansible.posix.json",
        ANSIBLE_CALLBACKS_ENABLED="securescan.kubernetes.scan_fleet",
    )
    json.loads(done.stdout)


@pytest.mark.parametrize("one_line", [True, False])
def test_an_ad_hoc_command_prints_results_only(folder: pathlib.Path, one_line: bool) -> None:
    task = f"run_dir={folder}/cluster-0/run-1 fail_on=never cluster_name=demo allow_shared_folder=true"
    options = ["-o"] if one_line else []
    done = ansible(
        folder, "ansible", "cluster-0", *options, "-m", "securescan.kubernetes.scan_threshold", "-a", task
    )
    assert done.stdout.startswith("cluster-0 | SUCCESS => {") and "WORKLOAD" not in done.stdout
    assert "WORKLOAD" in done.stderr
    if one_line:
        assert len(done.stdout.splitlines()) == 1
        json.loads(done.stdout.partition("=> ")[2])


@pytest.mark.parametrize("callback", ["default", "ansible.posix.json"])
def test_no_log_of_the_play_holds_for_progress_and_tables(folder: pathlib.Path, callback: str) -> None:
    done = ansible(folder, "ansible-playbook", "silent.yml", "--check", ANSIBLE_STDOUT_CALLBACK=callback)
    for output in (done.stdout, done.stderr):
        assert "WORKLOAD" not in output and "Gate" not in output and "would write" not in output


def test_the_block_of_each_cluster_is_whole_and_named_with_many_forks(folder: pathlib.Path) -> None:
    done = ansible(folder, "ansible-playbook", "play.yml", "--forks", "6")
    blocks = {}
    for host in HOSTS:
        assert done.stdout.count(f"[{host}] cluster demo\nWORKLOAD") == 1, done.stdout
        begin = done.stdout.index(f"[{host}] cluster demo\nWORKLOAD")
        end = done.stdout.index(f"\nResults: {folder}/{host}/run-1\n", begin)
        blocks[host] = done.stdout[begin:end]
    for host, block in blocks.items():
        assert [other for other in HOSTS if f"[{other}]" in block] == [host]
        summary = folder / host / "run-1" / "summary.md"
        assert f"[{host}] cluster demo\nReport: {summary} ({summary.stat().st_size} bytes)\n" in done.stdout
        assert "Gate: FAILED" in block and "Run run-1" in block and block.count("TOTAL: ") == 1


def test_ansible_runner_shows_a_block_as_one_event(folder: pathlib.Path) -> None:
    """As AWX does it: each event is a row of its database."""
    private = folder / "runner"
    (private / "project").mkdir(parents=True)
    (private / "env").mkdir()
    done = subprocess.run(
        [
            str(PROGRAMS / "ansible-runner"),
            "run",
            str(private),
            "-p",
            str(folder / "play.yml"),
            "--inventory",
            str(folder / "hosts.json"),
            "--ident",
            "job",
        ],
        cwd=folder,
        env=dict(os.environ, PATH=f"{PROGRAMS}:{os.environ['PATH']}", ANSIBLE_NOCOLOR="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    events = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in (private / "artifacts" / "job" / "job_events").glob("*.json")
    ]
    shown = [event["stdout"] for event in events if "WORKLOAD" in event["stdout"]]
    assert len(shown) == len(HOSTS)
    assert all("Gate: FAILED" in text and "TOTAL: " in text for text in shown)


@pytest.mark.parametrize("columns", [80, 120])
def test_no_line_of_a_block_is_wider_than_the_terminal(folder: pathlib.Path, columns: int) -> None:
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [str(PROGRAMS / "ansible-playbook"), "-i", "hosts.json", "play.yml", "--limit", "cluster-0"],
        cwd=folder,
        env=dict(os.environ, ANSIBLE_NOCOLOR="1"),
        stdout=inner,
        stderr=subprocess.DEVNULL,
    )
    os.close(inner)
    pieces = []
    with suppress(OSError):  # the other end was closed
        while piece := os.read(outer, 65536):
            pieces.append(piece)
    os.close(outer)
    assert process.wait() == 0
    output = b"".join(pieces).decode().replace("\r\n", "\n")
    begin = output.index("WORKLOAD")
    table = output[begin : output.index("\nGate: ", begin)].splitlines()
    assert max(map(len, table)) in (columns - 1, columns)
    alone = ansible(folder, "ansible-playbook", "play.yml", "--limit", "cluster-0").stdout
    assert "…" in output[begin:] and "…" not in alone, "without a terminal no name is cut"
