# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One workload gets its sidecars, or loses them: what the API server is asked, and what it is never asked."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.sidecar import change as change_module
from ansible_collections.securescan.kubernetes.plugins.module_utils.sidecar.change import Change
from ansible_collections.securescan.kubernetes.plugins.module_utils.sidecar.containers import SidecarOptions
from ansible_collections.securescan.kubernetes.plugins.module_utils.sidecar.patch import ANNOTATION
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.sample_workloads import (
    IMAGE,
    container,
    put_pod,
    put_workload,
    reference,
    template_spec,
)

WEB = reference()
OPTIONS = SidecarOptions(image=IMAGE)
NAME = "securescan-sidecar-1000-1000"


def writes(server: FakeApiServer) -> list[str]:
    """Requests that change something, a dry run as "PATCH dry"."""
    return [
        request.method + (" dry" if ("dryRun", "All") in request.query else "")
        for request in server.requests
        if request.method != "GET"
    ]


def applied(client: RestClient, options: SidecarOptions | None = OPTIONS, **ref: str) -> Change:
    change = Change(client, reference(**ref) if ref else WEB, options)
    change.apply()
    return change


def refusal(work: Any) -> ScanError:
    with pytest.raises(ScanError) as caught:
        work()
    return caught.value


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "CronJob"])
def test_a_workload_gets_its_sidecar_and_loses_it_without_a_trace(
    server: FakeApiServer, client: RestClient, kind: str
) -> None:
    ref = reference(kind)
    before = put_workload(server, ref)
    assert applied(client, kind=kind, name="web").changed
    spec = template_spec(server, ref)
    assert [each["name"] for each in spec["initContainers"]] == [NAME]
    assert spec["shareProcessNamespace"] is True and spec["initContainers"][0]["image"] == IMAGE
    assert applied(client, None, kind=kind, name="web").changed
    after = server.objects.find(ref.path)
    assert after is not None
    assert {key: after[key] for key in before if key != "metadata"} == {
        key: before[key] for key in before if key != "metadata"
    }
    assert ANNOTATION not in (after["metadata"].get("annotations") or {})


def test_a_plan_asks_by_a_dry_run_and_leaves_the_workload_as_it_is(
    server: FakeApiServer, client: RestClient
) -> None:
    before = put_workload(server, WEB)
    change = Change(client, WEB, OPTIONS)
    change.plan()
    assert change.changed and change.after is not None
    assert change.after["spec"]["template"]["spec"]["initContainers"][0]["name"] == NAME
    assert server.objects.find(WEB.path) == before and writes(server) == ["PATCH dry"]


def test_a_second_change_writes_nothing(server: FakeApiServer, client: RestClient) -> None:
    put_workload(server, WEB)
    applied(client)
    version = server.objects.find(WEB.path)["metadata"]["resourceVersion"]  # type: ignore[index]
    server.requests.clear()
    assert not applied(client).changed
    assert writes(server) == ["PATCH dry"]
    assert server.objects.find(WEB.path)["metadata"]["resourceVersion"] == version  # type: ignore[index]


def test_a_change_is_made_anew_where_somebody_came_between(server: FakeApiServer, client: RestClient) -> None:
    put_workload(server, WEB)
    replicas = iter((2, 3))
    server.faults.append(
        Fault(
            "meanwhile",
            on="PATCH",
            times=2,
            action=lambda: put_workload(server, WEB, replicas=next(replicas)),
        )
    )
    assert applied(client).changed
    after = server.objects.find(WEB.path)
    assert after is not None and after["spec"]["replicas"] == 3, "the other's change was lost"
    assert after["spec"]["template"]["spec"]["initContainers"]
    assert writes(server) == ["PATCH dry", "PATCH dry", "PATCH dry", "PATCH"]


def test_somebody_who_never_stops_changing_it_is_told_of(
    server: FakeApiServer, client: RestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_module, "_FIRST_PAUSE", 0.0)
    put_workload(server, WEB)
    server.faults.append(Fault("meanwhile", on="PATCH", action=lambda: put_workload(server, WEB)))
    assert refusal(lambda: applied(client)).reason == "conflict"
    assert set(writes(server)) == {"PATCH dry"} and len(writes(server)) == 12


def test_a_refusal_of_the_dry_run_leaves_nothing(server: FakeApiServer, client: RestClient) -> None:
    before = put_workload(server, WEB)
    server.grants.deny = lambda user, method, path: "no sidecars here" if method == "PATCH" else None
    assert refusal(lambda: applied(client)).reason == "not_permitted"
    assert server.objects.find(WEB.path) == before and writes(server) == ["PATCH dry"]


def test_what_the_api_server_cannot_decode_is_told_without_the_object(
    server: FakeApiServer, client: RestClient
) -> None:
    put_workload(server, WEB)
    text = 'Deployment.apps "" is invalid: Invalid value: "{"env":"secret"}": json: cannot unmarshal string'
    server.faults.append(Fault("status", on="PATCH", status=422, text=text))
    error = refusal(lambda: applied(client))
    assert error.reason == "invalid_request" and "wrong form" in error.cause
    assert "secret" not in str(error) and error.__cause__ is None


