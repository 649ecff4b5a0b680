# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebooks by the real ansible-rulebook: real Kafka, NATS and PostgreSQL ask for scans of the real cluster, and what
happens in it does. The rulebook for HTTP and alerts is in tests/integration/test_rulebook.py."""

from __future__ import annotations

import asyncio
import contextlib
import json
import pathlib
import ssl
import subprocess
import uuid
from collections.abc import Iterator
from typing import Any

import nats
import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.deadline_policy import (
    DeadlinePolicy,
)
from ansible_collections.securescan.kubernetes.tests.environment.debian_unpacked import unpacked
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.support.free_port import free_port
from ansible_collections.securescan.kubernetes.tests.support.kafka_server import PASSWORD, USER, kafka_server
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import (
    MANIFEST,
    NAMESPACE,
    make_operator,
)
from ansible_collections.securescan.kubernetes.tests.support.postgresql_server import postgresql_server
from ansible_collections.securescan.kubernetes.tests.support.real_systems import SECTIONS, shown
from ansible_collections.securescan.kubernetes.tests.support.rulebook_process import (
    CLUSTER,
    SECONDS,
    RequestFolder,
    rulebook,
    rulebook_version,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_results import make_target
from ansible_collections.securescan.kubernetes.tests.support.served_program import served
from ansible_collections.securescan.kubernetes.tests.support.store_scenarios import make_store
from ansible_collections.securescan.kubernetes.tests.support.stored_runs import Nights
from ansible_collections.securescan.kubernetes.tests.support.waiting import wait_until
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

WISH = {"cluster": CLUSTER, "namespaces": ["shop"], "pods": ["duo"], "because": "a test"}
BEYOND = {"cluster": "prod-us", "namespaces": ["shop"]}


@pytest.fixture
def requests(tmp_path: pathlib.Path) -> RequestFolder:
    return RequestFolder(tmp_path / "own")


def secret_file(requests: RequestFolder, text: str) -> str:
    path = requests.folder / f"secret-{uuid.uuid4().hex[:6]}"
    path.write_text(text + "\n")
    path.chmod(0o600)
    return str(path)


def check_one_scan(requests: RequestFolder, source: str) -> None:
    """Of the pod that was asked for, once; what was not allowed or could not be read asked for nothing."""
    (request,) = requests.ended()
    assert request["source"] == source and request["outcome"] in ("passed", "failed"), request
    assert {target["pod"] for target in requests.run_of(request)["targets"]} == {"duo"}
    assert requests.in_state("queued") == [] and requests.in_state("running") == []


def test_kafka(requests: RequestFolder, operator_kubeconfig: pathlib.Path, tmp_path: pathlib.Path) -> None:
    topic = "securescan-requests"
    with kafka_server(tmp_path) as server:
        login: dict[str, Any] = {
            "bootstrap_servers": server.broker,
            "security_protocol": "SASL_SSL",
            "ssl_cafile": str(server.ca),
            "sasl_mechanism": "PLAIN",
            "sasl_plain_username": USER,
            "sasl_plain_password": PASSWORD,
        }
        admin = KafkaAdminClient(**login)
        admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
        admin.close()
        producer = KafkaProducer(**login)
        for wish in (BEYOND, "no object", {**WISH, "key": "one"}, {**WISH, "key": "one"}):
            producer.send(topic, json.dumps(wish).encode())
        producer.flush()
        producer.close()
        given = {
            "request_clusters": [CLUSTER],
            "kafka_brokers": [server.broker],
            "kafka_topic": topic,
            "kafka_username": USER,
            "kafka_password_file": secret_file(requests, PASSWORD),
            "kafka_sasl_mechanism": "PLAIN",
            "kafka_ca_cert": str(server.ca),
        }
        with rulebook("kafka", requests, operator_kubeconfig, **given):
            check_one_scan(requests, "kafka")
    shown("Kafka", "4.4.0", "a record asks for a scan; the same key again is the same request", SECTIONS[1])


_NATS = """
listen: "127.0.0.1:{port}"
jetstream {{ store_dir: "{folder}/data" }}
tls {{ cert_file: "{certificate}", key_file: "{key}", handshake_first: true }}
authorization {{ users: [ {{ user: asker, password: asker-secret }} ] }}
"""


def test_nats(requests: RequestFolder, operator_kubeconfig: pathlib.Path, tmp_path: pathlib.Path) -> None:
    authority, port = Authority(tmp_path), free_port()
    server = authority.server("localhost")
    config = tmp_path / "nats.conf"
    config.write_text(
        _NATS.format(port=port, folder=tmp_path, certificate=server.certificate, key=server.key)
    )
    program = next((unpacked("nats-server") / "usr").glob("*bin/nats-server"))

    async def publish() -> None:
        client = await nats.connect(
            f"tls://127.0.0.1:{port}",
            tls=ssl.create_default_context(cafile=str(authority.ca)),
            tls_handshake_first=True,
            user="asker",
            password="asker-secret",
        )
        stream = client.jetstream()
        await stream.add_stream(name="SCANS", subjects=["securescan.requests"])
        for wish in (BEYOND, "no object", {**WISH, "key": "one"}, {**WISH, "key": "one"}):
            await stream.publish("securescan.requests", json.dumps(wish).encode())
        await client.close()

    with served([program, "-c", config], port, tmp_path / "log"):
        asyncio.run(publish())
        given = {
            "request_clusters": [CLUSTER],
            "nats_url": f"tls://127.0.0.1:{port}",
            "nats_stream": "SCANS",
            "nats_username": "asker",
            "nats_password_file": secret_file(requests, "asker-secret"),
            "nats_ca_cert": str(authority.ca),
        }
        with rulebook("nats", requests, operator_kubeconfig, **given):
            check_one_scan(requests, "nats")
    version = subprocess.run([program, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
    shown("NATS", version.split("v")[-1].strip(), "a message asks for a scan, once", SECTIONS[1])


def test_postgresql(requests: RequestFolder, operator_kubeconfig: pathlib.Path) -> None:
    with postgresql_server() as server:
        server.run("CREATE ROLE listener LOGIN PASSWORD 'listener-secret'")
        given = {
            "request_clusters": [CLUSTER],
            "postgresql_address": f"postgresql://listener@127.0.0.1:{server.port}/postgres",
            "postgresql_password_file": secret_file(requests, "listener-secret"),
        }

        def listens() -> bool:
            found = server.run("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'")
            return bool(found[0][0])

        with rulebook("notification", requests, operator_kubeconfig, **given):
            wait_until(listens, "the source listens", SECONDS)
            for wish in (BEYOND, "no object", {**WISH, "key": "one"}, {**WISH, "key": "one"}):
                server.run(f"SELECT pg_notify('securescan_requests', '{json.dumps(wish)}')")
            check_one_scan(requests, "postgresql")
        version = str(server.run("SHOW server_version")[0][0]).split()[0]
    shown("PostgreSQL", version, "a NOTIFY asks for a scan, once", SECTIONS[1])


@pytest.fixture(scope="module")
def watcher(cluster, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A kubeconfig with the rights of docs/manifests/watcher-clusterrole.yml."""
    manifest = MANIFEST.with_name("watcher-clusterrole.yml")
    return make_operator(cluster, tmp_path_factory.mktemp("watcher"), "watcher", manifest)


