# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipelines of ci/ without a cluster: the script with their steps, and what holds of all files."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

yaml = pytest.importorskip("yaml")

CI = pathlib.Path(__file__).resolve().parents[3] / "ci"
FILES = {
    "github": CI / "github-actions" / "securescan.yml",
    "gitlab": CI / "gitlab" / ".gitlab-ci.yml",
    "jenkins": CI / "jenkins" / "Jenkinsfile",
    "tekton": CI / "tekton" / "task.yml",
    "azure": CI / "azure" / "azure-pipelines.yml",
}
REPORTS = ("summary.md", "gate.junit.xml", "results.sarif", "problems.sarif")
ANSIBLE = """#!/bin/sh
echo "$SCAN_RUN_ID|$*" >>calls
case "$*" in *"securescan.kubernetes.$FAILS"*) exit 2 ;; esac
"""


class Checkout:
    """A repository with the script, and an ansible-playbook that writes down how it was called."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        (folder / "ci").mkdir()
        shutil.copy2(CI / "pipeline.sh", folder / "ci")
        programs = folder / "programs"
        programs.mkdir()
        (programs / "ansible-playbook").write_text(ANSIBLE)
        (programs / "ansible-playbook").chmod(0o755)
        self._environ = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "SCAN_RUN_ID": ""}

    def step(self, *words: str, fails: str = "nothing", **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["ci/pipeline.sh", *words],
            cwd=self.folder,
            env={**self._environ, "FAILS": fails, **environ},
            check=False,
            capture_output=True,
            text=True,
        )

    @property
    def calls(self) -> list[tuple[str, str]]:
        """(run id, playbook and what follows it) of each call."""
        lines = (self.folder / "calls").read_text().splitlines()
        pairs = [line.split("|--inventory ci/inventory.yml securescan.kubernetes.") for line in lines]
        return [(run_id, rest) for run_id, rest in pairs]

    def results(self, text: str = "new") -> None:
        latest = self.folder / "scan-results" / "staging" / "latest"
        latest.mkdir(parents=True)
        for name in REPORTS:
            (latest / name).write_text(text)


@pytest.fixture
def checkout(tmp_path: pathlib.Path) -> Checkout:
    return Checkout(tmp_path)


def test_a_run(checkout: Checkout) -> None:
    assert checkout.step("prove").returncode == 0
    assert checkout.step("scan").returncode == 0
    checkout.results()
    assert checkout.step("finish").returncode == 0
    (of_proof, proof), (run_id, scan), (same, access), (_same, sweep) = checkout.calls
    assert of_proof == run_id
    assert proof == "access_proof --extra-vars scan_access_proof_file=reports/proof.json"
    assert (scan, access, sweep) == ("scan", "access --extra-vars access_state=absent", "sweep")
    # a DNS label of at most 40 characters, as run ids are
    assert run_id == same and re.fullmatch(r"ci-\d{8}t\d{6}-[0-9a-f]{12}", run_id) and len(run_id) <= 40
    assert {path.name for path in (checkout.folder / "reports").iterdir()} == set(REPORTS)


def test_two_runs_have_two_ids(checkout: Checkout) -> None:
    for _turn in range(2):
        checkout.step("prove")
        checkout.step("scan")
    ids = [run_id for run_id, playbook in checkout.calls if playbook == "scan"]
    assert len(set(ids)) == 2


def test_reports_of_an_earlier_run_are_not_taken_for_this_one(checkout: Checkout) -> None:
    checkout.step("prove")
    checkout.results("old")
    checkout.step("finish")
    checkout.step("prove")
    checkout.step("scan", fails="scan")
    done = checkout.step("finish")
    assert not [path for path in (checkout.folder / "reports").iterdir() if path.name in REPORTS]
    assert "no summary.md: the scan did not get that far" in done.stderr


@pytest.mark.parametrize("step", ["prove", "scan"])
def test_a_step_fails_when_its_playbook_does(checkout: Checkout, step: str) -> None:
    checkout.step("prove")
    assert checkout.step(step, fails="access_proof" if step == "prove" else "scan").returncode == 2


def test_the_sweep_runs_also_when_the_access_could_not_be_removed(checkout: Checkout) -> None:
    checkout.step("prove")
    done = checkout.step("finish", fails="access")
    assert done.returncode == 2
    assert [playbook.split()[0] for _id, playbook in checkout.calls] == ["access_proof", "access", "sweep"]


def test_finish_without_a_beginning_sweeps(checkout: Checkout) -> None:
    assert checkout.step("finish").returncode == 0
    assert checkout.calls == [("", "sweep")]


def test_without_a_beginning_nothing_is_scanned(checkout: Checkout) -> None:
    assert checkout.step("scan").returncode != 0
    assert not (checkout.folder / "calls").exists()


@pytest.mark.parametrize("words", [[], ["clean"], ["--help"]])
def test_another_word_is_refused(checkout: Checkout, words: list[str]) -> None:
    done = checkout.step(*words)
    assert done.returncode == 64
    assert done.stderr == "usage: ci/pipeline.sh prove|scan|finish\n"


def test_what_a_person_types_is_in_no_command_line(checkout: Checkout) -> None:
    checkout.step("prove", SCAN_WORKLOADS="$(touch hostile) {{ 1 }}")
    checkout.step("scan", SCAN_WORKLOADS="$(touch hostile) {{ 1 }}")
    checkout.step("finish", SCAN_WORKLOADS="$(touch hostile) {{ 1 }}")
    assert not (checkout.folder / "hostile").exists()
    assert "hostile" not in str(checkout.calls)


@pytest.mark.parametrize("system", FILES)
def test_every_system_has_the_three_steps_once_and_in_their_order(system: str) -> None:
    text = FILES[system].read_text(encoding="utf-8")
    if system == "tekton":
        text += (CI / "tekton" / "task-finish.yml").read_text(encoding="utf-8")
    words = re.findall(r"ci/pipeline\.sh,? (\w+)", text)
    # a Pipeline of Tekton names its Tasks in their order below them
    assert words == ["prove", "scan", "finish"]


def test_variables_are_looked_up_in_the_environment() -> None:
    (group,) = yaml.safe_load((CI / "inventory.yml").read_text(encoding="utf-8")).values()
    for value in group["vars"].values():
        if "{{" in str(value):
            assert re.fullmatch(r"\{\{ lookup\('ansible\.builtin\.env', 'SCAN_[A-Z_]+'\) \}\}", value)


def test_every_action_is_pinned_and_no_job_has_more_rights_than_it_needs() -> None:
    workflow = yaml.safe_load(FILES["github"].read_text(encoding="utf-8"))
    (job,) = workflow["jobs"].values()
    for step in job["steps"]:
        if "uses" in step:
            name, _at, commit = step["uses"].partition("@")
            assert re.fullmatch("[0-9a-f]{40}", commit), name
        # an expression in a script is text that the shell runs
        assert "${{" not in step.get("run", "")
    assert workflow["permissions"] == {"contents": "read"}
    assert job["permissions"] == {"contents": "read", "security-events": "write"}


def test_gitlab_has_time_for_the_last_step_when_the_script_has_taken_all_of_its_own() -> None:
    job = yaml.safe_load(FILES["gitlab"].read_text(encoding="utf-8"))["securescan"]
    given = [job["variables"][f"RUNNER_{part}_TIMEOUT"] for part in ("SCRIPT", "AFTER_SCRIPT")]
    minutes = [int(re.fullmatch(r"(\d+)m", one).group(1)) for one in given]  # type: ignore[union-attr]
    assert sum(minutes) < int(job["timeout"].partition(" minutes")[0])


def test_no_script_of_azure_holds_a_value() -> None:
    (job,) = yaml.safe_load(FILES["azure"].read_text(encoding="utf-8"))["jobs"]
    for step in job["steps"]:
        assert "$" not in step.get("script", "")


def test_tekton_steps_are_restricted() -> None:
    for path in sorted((CI / "tekton").glob("*.yml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        if document["kind"] == "Task":
            spec = document["spec"]
            for step in spec["steps"]:
                context = {**spec.get("stepTemplate", {}), **step}["securityContext"]
                assert context["runAsNonRoot"] and context["capabilities"] == {"drop": ["ALL"]}
                assert not context["allowPrivilegeEscalation"]
                # parameters are put into a script as text; in the environment they are values
                assert "script" not in step


@pytest.mark.parametrize(
    ("workloads", "scanned", "not_judged", "whole"),
    [("", 2, 0, "true"), ("Deployment/api", 2, 0, "false"), ("", 1, 0, "false"), ("", 2, 1, "false")],
)
def test_github_is_sent_problems_only_of_a_whole_scan(
    tmp_path: pathlib.Path, workloads: str, scanned: int, not_judged: int, whole: str
) -> None:
    """It closes each alert that is not in what it is sent."""
    steps = yaml.safe_load(FILES["github"].read_text(encoding="utf-8"))["jobs"]["scan"]["steps"]
    (script,) = [step["run"] for step in steps if step.get("id") == "whole"]
    (upload,) = [step for step in steps if "upload-sarif" in step.get("uses", "")]
    assert upload["if"] == "always() && steps.whole.outputs.whole == 'true'"
    folder = tmp_path / "scan-results" / "staging" / "latest"
    folder.mkdir(parents=True)
    counts = {"selected": 2, "scanned": scanned, "not_judged": not_judged}
    (folder / "summary.json").write_text(json.dumps({"target_counts": counts}))
    environ = {**os.environ, "GITHUB_OUTPUT": str(tmp_path / "output"), "SCAN_WORKLOADS": workloads}
    subprocess.run(["sh", "-e", "-c", script], cwd=tmp_path, env=environ, check=True)
    assert (tmp_path / "output").read_text() == f"whole={whole}\n"
