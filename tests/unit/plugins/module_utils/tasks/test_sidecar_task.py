# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""scan_sidecar from its options to its result: workloads changed, rollouts waited for, manifests written."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.sidecar import scan_sidecar_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.sidecar.patch import ANNOTATION
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.sidecar import run_scan_sidecar
from ansible_collections.securescan.kubernetes.tests.fake_api_server.controllers import Deployments
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.grantor_tasks import TaskRunner
from ansible_collections.securescan.kubernetes.tests.support.sample_workloads import (
    IMAGE,
    container,
    put_workload,
    reference,
    template_spec,
)

NAME = "securescan-sidecar-1000-1000"
WEB, DATABASE, NIGHT = reference(), reference("StatefulSet", "db"), reference("CronJob", "night")


class SidecarTask(TaskRunner):
    def __call__(self, *workloads: str, check_mode: bool = False, **changes: Any) -> dict[str, Any]:
        given = {
            "namespace": "shop",
            "workloads": list(workloads),
            "scanner_image": IMAGE,
            "wait_timeout": 60,
        }
        return super().__call__(check_mode=check_mode, **{**given, **changes})


@pytest.fixture
def sidecar(server: FakeApiServer) -> SidecarTask:
    """The task, in a cluster whose controllers roll Deployments out."""
    put_workload(server, WEB)
    server.objects.meanwhile.append(Deployments(server.objects))
    return SidecarTask(server, run_scan_sidecar, scan_sidecar_spec)


def refusal(work: Any) -> ScanError:
    with pytest.raises(ScanError) as caught:
        work()
    return caught.value


def changes(server: FakeApiServer) -> list[str]:
    return [
        request.path.rsplit("/", 1)[1]
        for request in server.requests
        if request.method == "PATCH" and not request.query
    ]


def test_a_workload_is_changed_and_its_rollout_waited_for(
    sidecar: SidecarTask, server: FakeApiServer
) -> None:
    result = sidecar("Deployment/web")
    record = {
        "workload": "Deployment/web",
        "changed": True,
        "sidecars": [NAME],
        "rolled_out": True,
        "not_served": {},
    }
    assert result["changed"] and result["workloads"] == [record] and "failed" not in result
    assert sidecar.said == ["waiting for the rollout of Deployment/web"] and sidecar.warnings == []
    (diff,) = result["diff"]
    assert (
        NAME not in diff["before"]
        and NAME in diff["after"]
        and diff["before_header"] == "Deployment/web in namespace shop"
    )
    spec = template_spec(server, WEB)
    assert spec["initContainers"][0]["resources"] == scan_sidecar_spec()["resources"]["default"]


def test_a_second_run_changes_nothing_and_waits_for_what_is_not_over(
    sidecar: SidecarTask, server: FakeApiServer
) -> None:
    sidecar("Deployment/web", wait=False)
    server.requests.clear()
    result = sidecar("Deployment/web")
    assert not result["changed"] and result["diff"] == [] and changes(server) == []
    assert result["workloads"][0]["rolled_out"] is True


def test_sidecars_are_taken_out_again(sidecar: SidecarTask, server: FakeApiServer) -> None:
    before = template_spec(server, WEB)
    sidecar("Deployment/web")
    result = sidecar("Deployment/web", state="absent")
    assert result["changed"] and result["workloads"][0]["sidecars"] == [] and "manifests" not in result
    assert template_spec(server, WEB) == before and not sidecar("Deployment/web", state="absent")["changed"]
    assert ANNOTATION not in json.dumps(server.objects.find(WEB.path))


def test_check_mode_tells_what_a_run_would_do_and_does_nothing(
    sidecar: SidecarTask, server: FakeApiServer
) -> None:
    before = template_spec(server, WEB)
    planned = sidecar("Deployment/web", check_mode=True)
    assert template_spec(server, WEB) == before and changes(server) == [] and sidecar.said == []
    assert planned["changed"] and planned["workloads"][0]["rolled_out"] is False
    assert planned["diff"][0]["after"] == sidecar("Deployment/web")["diff"][0]["after"], (
        "the plan was another"
    )