@contextlib.contextmanager
def deployment(cluster) -> Iterator[str]:
    """One of a namespace of its own, which is removed: the sample workload `api` under another name."""
    namespace = f"rollout-{uuid.uuid4().hex[:6]}"
    found = cluster.get("deployment", "api", "-n", "shop")
    found["metadata"] = {"name": "web", "labels": found["metadata"].get("labels", {})}
    found.pop("status", None)
    found["spec"]["replicas"] = 1
    cluster.kubectl("create", "namespace", namespace)
    try:
        account = found["spec"]["template"]["spec"]["serviceAccountName"]
        cluster.kubectl("create", "serviceaccount", account, "-n", namespace)
        cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(found))
        cluster.kubectl("rollout", "status", "deployment/web", "-n", namespace, "--timeout=120s")
        yield namespace
    finally:
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def test_a_rollout(
    requests: RequestFolder, cluster, operator_kubeconfig: pathlib.Path, watcher: pathlib.Path
) -> None:
    """The watcher cannot do more than look at workloads; the scan has the operator's credential."""
    identity = f"--as=system:serviceaccount:{NAMESPACE}:watcher"
    for verb, resource in (
        ("get", "secrets"),
        ("list", "pods"),
        ("create", "pods"),
        ("create", "pods/exec"),
        ("create", "serviceaccounts"),
        ("create", "serviceaccounts/token"),
        ("get", "deployments.apps"),
        ("patch", "deployments.apps"),
        ("create", "rolebindings.rbac.authorization.k8s.io"),
    ):
        done = cluster.kubectl_run("auth", "can-i", verb, resource, "-A", identity)
        assert done.stdout.strip() == "no", (verb, resource)
    with deployment(cluster) as namespace:
        given = {
            "watched_cluster": CLUSTER,
            "watched_kubeconfig": str(watcher),
            "watched_namespaces": [namespace],
        }
        with rulebook("rollout", requests, operator_kubeconfig, **given):
            seen = requests.queue / "seen"
            wait_until(lambda: seen.is_dir() and list(seen.iterdir()), "what is there was seen", SECONDS)
            assert requests.in_state("ended") == requests.in_state("queued") == []
            cluster.kubectl("set", "env", "deployment/web", "RELEASE=2", "-n", namespace)
            (request,) = requests.ended()
    assert request["source"] == "rollouts"
    assert {target["workload"] for target in requests.run_of(request)["targets"]} == {"web"}
    shown("ansible-rulebook", rulebook_version(), "a rollout asks for a scan of its workload", SECTIONS[1])


