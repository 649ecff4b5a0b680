# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scan's access on the real cluster: what is made, changed, written and removed."""

from __future__ import annotations

import stat
import threading
import time

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.objects import Grant
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.token import (
    request_token,
    wait_until_effective,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.websocket_exec import (
    exec_in_container,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.support.access_tasks import API, pods_of


def test_objects_are_labelled_owned_and_name_exactly_the_chosen_pods(manage, cluster):
    access = manage(**API)["access"]
    name = access["namespaces"][0]["service_account"]
    account = cluster.get("serviceaccount", name, "-n", "shop")
    role = cluster.get("role", name, "-n", "shop")
    binding = cluster.get("rolebinding", name, "-n", "shop")
    pods = sorted(
        pod["metadata"]["name"]
        for pod in cluster.get("pods", "-n", "shop", "-l", "app.kubernetes.io/name=api")["items"]
    )
    rules = {rule["resources"][0]: rule for rule in role["rules"]}
    assert sorted(rules) == ["pods", "pods/exec"]
    assert sorted(rules["pods/exec"]["verbs"]) == ["create", "get"]
    assert rules["pods"]["verbs"] == ["get"]
    for rule in rules.values():
        assert sorted(rule["resourceNames"]) == pods
    assert account["automountServiceAccountToken"] is False
    for item in (account, role, binding):
        labels = item["metadata"]["labels"]
        assert labels["app.kubernetes.io/managed-by"] == "securescan.kubernetes"
        assert labels["securescan.kubernetes/run-id"] == manage.run_id
        assert labels["securescan.kubernetes/owner"] == "tests-x-y"
        assert labels["securescan.kubernetes/expires"].endswith("Z")
    for item in (role, binding):
        (owner,) = item["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["uid"]) == ("ServiceAccount", account["metadata"]["uid"])


def test_a_second_time_changes_nothing_and_another_selection_changes_the_role(manage):
    assert manage(**API)["changed"] is True
    assert manage(**API)["changed"] is False
    assert manage(label_selectors=["app.kubernetes.io/name=legacy"])["changed"] is True
    assert manage(state="absent")["changed"] is True
    assert manage(state="absent")["changed"] is False


def test_check_mode_shows_the_rules_and_makes_nothing(manage, cluster):
    result = manage(check_mode=True, **API)
    assert result["changed"] is True
    assert "pods/exec" in result["diff"][0]["after"]
    name = result["access"]["namespaces"][0]["service_account"]
    assert cluster.kubectl_run("get", "serviceaccount", name, "-n", "shop").returncode != 0


def test_deleting_the_service_account_alone_takes_the_rest(manage, cluster):
    name = manage(**API)["access"]["namespaces"][0]["service_account"]
    cluster.kubectl("delete", "serviceaccount", name, "-n", "shop")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        left = cluster.kubectl("get", "role,rolebinding", "-n", "shop", "-o", "name")
        if name not in left:
            return
        time.sleep(0.2)
    pytest.fail(f"the garbage collector left {left}")


def test_the_scanner_enters_the_chosen_pods(manage, connection, grantor):
    pods = pods_of(manage(**API)["access"])
    scanner = connection.with_bearer_token(request_token(grantor, manage.run_id, "shop", 600).value)
    wait_until_effective(RestClient(scanner), Grant("shop", pods))
    outcome = exec_in_container(
        scanner, "shop", pods[0].name, "api", ["sh"], b"echo hello; exit 3\n", timeout=60, output_limit=1000
    )
    assert (outcome.exit_code, outcome.stdout) == (3, b"hello\n")


def test_objects_that_are_not_ours_are_never_touched(manage, cluster, left):
    name = f"securescan-{manage.run_id}"
    cluster.kubectl("create", "serviceaccount", name, "-n", "shop")
    try:
        for state in ("present", "absent"):
            with pytest.raises(ScanError) as caught:
                manage(state=state, **API)
            assert "not managed by" in caught.value.message
        assert cluster.get("serviceaccount", name, "-n", "shop")
        assert not left(manage.run_id)
    finally:
        cluster.kubectl("delete", "serviceaccount", name, "-n", "shop")


def test_a_foreign_role_of_our_name_stops_the_access_and_stays(manage, cluster, left):
    name = f"securescan-{manage.run_id}"
    cluster.kubectl("create", "role", name, "-n", "shop", "--verb=get", "--resource=configmaps")
    try:
        with pytest.raises(ScanError) as caught:
            manage(**API)
        assert caught.value.reason == "access_incomplete"
        assert cluster.get("role", name, "-n", "shop")["rules"][0]["resources"] == ["configmaps"]
        assert not left(manage.run_id)
    finally:
        cluster.kubectl("delete", "role", name, "-n", "shop")


def test_what_somebody_changed_is_put_right(manage, cluster):
    manage(**API)
    name = f"securescan-{manage.run_id}"
    cluster.kubectl(
        "patch",
        "role",
        name,
        "-n",
        "shop",
        "--type=json",
        "-p",
        '[{"op": "replace", "path": "/rules/0/verbs", "value": ["get"]}]',
    )
    cluster.kubectl("delete", "rolebinding", name, "-n", "shop")
    cluster.kubectl(
        "create", "rolebinding", name, "-n", "shop", "--clusterrole=view", "--serviceaccount=shop:default"
    )
    cluster.kubectl(
        "label",
        "rolebinding",
        name,
        "-n",
        "shop",
        "app.kubernetes.io/managed-by=securescan.kubernetes",
        "securescan.kubernetes/run-id=" + manage.run_id,
    )
    assert manage(**API)["changed"] is True
    assert cluster.get("role", name, "-n", "shop")["rules"][0]["verbs"] == ["create", "get"]
    assert cluster.get("rolebinding", name, "-n", "shop")["roleRef"]["name"] == name
    assert manage(**API)["changed"] is False


def test_several_namespaces_in_one_call_and_absent_finds_them_all(manage, own_namespace, left):
    other = own_namespace()
    result = manage(namespaces=["shop", other], container_kinds=["container"])
    assert [entry["namespace"] for entry in result["access"]["namespaces"]] == ["shop", other]
    assert len(left(manage.run_id)) == 6
    assert manage(state="absent", namespaces=[])["changed"] is True
    assert not left(manage.run_id)


def test_an_interrupt_removes_what_was_made(manage, left, monkeypatch):
    """The signal comes after the second object of the second namespace."""
    made = []
    create = RestClient.create

    def create_and_stop(self, path, body, query=None):
        answer = create(self, path, body, query)
        made.append(body["kind"])
        if len(made) == 2:
            raise KeyboardInterrupt
        return answer

    monkeypatch.setattr(RestClient, "create", create_and_stop)
    with pytest.raises(KeyboardInterrupt):
        manage(**API)
    monkeypatch.undo()
    assert made == ["ServiceAccount", "Role"]
    assert not left(manage.run_id)


class TestKubeconfigFile:
    def test_it_reaches_what_the_access_reaches_and_only_its_owner_reads_it(self, manage, tmp_path, cluster):
        path = tmp_path / "scanner.kubeconfig"
        seen, stop = set(), threading.Event()
        watcher = threading.Thread(target=watch_modes, args=(tmp_path, seen, stop))
        watcher.start()
        result = manage(scanner_kubeconfig=str(path), **API)
        stop.set()
        watcher.join()
        assert result["scanner_kubeconfig"] == str(path)
        assert "eyJ" not in repr(result)
        assert {mode for _name, mode in seen} <= {0o600}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [item.name for item in tmp_path.iterdir()] == [path.name]
        pod = pods_of(result["access"])[0].name
        scanner = ["--kubeconfig", str(path), "--context", "shop"]
        assert cluster.kubectl(*scanner, "exec", pod, "--", "echo", "hello") == "hello\n"
        assert "cannot list resource" in cluster.kubectl_run(*scanner, "get", "pods").stderr
        connect(ConnectionOptions(kubeconfig=str(path), context="shop"), {})

    def test_it_is_written_once_and_removed_with_the_access(self, manage, tmp_path):
        path = tmp_path / "scanner.kubeconfig"
        assert manage(check_mode=True, scanner_kubeconfig=str(path), **API)["changed"] is True
        assert not path.exists()
        manage(scanner_kubeconfig=str(path), **API)
        content = path.read_bytes()
        assert manage(scanner_kubeconfig=str(path), **API)["changed"] is False
        assert path.read_bytes() == content
        assert manage(scanner_kubeconfig=str(path), lifetime=7200, **API)["changed"] is True
        assert path.read_bytes() != content
        shown = manage(check_mode=True, state="absent", scanner_kubeconfig=str(path))
        assert "eyJ" not in repr(shown)
        assert path.exists()
        assert manage(state="absent", scanner_kubeconfig=str(path))["changed"] is True
        assert not path.exists()
        assert manage(state="absent", scanner_kubeconfig=str(path))["changed"] is False

    def test_another_file_is_not_touched(self, manage, tmp_path, left, operator_kubeconfig):
        precious = tmp_path / "config"
        precious.write_bytes(operator_kubeconfig.read_bytes())
        with pytest.raises(ScanError) as caught:
            manage(scanner_kubeconfig=str(precious), **API)
        assert "not a file that this task wrote" in caught.value.message
        assert not left(manage.run_id)
        result = manage(state="absent", scanner_kubeconfig=str(precious))
        assert precious.read_bytes() == operator_kubeconfig.read_bytes()
        assert "left alone" in result["warnings"][0]

    def test_a_file_that_cannot_be_written_leaves_no_access(self, manage, tmp_path, left, monkeypatch):
        with pytest.raises(ScanError) as caught:
            manage(scanner_kubeconfig=str(tmp_path / "missing" / "file"), **API)
        assert caught.value.reason == "bad_option"
        monkeypatch.setattr("os.fsync", full_disk)
        with pytest.raises(ScanError) as caught:
            manage(scanner_kubeconfig=str(tmp_path / "file"), **API)
        monkeypatch.undo()
        assert caught.value.reason == "write_failed"
        assert not list(tmp_path.iterdir())
        assert not left(manage.run_id)


def full_disk(_descriptor):
    raise OSError(28, "No space left on device")


def watch_modes(folder, seen, stop):
    """Collects the mode of each file that appears in the folder."""
    while not stop.is_set():
        for path in folder.iterdir():
            try:
                seen.add((path.name, stat.S_IMODE(path.stat().st_mode)))
            except FileNotFoundError:
                continue


def test_nothing_matches(manage):
    with pytest.raises(ScanError) as caught:
        manage(label_selectors=["app.kubernetes.io/name=nobody"])
    assert caught.value.reason == "no_targets"


def test_too_short_a_lifetime_is_refused(manage):
    with pytest.raises(ScanError) as caught:
        manage(lifetime=60)
    assert "600" in caught.value.message


def test_too_long_a_lifetime_is_refused(manage):
    with pytest.raises(ScanError) as caught:
        manage(lifetime=10**9)
    assert "86400" in caught.value.message
