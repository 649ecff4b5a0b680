# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`kubectl securescan` as a person uses it: the real kubectl runs it as its plugin, on the real cluster."""

from __future__ import annotations

import json
import os
import pathlib
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import time

import pytest
from ansible_collections.securescan.kubernetes.tests.cluster import debian_packages
from ansible_collections.securescan.kubernetes.tests.support.format_readers import all_readers
from ansible_collections.securescan.kubernetes.tests.support.playbooks import WAIVERS
from ansible_collections.securescan.kubernetes.tests.support.real_systems import SECTIONS, shown
from ansible_collections.securescan.kubernetes.tests.support.shown_outputs import shown as in_page

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "bin"
_MOST_SECONDS = 120


class Developer:
    """Somebody with kubectl, the command on PATH, and a kubeconfig with the rights of the shipped ClusterRole."""

    def __init__(self, kubectl: str, kubeconfig: pathlib.Path, folder: pathlib.Path) -> None:
        programs = folder / "bin"
        programs.mkdir()
        for name in ("kubectl-securescan", "kubectl_complete-securescan", "securescan"):
            (programs / name).symlink_to(BIN / "kubectl-securescan" if name == "securescan" else BIN / name)
        (programs / "kubectl").symlink_to(kubectl)
        self.environ = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(folder),
            "KUBECONFIG": str(kubeconfig),
            "SECURESCAN_PYTHON": sys.executable,
            "LC_ALL": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.folder = folder

    def run(self, *words: str, **more: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            env=self.environ,
            cwd=self.folder,
            check=False,
            capture_output=True,
            text=True,
            timeout=_MOST_SECONDS,
            **more,
        )


@pytest.fixture
def developer(cluster, operator_kubeconfig, tmp_path) -> Developer:
    return Developer(cluster.kubectl_program, operator_kubeconfig, tmp_path)


def accesses(cluster) -> str:
    return cluster.kubectl(
        "get",
        "serviceaccounts,roles,rolebindings",
        "-n",
        "shop",
        "-l",
        "securescan.kubernetes/owner",
        "-o",
        "name",
    )


def test_kubectl_runs_it_as_its_plugin(developer, cluster):
    ended = developer.run("kubectl", "securescan", "deploy/api", "-n", "shop")
    assert ended.returncode in (0, 2, 3), ended
    assert "WORKLOAD" in ended.stdout and "Gate: " in ended.stdout
    assert "shop/api" in ended.stdout and "shop/legacy" not in ended.stdout
    assert "\r" not in ended.stderr and accesses(cluster) == ""
    assert not list(developer.folder.glob("securescan-*"))
    version = developer.run("kubectl", "version", "--client", "-o", "json")
    shown(
        "kubectl",
        json.loads(version.stdout)["clientVersion"]["gitVersion"],
        "`kubectl securescan` as its plugin, and completed by it",
        section=SECTIONS[4],
    )


def test_each_way_to_end_has_its_status(developer, tmp_path):
    passes = tmp_path / "passes.yml"
    passes.write_text("failed: {critical: {max: 1000}}\n")
    scan = ("kubectl", "securescan", "-n", "shop")
    assert developer.run(*scan, "deploy/api", "--threshold", str(passes)).returncode == 0
    assert developer.run(*scan, "deploy/legacy").returncode == 2
    assert developer.run(*scan, "deploy/nobody").returncode == 3
    assert developer.run(*scan, "--server", "https://127.0.0.1:1", "--token", "x").returncode == 4
    assert developer.run(*scan, "--thrshold", "x").returncode == 1


def test_its_results_are_those_of_the_playbook(developer, shop_scan):
    ended = developer.run("securescan", "deploy/api", "-n", "shop", "-o", "json", "--waivers", str(WAIVERS))
    mine = {t["container"]: t["counts"] for t in json.loads(ended.stdout)["targets"]}
    theirs = {t["container"]: t["counts"] for t in shop_scan.summary["targets"] if t["workload"] == "api"}
    assert mine == theirs


# As the problem matchers of ci/vscode/tasks.json take it.
PROBLEM_LINE = r"(critical|high|medium|low|none|error): shop/[^:/]+/legacy: [^:]+: .+"
LEGACY = ("deploy/legacy", "-n", "shop")


@pytest.mark.parametrize("output", ["sarif", "sarif_problems", "junit", "markdown", "csv"])
def test_stdout_is_a_report_that_its_reader_takes(developer, output):
    """Piped into a file, as people do it, and opened by the program that the format is for."""
    scan = ("securescan", *LEGACY, "--approach", "exec", "-o", output)
    file = developer.folder / f"report.{output}"
    ended = developer.run("sh", "-c", f"{shlex.join(scan)} > {file}")
    assert ended.returncode == 2 and not ended.stdout, ended
    # raises where the reader's validator refuses the file
    assert all_readers()[output].read(file) or output == "markdown"
    assert "cb-root-uid" in file.read_text(encoding="utf-8")