def test_sidecars_of_somebodys_manifests_are_left_alone(server: FakeApiServer, client: RestClient) -> None:
    put_workload(server, WEB)
    applied(client)
    kept = server.objects.find(WEB.path)
    assert kept is not None
    del kept["metadata"]["annotations"]  # as a manifest in git has it: the sidecar without our annotation
    server.objects.put(WEB.path, kept)
    server.requests.clear()
    for options in (None, SidecarOptions(image="registry.test/other:2")):
        error = refusal(lambda options=options: applied(client, options))
        assert error.reason == "conflict" and "manifests_only" in error.advice
    assert "PATCH" not in writes(server)
    assert template_spec(server, WEB) == kept["spec"]["template"]["spec"]


def test_the_same_sidecars_in_somebodys_manifests_need_no_change(
    server: FakeApiServer, client: RestClient
) -> None:
    put_workload(server, WEB)
    applied(client)
    kept = server.objects.find(WEB.path)
    assert kept is not None
    del kept["metadata"]["annotations"]
    server.objects.put(WEB.path, kept)
    server.requests.clear()
    assert not applied(client).changed and writes(server) == ["PATCH dry"]


def test_a_workload_that_is_not_there_has_no_sidecars_and_cannot_get_any(
    server: FakeApiServer, client: RestClient
) -> None:
    assert not applied(client, None).changed and writes(server) == []
    assert refusal(lambda: applied(client)).reason == "not_found"


def test_one_without_sidecars_of_ours_is_not_asked_to_lose_any(
    server: FakeApiServer, client: RestClient
) -> None:
    put_workload(server, WEB, pod_spec={"initContainers": [{"name": "securescan-like", "image": "x"}]})
    assert not applied(client, None).changed and writes(server) == []


def test_the_user_that_a_template_leaves_to_its_image_is_asked_of_its_pods(
    server: FakeApiServer, client: RestClient
) -> None:
    put_workload(server, WEB, container(None, None))
    identity = {"name": "app", "user": {"linux": {"uid": 65532, "gid": 65531}}, "state": {"running": {}}}
    status = {"phase": "Running", "containerStatuses": [identity]}
    put_pod(server, "web-1", {"containers": [container(None, None)]}, status=status)
    assert applied(client).needed.names == ["securescan-sidecar-65532-65531"]
    server.requests.clear()
    put_workload(server, WEB)
    applied(client)
    assert not [each for each in server.requests if each.path.endswith("/pods")], "asked without need"


def test_the_pods_of_a_cronjob_are_found_by_its_jobs(server: FakeApiServer, client: RestClient) -> None:
    night = reference("CronJob", "night")
    cronjob = put_workload(server, night, container(None, None))
    for name, owner in (("night-1", "night"), ("other-1", "other")):
        of_cronjob = {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "name": owner,
            "uid": "u",
            "controller": True,
        }
        server.objects.put(
            f"/apis/batch/v1/namespaces/shop/jobs/{name}", {"metadata": {"ownerReferences": [of_cronjob]}}
        )
        number = 7 if owner == "night" else 8
        identity = {"name": "app", "user": {"linux": {"uid": number, "gid": number}}}
        of_job = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": "u", "controller": True}
        put_pod(
            server,
            name + "-x",
            cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"],
            status={"phase": "Running", "containerStatuses": [identity]},
            ownerReferences=[of_job],
        )
    assert applied(client, kind="CronJob", name="night").needed.names == ["securescan-sidecar-7-7"]


def test_a_workload_without_pods_whose_user_nobody_knows_is_told_of(
    server: FakeApiServer, client: RestClient
) -> None:
    put_workload(server, WEB, container(None, None))
    assert refusal(lambda: applied(client)).reason == "identity_unknown"
    known = SidecarOptions(image=IMAGE, user=7, group=8)
    assert applied(client, known).needed.names == ["securescan-sidecar-7-8"]


def test_a_container_that_no_sidecar_can_look_at_is_warned_of(
    server: FakeApiServer, client: RestClient
) -> None:
    root = container(0, 0, name="admin")
    put_workload(server, WEB, container(), root)
    (warning,) = applied(client).warnings()
    assert "Deployment/web" in warning and "admin" in warning and "runs as root" in warning


def test_a_controller_that_owns_the_workload_is_warned_of(server: FakeApiServer, client: RestClient) -> None:
    owner = {"apiVersion": "db.test/v1", "kind": "Database", "name": "main", "uid": "u", "controller": True}
    put_workload(server, WEB, metadata={"ownerReferences": [owner]})
    (warning,) = applied(client).warnings()
    assert "controlled by Database main" in warning


def test_manifests_get_what_the_template_needs_and_the_cluster_is_only_read(
    server: FakeApiServer, client: RestClient
) -> None:
    put_workload(server, WEB)
    put_workload(server, reference(name="nodes"), pod_spec={"hostPID": True})
    changes = []
    for name in ("web", "nodes"):
        change = Change(client, reference(name=name), OPTIONS)
        change.read()
        changes.append(change.pod_spec_change())
    assert writes(server) == []
    assert changes[0]["shareProcessNamespace"] is True
    assert "shareProcessNamespace" not in changes[1], "Kubernetes takes only one of it and hostPID"
    assert [each["name"] for change in changes for each in change["initContainers"]] == [NAME, NAME]