def test_an_upgrade(
    requests: RequestFolder, cluster, operator_kubeconfig: pathlib.Path, watcher: pathlib.Path
) -> None:
    """A node that runs another kubelet joins: the cluster's health is looked at."""
    name = f"upgraded-{uuid.uuid4().hex[:6]}"
    given = {"watched_cluster": CLUSTER, "watched_kubeconfig": str(watcher), "watched_seconds": 2}
    with rulebook("upgrade", requests, operator_kubeconfig, **given):
        seen = requests.queue / "seen"
        wait_until(lambda: seen.is_dir() and list(seen.iterdir()), "what is there was seen", SECONDS)
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}
        cluster.kubectl("create", "-f", "-", stdin=json.dumps(node))
        try:
            info = cluster.get("nodes")["items"][0]["status"]["nodeInfo"]
            patch = {"status": {"nodeInfo": {**info, "kubeletVersion": "v9.99.0"}}}
            cluster.kubectl("patch", "node", name, "--subresource=status", "-p", json.dumps(patch))
            (request,) = requests.ended()
        finally:
            cluster.kubectl("delete", "node", name)
    assert request["request"]["action"] == "health" and "v9.99.0" in request["request"]["because"]
    shown(
        "ansible-rulebook",
        rulebook_version(),
        "other software on a node asks for a look at the health",
        SECTIONS[1],
    )


def test_what_is_overdue(
    requests: RequestFolder, operator_kubeconfig: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """The store knows a scan of a pod that is weeks old, and a deadline of an hour."""
    requests.queue.parent.chmod(0o700)
    address = str(requests.folder / "store.db")
    store = make_store(address)
    store.set_deadlines(DeadlinePolicy.of_mapping({"default": {"scan_every_hours": 1}}))
    duo = make_target("duo", "web", cluster=CLUSTER, workload_kind="Pod", workload="duo")
    store.ingest_run(Nights(tmp_path / "nights", CLUSTER).scan(0, {duo: {}}))
    store.close()
    given = {"request_clusters": [CLUSTER], "store_address": address}
    with rulebook("overdue", requests, operator_kubeconfig, **given):
        check_one_scan(requests, "overdue")
    shown("ansible-rulebook", rulebook_version(), "a place that is overdue asks for its scan", SECTIONS[1])