def test_lines_json_and_the_page_say_the_same(developer):
    scan = ("securescan", *LEGACY, "--approach", "exec", "-o")
    summary = json.loads(developer.run(*scan, "json").stdout)
    failed = sum(target["counts"]["failed"] for target in summary["targets"])
    lines = developer.run(*scan, "lines")
    assert failed and len(lines.stdout.splitlines()) == failed, lines
    assert all(re.fullmatch(PROBLEM_LINE, line) for line in lines.stdout.splitlines()), lines
    # the page of a kept run is the one that the tests of pages open in a browser
    page = developer.run(*scan, "html", "--output-dir", "kept", "--report", "html").stdout
    (kept,) = developer.folder.glob("kept/*/latest/report.html")
    assert page == kept.read_text(encoding="utf-8") and page.lower().startswith("<!doctype html>")


def test_the_page_of_the_command_shows_what_it_prints(developer):
    """Writes docs/command.md's outputs, or compares them."""
    # each process of a whole check has a cluster of its own, which is called after it
    own = json.loads(pathlib.Path(developer.environ["KUBECONFIG"]).read_text(encoding="utf-8"))
    places = {str(developer.folder): "/home/dev", own["current-context"]: "prod-eu"}
    table = developer.run("kubectl", "securescan", "deploy/api", "-n", "shop")
    in_page("command.md", "command", table.stdout, places)
    lines = developer.run("kubectl", "securescan", *LEGACY, "-o", "lines")
    first = "".join(lines.stdout.splitlines(keepends=True)[:3])
    in_page("command.md", "command-lines", first, places)
    explained = developer.run("kubectl", "securescan", "deploy/edge", "-n", "shop", "--explain")
    in_page("command.md", "command-explain", explained.stdout, places)


def test_a_terminal_shows_how_far_it_is(developer):
    # stderr alone is a terminal: stdout stays the output
    mine, theirs = pty.openpty()
    running = subprocess.Popen(
        ["securescan", "-n", "shop", "-o", "json"],
        env=developer.environ,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    out, _none = running.communicate(timeout=_MOST_SECONDS)
    seen = b""
    while select.select([mine], [], [], 1)[0]:
        try:
            seen += os.read(mine, 65536)
        except OSError:
            break
    os.close(mine)
    assert json.loads(out) and b"containers done" in seen


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_one_leaves_nothing(developer, cluster, number):
    # a scan that was over before the signal came shows nothing, and another is begun
    for _try in range(5):
        running = subprocess.Popen(
            ["securescan", "-n", "shop", "--approach", "exec"],
            env=developer.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        end = time.monotonic() + 60
        while not (made := accesses(cluster)) and running.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        running.send_signal(number)
        _out, err = running.communicate(timeout=_MOST_SECONDS)
        assert running.returncode in (130, 0, 2, 3), err
        assert accesses(cluster) == ""
        if made and running.returncode == 130:
            break
    else:
        raise AssertionError("no scan was interrupted while it had its access")
    assert "interrupted" in err


def completed(developer: Developer, word: str, *command: str) -> None:
    """Asks until the word is offered: the cluster has one second for its answer, and a busy machine may need more."""
    for _try in range(12):
        asked = developer.run(*command)
        if word in asked.stdout.splitlines():
            return
    raise AssertionError(asked)


def test_kubectl_and_bash_complete_it(developer):
    completed(developer, "deploy/api", "kubectl", "__complete", "securescan", "-n", "shop", "deploy/a")
    script = (
        "source <(securescan completion bash); COMP_WORDS=(securescan -n sh); COMP_CWORD=2; _securescan; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    completed(developer, "shop", "bash", "-c", script)


def test_fish_completes_it(developer):
    debian_packages.ensure(["fish"])
    script = developer.folder / "securescan.fish"
    script.write_text(developer.run("securescan", "completion", "fish").stdout)
    completed(
        developer, "shop", "fish", "--no-config", "-c", f"source {script}; complete -C 'securescan -n sh'"
    )
    version = developer.run("fish", "--version").stdout.split()[-1]
    shown("fish", version, "completes `securescan`", section=SECTIONS[4])


def test_zsh_completes_it(developer):
    """In a terminal, as a person presses the tabulator: zsh completes nowhere else."""
    debian_packages.ensure(["zsh"])
    script = developer.folder / "_securescan"
    script.write_text(developer.run("securescan", "completion", "zsh").stdout)
    (developer.folder / ".zshrc").write_text(
        f"autoload -Uz compinit; compinit -u -D; source {script}; PS1='ready> '\n"
    )
    child, terminal = pty.fork()
    if not child:
        os.execvpe(
            "zsh", ["zsh", "-i"], {**developer.environ, "ZDOTDIR": str(developer.folder), "TERM": "dumb"}
        )
    try:
        assert "ready> " in seen_on(terminal, "ready> ")
        os.write(terminal, b"securescan -n sh")
        # the cluster has a second for its answer; a person presses the key again
        for _try in range(12):
            os.write(terminal, b"\t")
            if "-n shop" in seen_on(terminal, "-n shop", seconds=5):
                break
        else:
            raise AssertionError("zsh did not complete the namespace")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)
    version = developer.run("zsh", "--version").stdout.split()[1]
    shown("zsh", version, "completes `securescan`", section=SECTIONS[4])


def seen_on(terminal: int, awaited: str, seconds: float = 60) -> str:
    """What a terminal shows until the awaited text has come."""
    seen, end = "", time.monotonic() + seconds
    while awaited not in seen and time.monotonic() < end:
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 65536).decode(errors="replace")
    return seen
