# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a look at a cluster's health that need no cluster, and the task on the fake one."""

from __future__ import annotations

import json
import pathlib
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.health.canaries import (
    BAD,
    GOOD,
    canary_check,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.health.check import Check, check_lines
from ansible_collections.securescan.kubernetes.plugins.module_utils.health.trial_pods import (
    running,
    trial_pod,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.health import scan_health_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.preflight.denied_rights import read_rights
from ansible_collections.securescan.kubernetes.plugins.module_utils.preflight.permissions import Permission
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run, open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.health import run_scan_health
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.profile import chosen_profiles
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.grantor_tasks import TaskRunner
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_judgement,
    make_profile,
    make_target,
    write_run,
)

pytest_plugins = ["ansible_collections.securescan.kubernetes.tests.support.fake_cluster"]


@pytest.fixture
def run(tmp_path: pathlib.Path) -> Run:
    """A good pod, a bad one, and one that was not scanned."""
    good, bad = make_target("good-1"), make_target("bad-1")
    documents = [
        (good, make_document(good, make_control("c-1", "passed"), make_control("c-2", "skipped"))),
        (bad, make_document(bad, make_control("c-1", "failed"), make_control("c-2", "failed"))),
    ]
    return open_run(
        str(write_run(tmp_path, "run-1", documents, [(make_target("gone-1"), ScanError("pod_gone", "gone"))]))
    )


def judged(run: Run, kinds: dict[str, str], *controls: str) -> Check:
    return canary_check([(run, kinds[one.pod], one) for one in run.targets if one.pod in kinds], controls)


def test_canaries_that_are_as_they_are_known_to_be_pass(run: Run) -> None:
    assert judged(run, {"good-1": GOOD, "bad-1": BAD}, "c-1").status == "passed"


@pytest.mark.parametrize(
    ("kinds", "controls", "said"),
    [
        (
            {"good-1": GOOD, "bad-1": BAD},
            ["c-2"],
            "known good was not recognised: c-2 is Not Reviewed on the good canary good-1",
        ),
        (
            {"bad-1": GOOD, "good-1": BAD},
            ["c-1"],
            "known bad was not found: c-1 is Passed on the bad canary good-1",
        ),
        ({"good-1": GOOD, "bad-1": BAD}, ["c-9"], "c-9 is not in the profiles on the bad canary bad-1"),
        (
            {"good-1": GOOD, "gone-1": BAD},
            ["c-1"],
            "the bad canary gone-1 could not be scanned: gone (pod_gone)",
        ),
        ({"good-1": GOOD}, ["c-1"], "there is no bad canary"),
        ({}, ["c-1"], "there is no good canary; there is no bad canary"),
    ],
)
def test_canaries_that_are_not_say_what_is_wrong(
    run: Run, kinds: dict[str, str], controls: list[str], said: str
) -> None:
    check = judged(run, kinds, *controls)
    assert check.status == "failed" and said in check.text


def test_a_control_of_two_profiles_must_be_right_in_both(tmp_path: pathlib.Path) -> None:
    documents = []
    for pod, statuses in {"good-1": ("failed", "passed"), "bad-1": ("failed", "failed")}.items():
        target = make_target(pod)
        both = [
            make_profile("baseline" if number else "other", make_control("c-1", status))
            for number, status in enumerate(statuses)
        ]
        documents.append((target, json.loads(json.dumps(hdf_document(make_judgement(target, *both))))))
    check = judged(
        open_run(str(write_run(tmp_path, "run-2", documents))), {"good-1": GOOD, "bad-1": BAD}, "c-1"
    )
    assert check.status == "failed" and "c-1 is Failed on the good canary" in check.text


def test_a_pod_that_cannot_be_removed_does_not_keep_the_others() -> None:
    removed: list[str] = []

    class Client:
        def list_items(self, path: str, query: Mapping[str, str]) -> list[Any]:
            return []

        def create(self, path: str, pod: Any) -> None:
            pass

        def get(self, path: str) -> dict[str, Any]:
            return {"status": {"phase": "Running"}}

        def uncancelled(self) -> Client:
            return self

        def delete(self, path: str, options: Any) -> None:
            removed.append(path.rpartition("/")[2])
            if len(removed) == 1:
                raise ScanError("not_permitted", "not this one")

    pods = [trial_pod(kind, "busybox:1", ["sleep"], "Always", []) for kind in (GOOD, BAD)]
    client: Any = Client()
    with (
        pytest.raises(ScanError, match="not this one"),
        running(client, "c", pods, timeout=5, cancel=threading.Event()),
    ):
        pass
    assert removed == [pod["metadata"]["name"] for pod in pods]


def test_rights_are_read_and_slips_are_refused() -> None:
    assert read_rights(
        ["get secrets", "* *.*", "create roles.rbac.authorization.k8s.io", "get pods/exec"]
    ) == [
        Permission("", "secrets", "get"),
        Permission("*", "*", "*"),
        Permission("rbac.authorization.k8s.io", "roles", "create"),
        Permission("", "pods/exec", "get"),
    ]
    for text in ("secrets", "get", "get  secrets", "Get secrets", "get secrets;", ""):
        with pytest.raises(ScanError, match="is no right"):
            read_rights([text])


def test_a_trial_pod_has_a_name_of_its_own_and_ends_by_itself() -> None:
    pods = [
        trial_pod(kind, "busybox:1", ["sleep", "600"], "IfNotPresent", ["pull"]) for kind in (GOOD, GOOD, BAD)
    ]
    assert len({pod["metadata"]["name"] for pod in pods}) == 3
    for pod in pods:
        assert pod["spec"]["activeDeadlineSeconds"] == 600 and not pod["spec"]["automountServiceAccountToken"]
        assert pod["spec"]["imagePullSecrets"] == [{"name": "pull"}]


def test_the_lines_say_what_to_do_and_hold_no_control_characters() -> None:
    lines = check_lines(
        "x\x1b[1A", [Check.passed("reach", "well"), Check.failed("image", "no\x1b[2J\nway", "pull it")]
    )
    assert lines[0] == "HEALTH of x\\x1b[1A: 1 of 2 checks failed"
    assert not any("\x1b" in line or "\n" in line for line in lines)
    assert any("what to do: pull it" in line for line in lines)


@pytest.fixture
def health(server: FakeApiServer) -> TaskRunner:
    return TaskRunner(server, run_scan_health, scan_health_spec)


def profiles() -> list[dict[str, Any]]:
    return [profile.as_dict() for profile in chosen_profiles(["workload-baseline"], {})]


def statuses(result: dict[str, Any]) -> dict[str, str]:
    return {one["check"]: one["status"] for one in result["checks"]}


def test_a_credential_that_is_allowed_everything_fails_limits_and_check_mode_makes_nothing(
    health: TaskRunner, server: FakeApiServer
) -> None:
    before = server.objects.paths()
    result = health(check_mode=True, namespaces=["shop"], approach="exec", compiled_profiles=profiles())
    assert result["failed"] and result["error"]["reason"] == "unhealthy" and not result["healthy"]
    assert statuses(result) == {
        "reach": "passed",
        "rights": "passed",
        "limits": "failed",
        "access": "skipped",
        "image": "skipped",
        "canaries": "skipped",
        "leftovers": "passed",
    }
    assert server.objects.paths() == before


def test_one_check_that_fails_does_not_keep_the_others_from_being_made(
    health: TaskRunner, server: FakeApiServer
) -> None:
    def review(user: str, spec: Mapping[str, Any]) -> bool:
        asked = spec.get("resourceAttributes") or {}
        return asked.get("resource") not in ("*", "users", "secrets", "clusterroles", "clusterrolebindings")

    server.objects.review = review
    server.faults.append(Fault("status", "GET /api(s/.*)?/v1/serviceaccounts", status=403))
    result = health(check_mode=True, namespaces=["*"], approach="exec", compiled_profiles=profiles())
    found = statuses(result)
    assert found["limits"] == "passed" and found["leftovers"] == "failed"
    assert [one for one in health.warnings if "become cluster-admin, unless the guard holds it" in one]


@pytest.mark.parametrize(
    "more", [{"namespaces": ["shop"]}, {"namespaces": ["shop", "web"], "allow_empty": True}]
)
def test_what_cannot_be_listed_passes_no_check(
    health: TaskRunner, server: FakeApiServer, more: dict[str, Any]
) -> None:
    server.faults.append(Fault("status", "GET /api/v1/(namespaces/shop/)?pods", status=500, times=99))
    result = health(check_mode=True, approach="exec", compiled_profiles=profiles(), denied_rights=[], **more)
    found = statuses(result)
    assert (found["rights"], found["leftovers"], found["limits"]) == ("failed", "skipped", "skipped")
    assert result["leftovers"] == {} and not result["healthy"]


def test_a_server_cannot_write_into_the_lines_of_a_check() -> None:
    for check in (Check.passed("reach", "v1\x1b[2J\nx"), Check.skipped("image", "v1\x1b[2J\nx")):
        assert check.text == "v1\\x1b[2J x"


def test_where_nobody_answers_the_other_checks_are_skipped(health: TaskRunner, server: FakeApiServer) -> None:
    server.faults.append(Fault("status", "GET /version", status=401))
    result = health(namespaces=["shop"], compiled_profiles=profiles())
    assert list(statuses(result).values()) == ["failed"] + ["skipped"] * 6


@pytest.mark.parametrize(
    "changes",
    [
        {"canary_image": "x"},
        {
            "canary_image": "x",
            "canary_namespace": "c",
            "canary_good_selectors": ["a"],
            "canary_bad_selectors": ["b"],
        },
        {"canary_good_selectors": ["a"], "canary_namespace": "c"},
        {"canary_controls": []},
        {"canary_timeout": 0},
        {"denied_rights": ["secrets"]},
    ],
)
def test_options_that_make_no_sense_are_refused_before_the_cluster_is_asked(
    health: TaskRunner, server: FakeApiServer, changes: dict[str, Any]
) -> None:
    with pytest.raises(ScanError) as caught:
        health(namespaces=["shop"], compiled_profiles=profiles(), **changes)
    assert caught.value.reason == "bad_option" and server.requests == []
