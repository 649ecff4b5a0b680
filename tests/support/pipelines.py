# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipelines of ci/ as a user has them, in a repository of its own, and what runs them on this machine.

GitHub's workflow is run by act and GitLab's by gitlab-ci-local, which run jobs as the systems do. Of the others the steps are
read from their files, and run in the order in which the system would.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from ..cluster import debian_packages
from ..environment.python_environment import CACHE, ensure_environment, say
from .node_programs import node_command

ROOT = pathlib.Path(__file__).resolve().parents[2]
CI = ROOT / "ci"
PINS = ROOT / "tests" / "pipelines"
ACTIONS = PINS / "actions"
GITHUB = CI / "github-actions" / "securescan.yml"
GITLAB = CI / "gitlab" / ".gitlab-ci.yml"
JENKINS = CI / "jenkins" / "Jenkinsfile"
TEKTON = CI / "tekton"
AZURE = CI / "azure" / "azure-pipelines.yml"
_SECONDS = 300


@dataclass(frozen=True)
class PipelineEnd:
    """How a pipeline ended. `artifacts`: what it kept, in a folder."""

    status: int
    output: str
    artifacts: pathlib.Path


class Repository:
    """A repository that has taken over the files of ci/."""

    def __init__(self, folder: pathlib.Path, kubeconfig: pathlib.Path) -> None:
        self.folder = folder / "repository"
        self.artifacts = folder / "artifacts"
        self.kubeconfig = kubeconfig
        self._home = folder / "home"
        for path in (self.folder / "ci", self.artifacts, self._home):
            path.mkdir(parents=True)
        for name in ("pipeline.sh", "inventory.yml", "requirements.txt", "requirements.yml"):
            shutil.copy2(CI / name, self.folder / "ci" / name)
        self._git("init", "-q", "-b", "main")
        self._git("remote", "add", "origin", "git@example.com:shop/shop.git")

    def add(self, source: pathlib.Path, name: str) -> None:
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)

    def commit(self) -> None:
        self._git("add", "-A")
        self._git("commit", "-q", "-m", "scan")

    def _git(self, *arguments: str) -> None:
        who = ("-c", "user.name=test", "-c", "user.email=test@example.com")
        subprocess.run(["git", *who, *arguments], cwd=self.folder, check=True, env=self.environ())

    def environ(self, **more: str) -> dict[str, str]:
        """No network for pip: what a job installs is there already."""
        return {
            **os.environ,
            "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self._home),
            "XDG_CACHE_HOME": str(self._home / "cache"),
            "XDG_CONFIG_HOME": str(self._home / "config"),
            "PIP_NO_INDEX": "1",
            "ANSIBLE_NOCOLOR": "1",
            **more,
        }

    def act_command(self, workloads: str = "") -> list[str]:
        """act with the workflow, without a container engine."""
        workflow = yaml.safe_load(GITHUB.read_text(encoding="utf-8"))
        used = [step["uses"] for step in workflow["jobs"]["scan"]["steps"] if "uses" in step]
        local = []
        for name, _at, commit in (one.partition("@") for one in used):
            repository = "/".join(name.split("/")[:2])
            local += ["--local-repository", f"{repository}@{commit}={ACTIONS / repository.split('/')[1]}"]
        return [
            str(ensure_environment(PINS / "requirements.txt", sys.executable) / "bin" / "act"),
            "workflow_dispatch",
            *("-P", "ubuntu-latest=-self-hosted"),
            *("--no-cache-server", "--input", f"workloads={workloads}"),
            *("--env", f"SECURESCAN_TEST_ARTIFACTS={self.artifacts}"),
            *("--secret", "SECURESCAN_KUBECONFIG"),
            *local,
        ]

    def start_act(self, workloads: str = "") -> subprocess.Popen[str]:
        secret = self.kubeconfig.read_text(encoding="utf-8")
        return subprocess.Popen(
            self.act_command(workloads),
            cwd=self.folder,
            env=self.environ(SECURESCAN_KUBECONFIG=secret),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def act(self, workloads: str = "") -> PipelineEnd:
        process = self.start_act(workloads)
        output, _nothing = process.communicate(timeout=_SECONDS)
        return PipelineEnd(process.returncode, output, self.artifacts / "securescan")

    def gitlab(self, workloads: str = "") -> PipelineEnd:
        debian_packages.ensure(["rsync"])
        done = subprocess.run(
            [
                *node_command("gitlab-ci-local", "gitlab-ci-local"),
                "--force-shell-executor",
                "--no-color",
                *("--variable", f"K8S_AUTH_KUBECONFIG={self.kubeconfig}"),
                *("--variable", "CI_COMMIT_REF_PROTECTED=true"),
                *("--variable", f"SCAN_WORKLOADS={workloads}"),
            ],
            cwd=self.folder,
            env=self.environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        kept = self.folder / ".gitlab-ci-local" / "artifacts" / "securescan" / "reports"
        return PipelineEnd(done.returncode, done.stdout, kept)

    def end_processes(self) -> None:
        """Ends what a cancelled runner has left: Ansible can hang when its terminal and its workers are taken away."""
        home = f"HOME={self._home}".encode()
        for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if home in path.read_bytes().split(b"\0"):
                    os.kill(int(path.parent.name), signal.SIGKILL)

    def run_steps(self, steps: list[Step], workloads: str = "") -> PipelineEnd:
        """Runs them as a system does: after a failure only those that always run."""
        status, output = 0, ""
        for step in steps:
            if status and not step.always:
                continue
            given = {
                **step.variables,
                "K8S_AUTH_KUBECONFIG": str(self.kubeconfig),
                "SCAN_WORKLOADS": workloads,
            }
            done = subprocess.run(
                step.command,
                cwd=self.folder,
                env=self.environ(**given),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=_SECONDS,
            )
            output += done.stdout
            status = status or done.returncode
        return PipelineEnd(status, output, self.folder / "reports")


@dataclass(frozen=True)
class Step:
    """A command of a pipeline. `always`: it runs after a failure, too. `variables`: those with a fixed value."""

    command: tuple[str, ...]
    always: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)


def azure_steps() -> list[Step]:
    (job,) = yaml.safe_load(AZURE.read_text(encoding="utf-8"))["jobs"]
    fixed = {name: value for name, value in job["variables"].items() if "$" not in value}
    return [
        Step(("sh", "-e", "-c", step["script"]), step.get("condition") == "always()", fixed)
        for step in job["steps"]
        if "script" in step
    ]


def tekton_steps(namespaces: str) -> list[Step]:
    """The steps of the Pipeline's tasks, then those of its `finally`."""
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(TEKTON.glob("*.yml"))]
    tasks = {one["metadata"]["name"]: one["spec"] for one in documents if one["kind"] == "Task"}
    (pipeline,) = [one["spec"] for one in documents if one["kind"] == "Pipeline"]
    variables = {"SCAN_NAMESPACES": namespaces}
    return [
        Step(tuple(step["command"]), always, variables)
        for part, always in (("tasks", False), ("finally", True))
        for task in pipeline[part]
        for step in tasks[task["taskRef"]["name"]]["steps"]
    ]


