# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sink for stores of objects against versitygw, which checks signatures, conditions, checksums and object lock."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.exceptions
import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.item import ALREADY_THERE, Item
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.s3 import S3_SINK
from ansible_collections.securescan.kubernetes.tests.environment.go_program import built
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.support.cutting_proxy import CuttingProxy
from ansible_collections.securescan.kubernetes.tests.support.free_port import free_port
from ansible_collections.securescan.kubernetes.tests.support.pushes import push_and_kill, wide_run
from ansible_collections.securescan.kubernetes.tests.support.real_systems import shown
from ansible_collections.securescan.kubernetes.tests.support.sample_run import write_sample_run
from ansible_collections.securescan.kubernetes.tests.support.served_program import served
from ansible_collections.securescan.kubernetes.tests.support.sink_items import make_sink

ACCESS, SECRET = "scanner-access", "scanner-secret-key"


@dataclass(frozen=True)
class Store:
    url: str
    ca: pathlib.Path
    client: Any

    def sink(self, bucket: str, own: dict[str, Any] | None = None, **common: Any) -> Any:
        given = {"bucket": bucket, "access_key": ACCESS, "secret_key": SECRET, **(own or {})}
        return make_sink(S3_SINK, given, **{"url": self.url, "ca_cert": str(self.ca), **common})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("s3")
    for name in ("objects", "versions"):
        (folder / name).mkdir()
    authority, port = Authority(folder), free_port()
    shown = authority.server("localhost")
    command = [built("versitygw"), "--port", f"127.0.0.1:{port}", "--cert", shown.certificate, "--key", shown.key,
               "posix", "--versioning-dir", folder / "versions", folder / "objects"]  # fmt: skip
    environment = {**os.environ, "ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET}
    with served(command, port, folder / "log", environment):
        url = f"https://127.0.0.1:{port}"
        client = boto3.client(
            "s3", endpoint_url=url, verify=str(authority.ca), region_name="us-east-1",
            aws_access_key_id=ACCESS, aws_secret_access_key=SECRET,
        )  # fmt: skip
        client.create_bucket(Bucket="plain")
        client.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
        yield Store(url, authority.ca, client)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_sample_run(tmp_path_factory.mktemp("run"))


def _items(sink: Any, run: Run) -> list[Item]:
    """The items as the outbox gives them to be sent: with their bodies."""
    made = sink.items(SimpleNamespace(run=run))
    return [dataclasses.replace(one, body=(pathlib.Path(run.folder) / one.path).read_bytes()) for one in made]


def test_a_run_is_written_once_and_the_same_again_is_the_same(store: Store, run: Run) -> None:
    sink = store.sink("plain", {"prefix": "evidence/2026"})
    items = _items(sink, run)
    assert items[-1].path == "summary.json" and len(items) > len(run.targets) - 4
    assert sink.send(items) == [None] * len(items)
    again = store.sink("plain", {"prefix": "evidence/2026"})
    assert again.send(_items(again, run)) == [ALREADY_THERE] * len(items)
    listed = store.client.list_objects_v2(Bucket="plain", Prefix="evidence/2026/")["Contents"]
    assert sorted(one["Key"] for one in listed) == sorted(one.subject for one in items)
    assert f"evidence/2026/{run.cluster}/{run.run_id}/summary.json" == items[-1].subject
    for item in items:
        found = store.client.get_object(Bucket="plain", Key=item.subject)
        assert found["Body"].read() == item.body
        assert found["Metadata"]["sha256"] == item.sha256


def test_another_content_never_replaces_evidence(store: Store, run: Run) -> None:
    sink = store.sink("plain", {"prefix": "once"})
    item = _items(sink, run)[0]
    assert sink.send([item]) == [None]
    forged = dataclasses.replace(item, body=b"{}", key="0" * 32)
    (outcome,) = sink.send([forged])
    assert outcome.reason == "object_differs"
    assert store.client.get_object(Bucket="plain", Key=item.subject)["Body"].read() == item.body


def test_a_locked_object_stays_even_for_the_owner_of_the_store(store: Store, run: Run) -> None:
    sink = store.sink("locked", {"object_lock": "compliance", "retain_days": 30})
    item = _items(sink, run)[0]
    assert sink.send([item]) == [None]
    head = store.client.head_object(Bucket="locked", Key=item.subject)
    assert head["ObjectLockMode"] == "COMPLIANCE"
    with pytest.raises(botocore.exceptions.ClientError):
        store.client.delete_object(Bucket="locked", Key=item.subject, VersionId=head["VersionId"])


def test_a_store_that_does_not_lock_is_told(store: Store, run: Run) -> None:
    sink = store.sink("plain", {"prefix": "lock", "object_lock": "governance", "retain_days": 1})
    item = _items(sink, run)[0]
    try:
        outcome = sink.send([item])[0].to_json()
    except ScanError as error:
        outcome = error.record()
    assert outcome["reason"] in ("object_not_locked", "invalid_request"), outcome


def test_a_large_file_goes_in_parts_and_once(store: Store) -> None:
    body = os.urandom(17 * 1024 * 1024)
    item = Item("a" * 32, "large/one", "run-1", body=body)
    sink = store.sink("plain")
    assert sink.send([item]) == [None]
    assert sink.requests == 1 + 3 + 1 + 1
    assert sink.send([item]) == [ALREADY_THERE]
    assert store.client.get_object(Bucket="plain", Key="large/one")["Body"].read() == body
    (other,) = sink.send([dataclasses.replace(item, body=body + b"x")])
    assert other.reason == "object_differs"
    assert not store.client.list_multipart_uploads(Bucket="plain").get("Uploads")


@pytest.mark.parametrize(
    ("bucket", "own", "common", "reason"),
    [
        ("plain", {"secret_key": "another-secret"}, {}, "not_authenticated"),
        ("plain", {"access_key": "nobody"}, {}, "not_authenticated"),
        ("nowhere", {}, {}, "not_found"),
        ("plain", {}, {"ca_cert": ""}, "tls_failed"),
        ("plain", {}, {"url": "https://127.0.0.1:1"}, "unreachable"),
    ],
    ids=["secret", "key", "bucket", "certificate", "port"],
)
def test_a_refusal_says_its_cause(
    bucket: str, own: dict[str, Any], common: dict[str, Any], reason: str, store: Store, run: Run
) -> None:
    sink = store.sink(bucket, own, **common)
    with pytest.raises(ScanError) as caught:
        sink.send(_items(sink, run)[:1])
    assert caught.value.reason == reason, caught.value
    assert "secret-key" not in str(caught.value) and "another-secret" not in str(caught.value)


def test_a_run_arrives_once_over_connections_that_break_and_a_push_that_is_killed(
    store: Store, tmp_path: pathlib.Path
) -> None:
    run = wide_run(tmp_path, 200)

    def objects() -> dict[str, Any]:
        pages = store.client.get_paginator("list_object_versions").paginate(Bucket="plain", Prefix="wide/")
        return {one["Key"]: one for page in pages for one in page.get("Versions", ())}

    with CuttingProxy(urlsplit(store.url).port or 0, 20_000, 60_000, number=8) as proxy:
        ended = push_and_kill(
            {"system": "s3", "run_dir": run.folder, "url": f"https://127.0.0.1:{proxy.port}", "bucket": "plain", "prefix": "wide",
             "access_key": ACCESS, "secret_key": SECRET, "ca_cert": str(store.ca), "retries": 50, "timeout": 10},
            kill_when=lambda: len(objects()) > 60,
        )  # fmt: skip
    assert proxy.cuts >= 8 and ended.kills == 1
    assert len(objects()) == 201
    shown(
        "versitygw",
        "1.8.0",
        "s3: a run's files, each once, over connections that break and a push that is killed",
    )


def test_options_that_contradict_are_refused_before_anything_is_sent() -> None:
    for own, common in (
        ({"bucket": "Not A Bucket"}, {}),
        ({"bucket": "b-1", "object_lock": "compliance"}, {}),
        ({"bucket": "b-1", "retain_days": 3}, {}),
        ({"bucket": "b-1", "kms_key_id": "x"}, {}),
        ({"bucket": "b-1", "access_key": "x"}, {}),
        ({"bucket": "b-1"}, {"url": "http://127.0.0.1"}),
    ):
        with pytest.raises(ScanError) as caught:
            make_sink(S3_SINK, own, **common)
        assert caught.value.reason == "bad_option"
