# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The execution environment: its build context, and what a job system does with what it would contain (ansible-runner)."""

from __future__ import annotations

import importlib.metadata
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import pytest
import yaml
from ansible_collections.securescan.kubernetes.tests.environment.python_environment import ensure_environment
from ansible_collections.securescan.kubernetes.tests.support.planted_secrets import (
    JWT,
    PLANTED,
    grantor_secrets,
)
from ansible_collections.securescan.kubernetes.tests.support.real_systems import SECTIONS, shown

ROOT = pathlib.Path(__file__).resolve().parents[2]

LABEL = "app.kubernetes.io/managed-by=securescan.kubernetes"
KINDS = "serviceaccounts,roles,rolebindings"
DEFINITION = ROOT / "execution_environment"
# What a job system does: starts a job by ansible-runner, and cancels it when it is told to (a file stands for that).
JOB = """
import pathlib, sys
import ansible_runner
folder = pathlib.Path(sys.argv[1])
done = ansible_runner.run(private_data_dir=str(folder), playbook="securescan.kubernetes.scan", ident="job", quiet=True,
                          cancel_callback=(folder / "cancel").exists)
print(done.status)
"""


def builder(*arguments: object) -> str:
    program = pathlib.Path(sys.executable).parent / "ansible-builder"
    done = subprocess.run(
        [str(part) for part in (program, *arguments)],
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def introspected(tmp_path_factory) -> list[str]:
    """The Python packages that ansible-builder finds an image with this collection to need, as its build does it."""
    written = tmp_path_factory.mktemp("introspected") / "requirements.txt"
    builder("introspect", "--write-pip", written, ROOT.parents[2])
    lines = [line.split("#")[0].strip() for line in written.read_text().splitlines()]
    return [line for line in lines if line]


def test_the_build_context(tmp_path):
    definition = tmp_path / "definition"
    shutil.copytree(DEFINITION, definition)
    context = tmp_path / "context"
    builder(
        "create",
        "--file",
        definition / "execution-environment.yml",
        "--context",
        context,
        "--output-filename",
        "Containerfile",
    )
    made = (context / "Containerfile").read_text()
    said = yaml.safe_load((DEFINITION / "execution-environment.yml").read_text())
    assert said["images"]["base_image"]["name"] in made
    assert said["dependencies"]["ansible_core"]["package_pip"] in made
    assert "USER 1000" in made, "an image for jobs must not run as root"
    assert 'ENTRYPOINT ["/usr/bin/python3", "/opt/securescan/init.py"]' in made
    assert "chmod ug+rw /etc/passwd" not in made, (
        "who runs in the image must not be able to change who is who"
    )
    collections = yaml.safe_load((context / "_build" / "requirements.yml").read_text())["collections"]
    assert [item["name"] for item in collections] == ["securescan.kubernetes"]


def test_what_the_collection_brings_into_the_image(introspected):
    """All of requirements.txt but PyYAML, which ansible-builder leaves to ansible-core."""
    ours = [
        line
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert introspected == [line for line in ours if not line.startswith("PyYAML")]


@pytest.fixture(scope="module")
def image_programs(introspected, tmp_path_factory) -> pathlib.Path:
    """Where the programs are that the image would have: its Python packages in an environment of their own."""
    dependencies = yaml.safe_load((DEFINITION / "execution-environment.yml").read_text())["dependencies"]
    listed = tmp_path_factory.mktemp("image") / "execution-environment.txt"
    listed.write_text(
        "\n".join(
            [
                dependencies["ansible_core"]["package_pip"],
                dependencies["ansible_runner"]["package_pip"],
                *introspected,
                "",
            ]
        )
    )
    return ensure_environment(listed, sys.executable) / "bin"


class Job:
    """One job of a job system: its private data folder, and the process that runs it."""

    def __init__(
        self, folder: pathlib.Path, programs: pathlib.Path, kubeconfig: pathlib.Path, **variables: object
    ) -> None:
        self.folder = folder
        (folder / "inventory").mkdir(parents=True)
        (folder / "project").mkdir()
        host = {
            "ansible_connection": "local",
            "scan_kubeconfig": str(kubeconfig),
            "scan_namespaces": "shop",
            "scan_output_dir": str(folder / "results"),
            **variables,
        }
        (folder / "inventory" / "hosts.json").write_text(json.dumps({"all": {"hosts": {"sample": host}}}))
        environ = {
            name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON"))
        }
        environ.update(
            PATH=f"{programs}:/usr/bin:/bin",
            ANSIBLE_COLLECTIONS_PATH=str(ROOT.parents[2]),
            PYTHONDONTWRITEBYTECODE="1",
        )
        self.process = subprocess.Popen(
            [str(programs / "python"), "-c", JOB, str(folder)],
            cwd=folder,
            env=environ,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def wait(self) -> str:
        output, _nothing = self.process.communicate(timeout=600)
        return output.split()[-1]

    @property
    def artifacts(self) -> pathlib.Path:
        return self.folder / "artifacts" / "job"

    def events(self) -> list[dict]:
        found = [json.loads(path.read_text()) for path in (self.artifacts / "job_events").glob("*.json")]
        return sorted(found, key=lambda event: event["counter"])


@pytest.fixture(scope="module")
def finished_job(image_programs, operator_kubeconfig, tmp_path_factory) -> Job:
    job = Job(tmp_path_factory.mktemp("job"), image_programs, operator_kubeconfig, scan_fail_on="never")
    job.status = job.wait()
    return job


def test_a_job_scans(finished_job):
    assert finished_job.status == "successful", (finished_job.artifacts / "stdout").read_text()
    summary = json.loads((finished_job.folder / "results" / "sample" / "latest" / "summary.json").read_text())
    assert summary["target_counts"]["scanned"] > 0


def test_progress_arrives_as_events(finished_job):
    said = [
        event
        for event in finished_job.events()
        if re.search(r"\[sample\] \d+/\d+ containers done", event["stdout"])
    ]
    assert said, "no event holds a line of progress"
    ended = next(
        event
        for event in finished_job.events()
        if event["event"] == "runner_on_ok" and event["event_data"]["task_action"].endswith("scan_container")
    )
    assert said[0]["counter"] < ended["counter"], "progress is of use only before the task has ended"


def test_a_result_is_small_enough_for_an_event_store(finished_job):
    sizes = {
        event["event_data"]["task"]: len(json.dumps(event["event_data"].get("res", {})))
        for event in finished_job.events()
        if event["event"] == "runner_on_ok"
    }
    assert sizes
    assert max(sizes.values()) < 100_000, sizes


def test_no_secret_is_in_the_artefacts(finished_job, operator_kubeconfig):
    secrets = [*grantor_secrets(operator_kubeconfig), PLANTED]
    files = [path for path in finished_job.folder.rglob("*") if path.is_file()]
    assert len(files) > 20
    for path in files:
        content = path.read_bytes()
        assert not JWT.search(content), path
        assert not [secret for secret in secrets if secret in content], path


def left(cluster) -> set[str]:
    return set(cluster.kubectl("get", KINDS, "--all-namespaces", "-l", LABEL, "-o", "name").split())


def test_a_cancelled_job_leaves_nothing_behind(image_programs, operator_kubeconfig, cluster, tmp_path):
    """ansible-runner cancels by SIGKILL of Ansible's process group; the worker that scans is in another session."""
    before = left(cluster)
    job = Job(tmp_path / "job", image_programs, operator_kubeconfig, scan_fail_on="never", scan_concurrency=1)
    deadline = time.monotonic() + 120
    while left(cluster) <= before:
        assert job.process.poll() is None and time.monotonic() < deadline, "the job has made no access"
        time.sleep(0.02)
    (job.folder / "cancel").touch()
    assert job.wait() == "canceled"
    deadline = time.monotonic() + 120
    while not left(cluster) <= before:
        assert time.monotonic() < deadline, left(cluster) - before
        time.sleep(0.1)
    version = importlib.metadata.version("ansible-runner")
    shown("ansible-runner", version, "a job that is cancelled removes its access", SECTIONS[0])
