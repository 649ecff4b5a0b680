# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sinks of events against real receivers: rsyslog by mutual TLS, VictoriaLogs as collector, `_bulk`, OTLP and syslog."""

from __future__ import annotations

import json
import pathlib
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.elastic import ELASTIC
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.otlp import OTLP
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.splunk import SPLUNK
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.syslog import SYSLOG
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.support.all_findings import AllFindings
from ansible_collections.securescan.kubernetes.tests.support.pushes import push_and_kill, wide_run
from ansible_collections.securescan.kubernetes.tests.support.real_systems import shown
from ansible_collections.securescan.kubernetes.tests.support.rsyslog_server import Rsyslog, rsyslog
from ansible_collections.securescan.kubernetes.tests.support.sample_run import write_sample_run
from ansible_collections.securescan.kubernetes.tests.support.sink_items import make_sink
from ansible_collections.securescan.kubernetes.tests.support.victoria_logs import (
    VictoriaLogs,
    victoria_logs,
)
from ansible_collections.securescan.kubernetes.tests.support.waiting import wait_until

RSYSLOG, VICTORIA_LOGS = "8.2302", "1.52.1"
_KEY = re.compile(r'key="([0-9a-f]{32})"')


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_sample_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Rsyslog]:
    with rsyslog(tmp_path_factory.mktemp("rsyslog"), authority) as running:
        yield running


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[VictoriaLogs]:
    with victoria_logs(tmp_path_factory.mktemp("logs"), authority) as running:
        yield running


def _tls(authority: Authority, port: int, **more: Any) -> dict[str, Any]:
    certificate = authority.client("scanner")
    return {
        "url": f"tls://127.0.0.1:{port}",
        "ca_cert": str(authority.ca),
        "client_cert": str(certificate.certificate),
        "client_key": str(certificate.key),
        "timeout": 60.0,
        **more,
    }


@pytest.mark.parametrize("form", ["json", "ocsf", "cef"])
def test_rsyslog_understands_each_message(
    form: str, run: Run, receiver: Rsyslog, authority: Authority
) -> None:
    sink = make_sink(SYSLOG, {"facility": "audit"}, **_tls(authority, receiver.port, format=form))
    items = list(sink.items(AllFindings(run)))
    before = len(receiver.messages())

    assert sink.send(items) == [None] * len(items)

    wait_until(lambda: len(receiver.messages()) == before + len(items), "rsyslog to write all messages")
    messages = receiver.messages()[before:]
    assert [_KEY.search(one["structured-data"])[1] for one in messages] == [item.key for item in items]
    assert {(one["app-name"], one["syslogfacility"], one["msgid"]) for one in messages} == {
        ("securescan", "13", "finding-created")
    }
    for message in messages:
        text = message["msg"].strip()
        if form == "cef":
            assert text.startswith("CEF:0|securescan|kubernetes|")
        else:
            assert json.loads(text)
        assert "\n" not in text and "\x1b" not in text
        assert message["structured-data"].startswith("[securescan@32473 ") and message[
            "structured-data"
        ].endswith('"]')
    shown(
        "rsyslog",
        RSYSLOG,
        f"syslog: RFC 5424 over mutual TLS, {form}: header, structured data and message as sent",
    )


def test_rsyslog_refuses_a_sink_without_its_certificate(
    run: Run, receiver: Rsyslog, authority: Authority
) -> None:
    tls = {**_tls(authority, receiver.port), "client_cert": "", "client_key": "", "timeout": 5.0}
    sink = make_sink(SYSLOG, **tls)
    items = list(sink.items(AllFindings(run)))
    before = len(receiver.messages())

    with pytest.raises(ScanError) as caught:
        sink.send(items)

    assert caught.value.reason in ("connection_lost", "tls_failed", "unreachable", "timed_out")
    assert len(receiver.messages()) == before
    shown("rsyslog", RSYSLOG, "syslog: a sink without its client certificate is refused, and knows it")


def test_a_push_to_rsyslog_that_was_killed_goes_on(
    tmp_path: pathlib.Path, receiver: Rsyslog, authority: Authority
) -> None:
    run = wide_run(tmp_path, 1000)
    before = len(receiver.messages())

    ended = push_and_kill(
        {"system": "syslog", "run_dir": run.folder, "batch_items": 50, **_tls(authority, receiver.port)},
        kill_when=lambda: len(receiver.messages()) > before + 1000,
    )

    keys = Counter(_KEY.search(one["structured-data"])[1] for one in receiver.messages()[before:])
    assert ended.kills == 1
    assert len(keys) == 3000
    # syslog acknowledges nothing: at most the batch that was under way came twice, with the same keys
    assert sum(keys.values()) <= 3050
    shown(
        "rsyslog",
        RSYSLOG,
        "syslog: 3,000 messages through a kill -9, none lost; only the batch under way can come twice",
    )


@pytest.mark.parametrize("name", ["elastic", "splunk", "otlp", "syslog"])
def test_victoria_logs_gives_back_what_each_sink_sent(
    name: str, run: Run, logs: VictoriaLogs, authority: Authority, tmp_path: pathlib.Path
) -> None:
    ca = str(authority.ca)
    kind, own, common, mark = {
        "elastic": (
            ELASTIC,
            {"index": "scans"},
            {"url": f"{logs.url}/insert/elasticsearch"},
            "securescan.fingerprint",
        ),
        "splunk": (
            SPLUNK,
            {"ack": False},
            {"url": f"{logs.url}/insert/splunk", "token": "t"},
            "event.fingerprint",
        ),
        "otlp": (OTLP, {}, {"url": f"{logs.url}/insert/opentelemetry"}, "securescan.key"),
        "syslog": (SYSLOG, {}, {"url": f"tls://127.0.0.1:{logs.syslog_port}"}, "securescan@32473.key"),
    }[name]
    sink = make_sink(kind, own, ca_cert=ca, **common)
    items = list(sink.items(AllFindings(run)))

    assert sink.send(items) == [None] * len(items)

    def found() -> list[dict[str, Any]]:
        logs.flush()
        return logs.query(f'"{mark}":*')

    wait_until(lambda: len(found()) >= len(items), f"VictoriaLogs to show what {name} sent")
    expected = {item.fingerprint if name in ("elastic", "splunk") else item.key for item in items}
    assert {row[mark] for row in found()} == expected
    shown("VictoriaLogs", VICTORIA_LOGS, f"{name}: everything that was sent is found by a query")