def test_no_workload_is_changed_where_one_of_them_cannot_be(
    sidecar: SidecarTask, server: FakeApiServer
) -> None:
    put_workload(server, DATABASE, container(None, None))
    assert refusal(lambda: sidecar("Deployment/web", "StatefulSet/db")).reason == "identity_unknown"
    assert changes(server) == []


def test_one_that_fails_does_not_keep_the_others_and_fails_the_task(
    sidecar: SidecarTask, server: FakeApiServer
) -> None:
    put_workload(server, DATABASE, status={"updateRevision": "2", "observedGeneration": 1})

    def deny(user: str, method: str, path: str) -> str | None:
        # the dry run was let through: somebody took the right away since
        dry_runs = [request for request in server.requests if request.method == "PATCH" and request.query]
        return "no" if method == "PATCH" and path == DATABASE.path and len(dry_runs) == 4 else None

    server.grants.deny = deny
    result = sidecar("Deployment/web", "StatefulSet/db")
    web, database = result["workloads"]
    assert result["failed"] and result["changed"] and web["rolled_out"] and not database["changed"]
    assert (
        database["error"]["reason"] == "not_permitted" == result["error"]["reason"]
        and len(result["diff"]) == 1
    )


def test_a_rollout_that_does_not_end_fails_the_task_and_the_change_stays(
    sidecar: SidecarTask, server: FakeApiServer
) -> None:
    server.objects.meanwhile.clear()
    result = sidecar("Deployment/web", wait_timeout=1)
    (record,) = result["workloads"]
    assert result["failed"] and record["changed"] and not record["rolled_out"]
    assert record["error"]["reason"] == "timed_out" and "Deployment/web" in result["msg"]
    assert template_spec(server, WEB)["initContainers"][0]["name"] == NAME


def test_what_rolls_out_by_deletion_or_by_its_next_run_is_not_waited_for(
    sidecar: SidecarTask, server: FakeApiServer
) -> None:
    put_workload(server, DATABASE, updateStrategy={"type": "OnDelete"})
    put_workload(server, NIGHT)
    result = sidecar("StatefulSet/db", "CronJob/night")
    assert [record["rolled_out"] for record in result["workloads"]] == [
        False,
        False,
    ] and "failed" not in result
    (warning,) = sidecar.warnings
    assert "StatefulSet/db" in warning and "OnDelete" in warning and sidecar.said == []
    sidecar("StatefulSet/db")
    assert sidecar.warnings == [], "nothing has changed that somebody would have to delete pods for"


def test_wait_false_does_not_wait(sidecar: SidecarTask, server: FakeApiServer) -> None:
    result = sidecar("Deployment/web", wait=False)
    assert result["changed"] and result["workloads"][0]["rolled_out"] is False and sidecar.said == []


def test_a_container_that_is_not_served_stands_in_the_result(
    sidecar: SidecarTask, server: FakeApiServer
) -> None:
    put_workload(server, WEB, container(), container(0, 0, name="admin"))
    result = sidecar("Deployment/web", wait=False)
    assert list(result["workloads"][0]["not_served"]) == ["admin"] and "admin" in sidecar.warnings[0]


# Manifests


def test_manifests_alone_leave_the_cluster_as_it_is(
    sidecar: SidecarTask, server: FakeApiServer, tmp_path: pathlib.Path
) -> None:
    place = tmp_path / "component"
    put_workload(server, NIGHT)
    result = sidecar("Deployment/web", "CronJob/night", manifests_only=True, output_dir=str(place))
    assert result["changed"] and result["output_dir"] == str(place)
    assert {request.method for request in server.requests} == {"GET"}
    files = {path.name: path.read_text(encoding="utf-8") for path in place.iterdir()}
    assert files == result["manifests"]
    assert sorted(files) == [
        "cronjob-night.patch.yaml",
        "cronjob-night.values.yaml",
        "deployment-web.patch.yaml",
        "deployment-web.values.yaml",
        "kustomization.yaml",
    ]
    component = yaml.safe_load(files["kustomization.yaml"])
    assert component["kind"] == "Component"
    assert [patch["path"] for patch in component["patches"]] == [
        "deployment-web.patch.yaml",
        "cronjob-night.patch.yaml",
    ]
    patch = yaml.safe_load(files["cronjob-night.patch.yaml"])
    spec = patch["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert (patch["apiVersion"], patch["kind"], patch["metadata"]) == (
        "batch/v1",
        "CronJob",
        {"name": "night"},
    )
    assert yaml.safe_load(files["cronjob-night.values.yaml"]) == spec
    assert spec["initContainers"][0]["name"] == NAME and spec["shareProcessNamespace"] is True


