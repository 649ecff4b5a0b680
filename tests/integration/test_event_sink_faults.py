# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sinks of events over 1,000 containers with 5 % injected faults and a kill -9 in the middle.

Nothing is lost, and nothing is there twice where the system can tell. Splunk and OTLP cannot: what they have twice has the same
key, and is no more than the batches whose answer did not come.
"""

from __future__ import annotations

import pathlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.support.elastic_double import API_KEY, ElasticDouble
from ansible_collections.securescan.kubernetes.tests.support.https_server import (
    Answer,
    FakeHttpsServer,
    Received,
)
from ansible_collections.securescan.kubernetes.tests.support.pushes import (
    CUT_AFTER,
    TIMED_OUT,
    Faults,
    push_and_kill,
    wide_run,
)
from ansible_collections.securescan.kubernetes.tests.support.security_hub_double import (
    ACCOUNT,
    KEY,
    REGION,
    SecurityHubDouble,
)
from ansible_collections.securescan.kubernetes.tests.support.splunk_double import TOKEN, SplunkDouble

PLACES, FINDINGS, BATCH = 1000, 3000, 50


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def https_server(authority: Authority) -> Iterator[FakeHttpsServer]:
    with FakeHttpsServer(authority) as running:
        yield running


class OtlpDouble:
    """Keeps the keys of the records that it takes."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def __call__(self, request: Received) -> Answer:
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

        message = ExportLogsServiceRequest.FromString(request.body)
        for resource in message.resource_logs:
            for record in resource.scope_logs[0].log_records:
                self.keys += [
                    one.value.string_value for one in record.attributes if one.key == "securescan.key"
                ]
        return Answer(body=b"")


@pytest.mark.parametrize("system", ["elastic", "securityhub", "splunk", "otlp"])
def test_a_thousand_containers_arrive_through_faults_and_a_kill(
    system: str, tmp_path: pathlib.Path, https_server: Any, authority: Authority
) -> None:
    run = wide_run(tmp_path, PLACES)
    double: Any = {
        "elastic": ElasticDouble,
        "securityhub": SecurityHubDouble,
        "splunk": SplunkDouble,
        "otlp": OtlpDouble,
    }[system]()

    def there() -> list[str]:
        """The keys or fingerprints of what the system has, as often as it has them."""
        if system == "elastic":
            return [mark for _index, mark in double.documents]
        if system == "securityhub":
            return list(double.findings)
        return double.keys if system == "otlp" else [one["fields"]["securescan_key"] for one in double.events]

    faults = Faults(share=0.05, seconds=1.2)
    https_server.answer = faults.around(double)
    own = {
        "elastic": {"token": API_KEY},
        "securityhub": {"username": KEY, "password": "secret-key", "region": REGION, "account": ACCOUNT},
        "splunk": {"token": TOKEN},
        "otlp": {"token": "collector-token"},
    }[system]
    params = {
        "system": system,
        "run_dir": run.folder,
        "url": https_server.url,
        "ca_cert": str(authority.ca),
        "batch_items": BATCH,
        "retries": 20,
        **own,
    }

    ended = push_and_kill(params, kill_when=lambda: len(there()) >= FINDINGS // 3)

    counted = Counter(there())
    twice = sum(counted.values()) - len(counted)
    assert ended.kills == 1 and faults.count > 0
    assert len(counted) == FINDINGS
    if system in ("elastic", "securityhub"):
        assert twice == 0
    else:
        unanswered = sum(kind in (CUT_AFTER, TIMED_OUT) for kind in faults.happened)
        if system == "splunk":  # a question about an acknowledgement can be cut too
            unanswered = faults.count
        assert twice <= BATCH * (unanswered + ended.kills)
