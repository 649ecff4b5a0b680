# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an empty AWX to a push: one playbook makes the objects, and the night that they describe runs on the real cluster.

The objects come out of a double of AWX's API. What AWX does with them - injectors, survey, slices, artifacts, the nodes of the
workflow - is done by tests/support/awx_jobs.py, and the jobs run by the real ansible-runner.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import pathlib
import subprocess
import sys

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.fleet_run import open_fleet_run
from ansible_collections.securescan.kubernetes.tests.environment.ansible_collection import collections_folder
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.support.accesses_left import left
from ansible_collections.securescan.kubernetes.tests.support.awx_double import ADMIN, AwxDouble
from ansible_collections.securescan.kubernetes.tests.support.awx_jobs import MAX_EVENT_RES, Runner
from ansible_collections.securescan.kubernetes.tests.support.https_server import FakeHttpsServer
from ansible_collections.securescan.kubernetes.tests.support.real_systems import SECTIONS, shown

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLLECTIONS = ROOT.parents[2]
PLAYBOOKS = frozenset(str(path.relative_to(ROOT)) for path in (ROOT / "playbooks").glob("*.yml"))
CLUSTERS = ("prod-eu", "prod-us", "lab")


@pytest.fixture(scope="module")
def night(operator_kubeconfig, tmp_path_factory):
    """(the double's runner, the server that gets the push, their folder) after one playbook."""
    tmp_path = tmp_path_factory.mktemp("night")
    server_folder = tmp_path / "server"
    server_folder.mkdir()
    authority = Authority(server_folder)
    with AwxDouble(PLAYBOOKS) as awx, FakeHttpsServer(authority) as receiver:
        context = json.loads(
            subprocess.run(
                [
                    "kubectl",
                    "config",
                    "view",
                    "--raw",
                    "-o",
                    "json",
                    "--kubeconfig",
                    str(operator_kubeconfig),
                ],
                check=True,
                text=True,
                stdout=subprocess.PIPE,
            ).stdout
        )["current-context"]
        given = tmp_path / "fleet.json"
        given.write_text(
            json.dumps(
                {
                    "awx_image": "registry.example.com/securescan-ee:1",
                    "awx_kubeconfig": operator_kubeconfig.read_text(),
                    "awx_clusters": {name: {"scan_context": context} for name in CLUSTERS},
                    "awx_variables": {"scan_namespaces": ["shop"], "scan_workloads": ["Pod/duo"]},
                    "awx_results_dir": str(tmp_path / "results"),
                    "awx_slices": 2,
                    "awx_sinks": [{"system": "webhook", "url": receiver.url, "ca_cert": str(authority.ca)}],
                    "awx_teams": [
                        {
                            "name": "shop",
                            "namespaces": ["shop"],
                            "kubeconfig": operator_kubeconfig.read_text(),
                        }
                    ],
                }
            )
        )
        made = subprocess.run(
            [
                str(pathlib.Path(sys.executable).parent / "ansible-playbook"),
                "securescan.kubernetes.awx_setup",
                "-e",
                f"@{given}",
            ],
            cwd=tmp_path,
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": f"{COLLECTIONS}:{collections_folder('awx.awx')}",
                "CONTROLLER_HOST": awx.url,
                "CONTROLLER_OAUTH_TOKEN": ADMIN,
            },
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert made.returncode == 0, made.stdout
        jobs = tmp_path / "jobs"
        jobs.mkdir()
        environ = {
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        yield Runner(awx, jobs, ROOT, environ), receiver, tmp_path


def test_a_night_from_an_empty_organisation_to_the_push(night, cluster):
    runner, receiver, folder = night
    ran = runner.workflow("securescan night")
    said = {name: [(job.status, job.stdout[-2000:]) for job in jobs] for name, jobs in ran.jobs.items()}
    assert set(ran.jobs) == {"plan", "scan", "merge", "gate", "approval", "push", "verdict"}, said
    assert [job.hosts for job in ran.jobs["scan"]] == [("lab", "prod-us"), ("prod-eu",)]
    assert all(
        job.status == "successful" for name in ("plan", "scan", "merge", "push") for job in ran.jobs[name]
    ), said
    # results outlive the folders of jobs
    assert list((folder / "jobs").iterdir()) == []
    [merged] = ran.jobs["merge"]
    fleet = open_fleet_run(merged.artifacts["securescan_fleet_dir"])
    assert sorted(entry.cluster for entry in fleet.clusters) == sorted(CLUSTERS)
    assert all(entry.state == "scanned" for entry in fleet.clusters)
    # a key for each slice, and the summary with the decision
    slices = {key for job in ran.jobs["scan"] for key in job.artifacts if key.startswith("securescan_slice_")}
    assert len(slices) == 2
    passed = merged.artifacts["securescan_fleet"]["gate"]["passed"]
    assert ran.status == ("successful" if passed else "failed")
    assert receiver.received
    secret = json.loads((folder / "fleet.json").read_text())["awx_kubeconfig"]
    for jobs in ran.jobs.values():
        for job in jobs:
            assert job.largest_result < MAX_EVENT_RES
            assert all(
                line not in job.stdout
                for line in secret.splitlines()
                if "token:" in line or "key-data" in line
            )
    assert left(cluster) == ""
    version = importlib.metadata.version("ansible-runner")
    shown(
        "ansible-runner",
        version,
        "the jobs of AWX's nightly workflow, out of the double's objects",
        SECTIONS[0],
    )


def test_nothing_is_sent_when_nobody_approves(night):
    runner, receiver, _folder = night
    before = len(receiver.received)
    runner.approves = lambda _name: False
    try:
        ran = runner.workflow("securescan night")
    finally:
        runner.approves = lambda _name: True
    assert "push" not in ran.jobs
    assert len(receiver.received) == before


ANSWERS = {
    "several names in one text, and nothing else": (
        {"scan_namespaces": "shop, shop", "scan_workloads": "Pod/duo\nDeployment/api", "scan_threshold": ""},
        "successful",
        ("shop/duo", "shop/api", "Gate: PASSED by the default threshold"),
    ),
    "a number that is a text": (
        {"scan_workloads": "Deployment/api", "scan_threshold": '{"compliance": {"min": "99"}}'},
        "failed",
        ("shop/api", "must be at least 99 %"),
    ),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_answers_of_a_survey_mean_what_a_person_means(night, case):
    """Fields that are left empty are answers, too."""
    runner, _receiver, _folder = night
    answers, status, words = ANSWERS[case]
    [job] = runner.template("securescan scan", {"extra_vars": answers, "limit": "lab"})
    assert job.status == status, job.stdout[-4000:]
    for word in words:
        assert word in job.stdout


@pytest.mark.parametrize("answer", [{}, {"team_namespaces": []}])
def test_a_team_scans_its_namespaces_whatever_it_answers(night, answer):
    runner, _receiver, _folder = night
    [job] = runner.template("securescan shop", {"extra_vars": {**answer, "scan_workloads": "Pod/duo"}})
    assert "shop/duo" in job.stdout
    assert "kube-system" not in job.stdout
