# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command as a whole, in this process, on the fake API server and this machine's shell."""

from __future__ import annotations

import io
import json
import pathlib
from dataclasses import dataclass

import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.command.main import main
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import no_shell, run_locally
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.scans_on_fake_cluster import Cluster

_PROFILE = """\
name: small
title: Small
version: 1.0.0
controls:
  - id: there
    title: The file is there
    impact: %s
    tests: [{file: %s, expect: {exist: true}}]
"""


@dataclass
class Ended:
    status: int
    out: str
    err: str


class Command:
    """command(word, ...) runs the command as a person in the namespace shop of the fake cluster does."""

    def __init__(self, server: FakeApiServer, folder: pathlib.Path) -> None:
        self.folder = folder
        self.kubeconfig = folder / "config"
        content = server.kubeconfig()
        content["contexts"][0]["context"]["namespace"] = "shop"
        self.kubeconfig.write_text(json.dumps(content), encoding="utf-8")
        self.kubeconfig.chmod(0o600)
        self.file = folder / "app.conf"
        self.file.write_text("a setting", encoding="utf-8")
        self.profile(str(self.file))

    def profile(self, path: str, impact: str = "high") -> None:
        (self.folder / "profile.yml").write_text(_PROFILE % (impact, path), encoding="utf-8")

    def __call__(self, *words: str, stdin: str = "") -> Ended:
        out, err = io.StringIO(), io.StringIO()
        environ = {
            "KUBECONFIG": str(self.kubeconfig),
            "HOME": str(self.folder),
            # what Ansible would take is not for the command
            "K8S_AUTH_HOST": "https://127.0.0.1:9",
        }
        status = main(words, environ, io.StringIO(stdin), out, err)
        return Ended(status, out.getvalue(), err.getvalue())

    def scan(self, *words: str) -> Ended:
        return self(*words, "--approach", "exec", "--profile", str(self.folder / "profile.yml"))


@pytest.fixture
def cluster(server: FakeApiServer) -> Cluster:
    found = Cluster(server, run_locally)
    found.add_pod("api-1", run_locally)
    return found


@pytest.fixture
def command(cluster: Cluster, tmp_path: pathlib.Path) -> Command:
    return Command(cluster.server, tmp_path)


def test_a_pod_that_passes(command: Command, cluster: Cluster) -> None:
    ended = command.scan("pod/api-1")
    assert (ended.status, ended.err) == (0, ""), ended
    assert "Gate: PASSED" in ended.out and "not kept (--output-dir keeps them)" in ended.out
    assert cluster.accesses() == []


def test_what_was_found_is_told_apart_from_what_could_not_be_seen(command: Command, cluster: Cluster) -> None:
    command.profile("/nowhere/at/all")
    assert command.scan("pod/api-1").status == 2
    cluster.add_pod("edge-1", no_shell)
    command.profile(str(command.file))
    assert command.scan("pod/edge-1").status == 3
    assert cluster.accesses() == []


def test_a_cluster_that_does_not_answer(command: Command, server: FakeApiServer) -> None:
    ended = command.scan("--server", "https://127.0.0.1:9", "--token", "x")
    assert ended.status == 4 and "unreachable" in ended.err and ended.out == ""


@pytest.mark.parametrize("words", [["--thrshold", "x"], ["--threshold", "/nowhere"], ["--report", "xml"]])
def test_what_cannot_be_used_is_refused_before_the_cluster_is_asked(
    command: Command, server: FakeApiServer, words: list[str]
) -> None:
    ended = command.scan("pod/api-1", *words)
    assert ended.status == 1 and ended.out == "" and not server.requests


def test_each_output_is_all_that_stdout_has(command: Command) -> None:
    command.profile("/nowhere/at/all")
    assert json.loads(command.scan("pod/api-1", "-o", "json").out)["gate"]["passed"] is False
    assert json.loads(command.scan("pod/api-1", "-o", "sarif").out)["version"] == "2.1.0"
    lines = command.scan("pod/api-1", "-o", "lines")
    assert lines.out.startswith("high: shop/api-1/app: there: The file is there: ")
    assert len(lines.out.splitlines()) == 1
    assert "gate_failed" in lines.err


def test_results_are_kept_where_they_are_asked_for_and_read_again(command: Command) -> None:
    ended = command.scan(
        "pod/api-1", "--output-dir", str(command.folder / "r"), "--report", "sarif,junit", "--keep-facts"
    )
    assert ended.status == 0, ended
    run = (command.folder / "r" / "fake" / "latest").resolve()
    assert {"summary.json", "results.sarif", "gate.junit.xml"} <= {path.name for path in run.iterdir()}
    assert command("report", str(run), "-o", "json").status == 0
    command.profile("/nowhere/at/all")
    again = command("judge", str(run), "--profile", str(command.folder / "profile.yml"))
    assert again.status in (2, 3), again


def test_a_dry_run_and_an_explanation_change_nothing(command: Command, cluster: Cluster) -> None:
    for words in (["--dry-run"], ["--explain"]):
        ended = command.scan("pod/api-1", *words)
        assert ended.status == 0 and ended.out, ended
    assert cluster.execs() == [] and cluster.accesses() == []


def test_sweep_says_what_is_left(command: Command) -> None:
    ended = command("sweep", "-n", "shop")
    assert (ended.status, ended.out) == (0, "SWEEP: 0 objects removed, 0 kept\n"), ended


def test_the_token_can_come_by_the_standard_input(command: Command, server: FakeApiServer) -> None:
    content = yaml.safe_load(command.kubeconfig.read_text())
    token = content["users"][0]["user"].pop("token")
    command.kubeconfig.write_text(json.dumps(content), encoding="utf-8")
    ended = command("sweep", "-n", "shop", "--token", "-", stdin=f"{token}\n")
    assert ended.status == 0, ended


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--appr"], ["--approach", "--approaches", ":4"]),
        (["--approach", "e"], ["exec", ":4"]),
        (["--approach=e"], ["--approach=exec", ":4"]),
        (["-p", "work"], ["workload-baseline", ":0"]),
        (["pod/"], ["pod/api-1", ":4"]),
        (["pre"], ["preflight", ":6"]),
        (["--context", ""], ["test", ":4"]),
        (["-c", ""], ["app", ":4"]),
        (["--threshold", ""], [":0"]),
        (["--output-dir", ""], [":16"]),
    ],
)
def test_a_shell_is_offered_what_could_stand_there(
    command: Command, words: list[str], found: list[str]
) -> None:
    ended = command("__complete", *words)
    assert ended.status == 0 and ended.out.splitlines() == found, ended


def test_a_cluster_that_is_away_costs_a_shell_no_error(command: Command) -> None:
    content = yaml.safe_load(command.kubeconfig.read_text())
    content["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    command.kubeconfig.write_text(json.dumps(content), encoding="utf-8")
    assert command("__complete", "pod/").out == ":4\n"