def test_manifests_say_the_sidecar_that_the_module_itself_adds(
    sidecar: SidecarTask, server: FakeApiServer
) -> None:
    written = yaml.safe_load(sidecar("Deployment/web")["manifests"]["deployment-web.values.yaml"])
    assert written["initContainers"] == template_spec(server, WEB)["initContainers"]


def test_files_that_are_as_wanted_are_not_written_again(sidecar: SidecarTask, tmp_path: pathlib.Path) -> None:
    wanted: dict[str, Any] = {"manifests_only": True, "output_dir": str(tmp_path)}
    assert len(sidecar("Deployment/web", check_mode=True, **wanted)["diff"]) == 3
    assert list(tmp_path.iterdir()) == [], "check mode wrote"
    sidecar("Deployment/web", **wanted)
    assert not sidecar("Deployment/web", **wanted)["changed"]
    (tmp_path / "kustomization.yaml").write_text("mine\n", encoding="utf-8")
    result = sidecar("Deployment/web", **wanted)
    (diff,) = result["diff"]
    assert (
        result["changed"]
        and diff["before"] == "mine\n"
        and diff["after_header"] == str(tmp_path / "kustomization.yaml")
    )


def test_a_folder_that_cannot_be_written_is_told_before_the_cluster_is_changed(
    sidecar: SidecarTask, server: FakeApiServer, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    error = refusal(lambda: sidecar("Deployment/web", output_dir=str(tmp_path / "file" / "below")))
    assert error.reason == "write_failed" and changes(server) == []


# Options


@pytest.mark.parametrize(
    ("given", "option", "words"),
    [
        ({"namespace": "shop*"}, "namespace", "it is a pattern"),
        ({"run_as_user": -1}, "run_as_user", "it must be from 0 to 2147483647"),
        ({"run_as_group": 2**31}, "run_as_group", "it must be from 0 to 2147483647"),
        ({"resources": {"limit": {}}}, "resources", "limit is neither requests nor limits"),
        ({"resources": {"limits": {"memory": "much"}}}, "resources", "memory of limits is 'much'"),
        ({"wait_timeout": 0}, "wait_timeout", "it must be from 1 to 86400 seconds"),
        ({"scanner_image": " "}, "scanner_image", "needs an image"),
        ({"state": "absent", "manifests_only": True}, "state", "no manifests"),
        ({"state": "absent", "output_dir": "x"}, "state", "no manifests"),
        ({"workloads": []}, "workloads", "no workload"),
        ({"workloads": ["Deployment/*"]}, "workloads", "is a pattern"),
        ({"workloads": ["ReplicaSet/web-1"]}, "workloads", "is not one of Deployment"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused_before_the_cluster_is_asked(
    sidecar: SidecarTask, server: FakeApiServer, given: dict[str, Any], option: str, words: str
) -> None:
    workloads = given.pop("workloads", ["Deployment/web"])
    error = refusal(lambda: sidecar(*workloads, **given))
    assert (
        error.reason == "bad_option"
        and words in error.message
        and error.tried == f"reading the option {option}"
    )
    assert server.requests == []


@pytest.mark.parametrize("amount", ["100m", "1.5", "16Mi", "1e3", "2E", 4])
def test_every_form_of_a_quantity_is_taken(sidecar: SidecarTask, server: FakeApiServer, amount: Any) -> None:
    sidecar("Deployment/web", resources={"limits": {"memory": amount}}, wait=False)
    assert template_spec(server, WEB)["initContainers"][0]["resources"] == {"limits": {"memory": amount}}


def test_the_template_of_a_job_goes_into_manifests_only(sidecar: SidecarTask, server: FakeApiServer) -> None:
    job = reference("Job", "once")
    put_workload(server, job)
    assert refusal(lambda: sidecar("Job/once")).reason == "template_immutable"
    assert "job-once.patch.yaml" in sidecar("Job/once", manifests_only=True)["manifests"]
