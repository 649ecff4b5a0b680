# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sink for Kafka against a real broker, over TLS with names and passwords."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.item import Item
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.kafka import KAFKA
from ansible_collections.securescan.kubernetes.tests.support.kafka_server import (
    PASSWORD,
    TOPIC,
    USER,
    KafkaServer,
    kafka_server,
)
from ansible_collections.securescan.kubernetes.tests.support.real_systems import shown
from ansible_collections.securescan.kubernetes.tests.support.sink_items import finding_items, make_sink
from kafka import KafkaConsumer
from kafka.admin import KafkaAdminClient, NewTopic


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    with kafka_server(tmp_path_factory.mktemp("kafka")) as running:
        admin = KafkaAdminClient(**_as_library(running))
        admin.create_topics([NewTopic(TOPIC, num_partitions=3, replication_factor=1)])
        admin.close()
        yield running


def _as_library(server: KafkaServer) -> dict[str, Any]:
    return {
        "bootstrap_servers": server.broker, "security_protocol": "SASL_SSL", "ssl_cafile": str(server.ca),
        "sasl_mechanism": "PLAIN", "sasl_plain_username": USER, "sasl_plain_password": PASSWORD,
    }  # fmt: skip


def _sink(server: KafkaServer, own: dict[str, Any] | None = None, **common: Any) -> Any:
    given = {"brokers": [server.broker], "sasl_mechanism": "PLAIN", **(own or {})}
    return make_sink(
        KAFKA, given, **{"username": USER, "password": PASSWORD, "ca_cert": str(server.ca), **common}
    )


def test_a_thousand_findings_arrive_by_their_fingerprints(server: KafkaServer) -> None:
    items = finding_items(1000)
    sink = _sink(server)
    assert list(sink.send(items[:500])) == [None] * 500
    assert list(sink.send(items[500:])) == [None] * 500
    sink.close()
    consumer = KafkaConsumer(
        TOPIC, **_as_library(server), auto_offset_reset="earliest", consumer_timeout_ms=5000
    )
    records = []
    for record in consumer:
        records.append(record)
        if len(records) == len(items):
            break
    consumer.close()
    assert {record.key.decode() for record in records} == {item.fingerprint for item in items}
    assert len({dict(record.headers)["securescan-key"] for record in records}) == 1000
    assert json.loads(records[0].value)["text"] == "x" * 200
    shown("Kafka", "4.4.0", "kafka: 1,000 findings by their fingerprints, over TLS with a login")


def test_one_record_that_is_too_large_costs_no_other(server: KafkaServer) -> None:
    large = Item("f" * 32, "large", "run-1", body=b"x" * 1_100_000, fingerprint="f" * 64)
    sink = _sink(server)
    first, refused, last = sink.send([finding_items(1)[0], large, finding_items(2)[1]])
    sink.close()
    assert first is None and last is None and refused.reason == "invalid_request"


@pytest.mark.parametrize(
    ("own", "common", "reasons"),
    [
        # the library does not always see why the broker has ended the connection
        ({}, {"password": "wrong-secret"}, {"not_authenticated", "unreachable"}),
        ({}, {"username": "other", "password": "other-password"}, {"not_permitted", "not_found"}),
        ({"topic": "nowhere"}, {}, {"not_found", "timed_out"}),
        ({}, {"ca_cert": ""}, {"tls_failed", "unreachable"}),
        ({"brokers": ["127.0.0.1:1"]}, {}, {"unreachable", "timed_out"}),
    ],
    ids=["password", "rights", "topic", "certificate", "port"],
)
def test_a_refusal_says_its_cause(
    own: dict[str, Any], common: dict[str, Any], reasons: set[str], server: KafkaServer
) -> None:
    sink = _sink(server, own, timeout=5.0, **common)
    with pytest.raises(ScanError) as caught:
        outcome = sink.send(finding_items(1))[0]
        raise ScanError(outcome.reason, outcome.message)
    sink.close()
    assert caught.value.reason in reasons, caught.value
    assert "secret" not in str(caught.value)
