# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sinks of events against servers that enforce the contract of their system."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.elastic import ELASTIC
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.item import ALREADY_THERE, Item
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.otlp import OTLP
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.outbox import Outbox
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.securityhub import SECURITYHUB
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.splunk import SPLUNK
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.syslog import SYSLOG
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.told_run import Asked, ToldRun
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.support.all_findings import AllFindings
from ansible_collections.securescan.kubernetes.tests.support.elastic_double import API_KEY, ElasticDouble
from ansible_collections.securescan.kubernetes.tests.support.format_readers.asff import check_findings
from ansible_collections.securescan.kubernetes.tests.support.format_readers.ecs import check_fields
from ansible_collections.securescan.kubernetes.tests.support.https_server import Answer, FakeHttpsServer
from ansible_collections.securescan.kubernetes.tests.support.sample_run import write_sample_run
from ansible_collections.securescan.kubernetes.tests.support.security_hub_double import (
    ACCOUNT,
    KEY,
    REGION,
    SecurityHubDouble,
)
from ansible_collections.securescan.kubernetes.tests.support.sink_items import make_sink
from ansible_collections.securescan.kubernetes.tests.support.splunk_double import TOKEN, SplunkDouble
from ansible_collections.securescan.kubernetes.tests.support.stored_runs import Nights, target

SECRET = "a-secret-of-the-operator"
HUB = {"region": REGION, "account": ACCOUNT}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_sample_run(tmp_path_factory.mktemp("run"))


@pytest.fixture
def ca(authority: Authority) -> str:
    return str(authority.ca)


def _items(sink: Any, run: Run) -> list[Item]:
    return list(sink.items(AllFindings(run)))


def _reasons(outcomes: Any) -> list[Any]:
    return [getattr(one, "reason", one) for one in outcomes]


def test_splunk_gets_each_event_and_acknowledges_it(run, https_server, ca):
    https_server.answer = double = SplunkDouble(acks_after=2)
    sink = make_sink(SPLUNK, url=https_server.url, token=TOKEN, ca_cert=ca)
    items = _items(sink, run)

    assert sink.send(items) == [None] * len(items)

    assert [one["fields"]["securescan_key"] for one in double.events] == [item.key for item in items]
    assert {one["sourcetype"] for one in double.events} == {"securescan:json"}
    assert double.asked == 3


def test_splunk_leaves_out_the_events_that_the_collector_names(run, https_server, ca):
    https_server.answer = double = SplunkDouble()
    sink = make_sink(SPLUNK, url=https_server.url, token=TOKEN, ca_cert=ca)
    items = _items(sink, run)[:5]
    broken = [
        *items[:1],
        Item("k1", "s", "run-1", body=b"{broken"),
        *items[1:],
        Item("k2", "s", "r", body=b"{}"),
    ]

    assert _reasons(sink.send(broken)) == [None, "invalid_request", *[None] * 4, "invalid_request"]
    assert len(double.events) == 5


@pytest.mark.parametrize(
    ("double", "own", "reason"),
    [
        (SplunkDouble(acks_after=-1), {}, "timed_out"),
        (SplunkDouble(busy=1), {}, "server_error"),
        (SplunkDouble(with_ack=False), {}, "bad_option"),
        (SplunkDouble(), {"ack": False}, "bad_option"),
        (SplunkDouble(), {"index": "other"}, "not_permitted"),
    ],
)
def test_splunk_says_what_is_wrong_with_all_of_it(double, own, reason, run, https_server, ca):
    https_server.answer = double
    sink = make_sink(SPLUNK, own, url=https_server.url, token=TOKEN, ca_cert=ca, timeout=0.5)

    with pytest.raises(ScanError) as caught:
        sink.send(_items(sink, run)[:2])

    assert caught.value.reason == reason


def test_splunk_without_acknowledgement(run, https_server, ca):
    https_server.answer = double = SplunkDouble(with_ack=False)
    sink = make_sink(SPLUNK, {"ack": False, "index": "main"}, url=https_server.url, token=TOKEN, ca_cert=ca)

    sink.send(_items(sink, run))

    assert {one["index"] for one in double.events} == {"main"}


def test_splunk_gets_what_heimdall_loads(run, https_server, ca):
    https_server.answer = double = SplunkDouble()
    sink = make_sink(SPLUNK, url=https_server.url, token=TOKEN, ca_cert=ca, format="hdf_splunk")

    sink.send(_items(sink, run))

    kinds: dict[str, set[str]] = {}
    for one in double.events:
        kinds.setdefault(one["event"]["meta"]["guid"], set()).add(one["event"]["meta"]["subtype"])
    assert all(found == {"header", "profile", "control"} for found in kinds.values())
    assert {one["sourcetype"] for one in double.events} == {"HDF2Splunk"}