def jenkins_steps() -> list[Step]:
    """As Groovy has read them: the stages in their order, then `post`."""
    (pipeline,) = read_jenkinsfile(JENKINS)
    parts: dict[str, Any] = {call["name"]: call.get("block", []) for call in pipeline["block"]}
    assigned = [one["arguments"] for one in parts["environment"] if one["name"] == "="]
    fixed = {name: value for name, value in assigned if isinstance(value, str)}
    return [
        *(Step(("sh", "-e", "-c", text), False, fixed) for text in _shell_texts(parts["stages"])),
        *(Step(("sh", "-e", "-c", text), True, fixed) for text in _shell_texts(parts["post"])),
    ]


def _shell_texts(calls: list[dict[str, Any]]) -> Iterator[str]:
    for call in calls:
        if call["name"] == "sh":
            yield call["arguments"][0]
        yield from _shell_texts(call.get("block", []))


def read_jenkinsfile(path: pathlib.Path) -> list[dict[str, Any]]:
    """Its calls, as a Groovy with a double of Jenkins makes them: {name, arguments, block}."""
    pins = PINS / "groovy"
    done = subprocess.run(
        [
            *("java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", f"{_jars(pins)}/*"),
            *("groovy.ui.GroovyMain", str(pins / "read_jenkinsfile.groovy"), str(path)),
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    calls: list[dict[str, Any]] = json.loads(done.stdout)
    return calls


def _jars(pins: pathlib.Path) -> pathlib.Path:
    pom = pins / "pom.xml"
    folder = CACHE / "groovy" / hashlib.sha256(pom.read_bytes()).hexdigest()[:16]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            say("==> fetching Groovy (seconds, once)")
            draft = folder.with_name("draft")
            shutil.rmtree(draft, ignore_errors=True)
            fetch = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
            subprocess.run([*fetch, f"-DoutputDirectory={draft}"], check=True, stdout=2)
            draft.rename(folder)
    return folder