def test_splunk_gets_each_replica_once_in_the_format_of_heimdall(tmp_path, https_server, ca):
    replicas = {
        target("web-1"): {"c-root": "failed", "c-label": "failed"},
        target("web-2"): {"c-shell": "failed"},
    }
    run = Nights(tmp_path).scan(0, replicas)
    sink = make_sink(SPLUNK, url=https_server.url, token=TOKEN, ca_cert=ca, format="hdf_splunk")

    with Outbox(tmp_path / "outboxes", "splunk", "there", "demo") as outbox:
        # three controls, and a header and a profile of each replica
        assert outbox.add_run(run, sink.items(ToldRun(run, outbox, Asked()))) == 7


def test_a_wrong_token_ends_the_push_and_stays_secret(run, https_server, ca):
    https_server.answer = lambda request: Answer(403, request.headers["authorization"].encode())
    sink = make_sink(SPLUNK, url=https_server.url, token=SECRET, ca_cert=ca)

    with pytest.raises(ScanError) as caught:
        sink.send(_items(sink, run)[:1])

    assert caught.value.reason == "not_permitted"
    assert SECRET not in json.dumps(caught.value.record()) and SECRET not in sink.destination


def test_elastic_gets_each_document_once(run, https_server, ca):
    https_server.answer = double = ElasticDouble()
    sink = make_sink(ELASTIC, url=https_server.url, token=API_KEY, ca_cert=ca)
    items = _items(sink, run)

    assert sink.send(items) == [None] * len(items)
    assert sink.send(items) == [ALREADY_THERE] * len(items)

    assert len(double.documents) == len(items)
    for (index, _mark), document in double.documents.items():
        assert index == "logs-securescan.compliance-default"
        check_fields(document)


def test_elastic_says_of_each_document_what_became_of_it(run, https_server, ca):
    sink = make_sink(ELASTIC, url=https_server.url, token=API_KEY, ca_cert=ca)
    items = _items(sink, run)[:4]
    https_server.answer = ElasticDouble(busy=1, refuse=frozenset({items[2].key}))

    assert _reasons(sink.send(items)) == ["throttled", None, "invalid_request", None]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[]", "bad_reply"),
        (b"{", "bad_reply"),
        (b'{"items":[]}', "bad_reply"),
        (b'{"items":[{"create":{"_id":"another","status":201}}]}', "bad_reply"),
        (b'{"items":[{"create":{}}]}', "bad_reply"),
    ],
)
def test_elastic_takes_no_answer_for_a_yes_that_is_none(body, reason, run, https_server, ca):
    https_server.answer = lambda _request: Answer(body=body)
    sink = make_sink(ELASTIC, url=https_server.url, token=API_KEY, ca_cert=ca)

    with pytest.raises(ScanError) as caught:
        sink.send(_items(sink, run)[:1])

    assert caught.value.reason == reason


@pytest.mark.parametrize("name", ["json", "ocsf"])
def test_a_data_stream_gets_its_timestamp_in_each_format(name, run, https_server, ca):
    https_server.answer = double = ElasticDouble()
    sink = make_sink(
        ELASTIC, {"index": "scans"}, url=https_server.url, token=API_KEY, ca_cert=ca, format=name
    )

    assert not any(sink.send(_items(sink, run)))
    assert all(document["@timestamp"].endswith("Z") for document in double.documents.values())


def test_otlp_records_say_where_and_what(run, https_server, ca):
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    https_server.answer = lambda _request: Answer(body=b"")
    sink = make_sink(OTLP, url=https_server.url, token=SECRET, ca_cert=ca)
    items = _items(sink, run)

    assert sink.send(items) == [None] * len(items)

    (request,) = https_server.received
    assert request.path == "/v1/logs" and request.headers["content-type"] == "application/x-protobuf"
    message = ExportLogsServiceRequest.FromString(request.body)
    records = [record for one in message.resource_logs for record in one.scope_logs[0].log_records]
    attributes = [{one.key: one.value.string_value for one in record.attributes} for record in records]
    assert [one["securescan.key"] for one in attributes] == [item.key for item in items]
    assert {"shop"} == {one["k8s.namespace.name"] for one in attributes}
    assert all(json.loads(record.body.string_value)["fingerprint"] for record in records)


def test_otlp_takes_a_part_that_is_not_named_for_nothing(run, https_server, ca):
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
        ExportLogsPartialSuccess,
        ExportLogsServiceResponse,
    )

    partial = ExportLogsPartialSuccess(rejected_log_records=1, error_message=f"too large \x1b[31m {SECRET}")
    answer = ExportLogsServiceResponse(partial_success=partial).SerializeToString()
    https_server.answer = lambda _request: Answer(body=answer)
    sink = make_sink(OTLP, url=https_server.url, token=SECRET, ca_cert=ca)

    outcomes = sink.send(_items(sink, run)[:3])

    assert _reasons(outcomes) == ["invalid_request"] * 3
    assert SECRET not in outcomes[0].message and "\x1b" not in outcomes[0].message


def test_security_hub_gets_valid_findings_of_its_account(run, https_server, ca):
    https_server.answer = double = SecurityHubDouble()
    sink = _hub(https_server, ca)
    items = _items(sink, run)

    assert sink.send(items) == [None] * len(items)

    check_findings(list(double.findings.values()))
    assert double.findings.keys() == {item.fingerprint for item in items}
    assert {one["AwsAccountId"] for one in double.findings.values()} == {ACCOUNT}


def test_security_hub_says_which_findings_it_does_not_import(run, https_server, ca):
    sink = _hub(https_server, ca)
    items = _items(sink, run)[:3]
    https_server.answer = double = SecurityHubDouble(refuse=frozenset({items[1].fingerprint}))

    assert _reasons(sink.send(items)) == [None, "invalid_request", None]
    assert len(double.findings) == 2


def test_two_states_of_a_finding_go_into_two_requests(run, https_server, ca):
    https_server.answer = double = SecurityHubDouble()
    sink = _hub(https_server, ca)
    first = _items(sink, run)[:2]

    assert sink.send([*first, first[0]]) == [None] * 3
    assert double.imports == 2


@pytest.mark.parametrize(
    ("double", "key", "reason"),
    [
        (SecurityHubDouble(throttle=1), KEY, "throttled"),
        (SecurityHubDouble(), "AKIAANOTHER0000000", "not_authenticated"),
        (lambda _request: Answer(500, b"<html>"), KEY, "server_error"),
        (lambda _request: Answer(raw=b"x"), KEY, "connection_lost"),
    ],
)
def test_security_hub_is_tried_once_and_says_why_not(double, key, reason, run, https_server, ca):
    https_server.answer = double
    sink = _hub(https_server, ca, key)

    with pytest.raises(ScanError) as caught:
        sink.send(_items(sink, run)[:1])

    assert caught.value.reason == reason
    assert len(https_server.received) == 1 and SECRET not in json.dumps(caught.value.record())


def _hub(server: FakeHttpsServer, ca: str, key: str = KEY) -> Any:
    return make_sink(SECURITYHUB, HUB, url=server.url, username=key, password=SECRET, ca_cert=ca)


@pytest.mark.parametrize(
    ("kind", "own", "common", "said"),
    [
        (SPLUNK, {}, {"url": "https://h"}, "token"),
        (SPLUNK, {"channel": "one"}, {"url": "https://h", "token": "t"}, "channel"),
        (SPLUNK, {}, {"url": "http://h", "token": "t"}, "https"),
        (ELASTIC, {"index": "../x"}, {"url": "https://h"}, "index"),
        (ELASTIC, {}, {"url": "https://h", "token": "t", "username": "u"}, "token"),
        (ELASTIC, {}, {"url": "https://h", "format": "xml"}, "format"),
        (OTLP, {}, {}, "url"),
        (SYSLOG, {}, {"url": "udp://h:514"}, "tls://"),
        (SYSLOG, {"facility": "mail"}, {"url": "tls://h"}, "facility"),
        (SYSLOG, {"max_message": 100}, {"url": "tls://h"}, "max_message"),
        (SECURITYHUB, {"account": ACCOUNT}, {}, "region"),
        (SECURITYHUB, {"region": REGION, "account": "1"}, {}, "account"),
        (SECURITYHUB, {**HUB, "product_arn": "x"}, {}, "product_arn"),
        (SECURITYHUB, HUB, {"username": KEY}, "password"),
    ],
)
def test_options_that_cannot_be_used_are_refused_by_name(kind, own, common, said):
    with pytest.raises(ScanError) as caught:
        make_sink(kind, own, **common)

    assert caught.value.reason == "bad_option" and said in caught.value.message + caught.value.tried


def test_no_sink_asks_anybody_before_it_sends(run: Run, tmp_path: pathlib.Path):
    nowhere = "https://127.0.0.1:1"
    for kind, own, common in (
        (SPLUNK, {}, {"token": "t"}),
        (ELASTIC, {}, {}),
        (OTLP, {}, {}),
        (SECURITYHUB, HUB, {"username": KEY, "password": SECRET}),
        (SYSLOG, {}, {"url": "tls://127.0.0.1:1"}),
    ):
        sink = make_sink(kind, own, **{"url": nowhere, **common})
        items = _items(sink, run)
        assert len({item.key for item in items}) == len(items)
        assert sink.requests == 0
        with pytest.raises(ScanError) as caught:
            sink.send(items[:1])
        assert caught.value.reason == "unreachable"
