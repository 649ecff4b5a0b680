# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sink elastic against OpenSearch: a data stream, conflicts, refusals of single documents, faults and a kill -9."""

from __future__ import annotations

import itertools
import pathlib
from collections.abc import Iterator

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.elastic import ELASTIC
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.item import ALREADY_THERE, Item
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.real.opensearch_server import (
    VERSION,
    OpenSearch,
    opensearch,
)
from ansible_collections.securescan.kubernetes.tests.support.all_findings import AllFindings
from ansible_collections.securescan.kubernetes.tests.support.pushes import push_and_kill, wide_run
from ansible_collections.securescan.kubernetes.tests.support.real_systems import shown
from ansible_collections.securescan.kubernetes.tests.support.sample_run import write_sample_run
from ansible_collections.securescan.kubernetes.tests.support.sink_items import make_sink


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[OpenSearch]:
    with opensearch(tmp_path_factory.mktemp("opensearch") / "home", authority) as running:
        running.make_data_stream("scans-*")
        yield running


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_sample_run(tmp_path_factory.mktemp("run"))


def test_a_data_stream_has_each_document_once(server: OpenSearch, authority: Authority, run: Run) -> None:
    sink = make_sink(
        ELASTIC, {"index": "scans-once"}, url=server.url, ca_cert=str(authority.ca), timeout=60.0
    )
    items = list(sink.items(AllFindings(run)))

    assert sink.send(items) == [None] * len(items)
    assert sink.send(items) == [ALREADY_THERE] * len(items)

    assert server.count("scans-once") == len(items)
    shown(
        "OpenSearch",
        VERSION,
        "elastic: a data stream by `create`; a second attempt is answered with 409 and changes nothing",
    )


def test_the_document_that_does_not_fit_is_told_alone(
    server: OpenSearch, authority: Authority, run: Run
) -> None:
    sink = make_sink(
        ELASTIC, {"index": "scans-refused"}, url=server.url, ca_cert=str(authority.ca), timeout=60.0
    )
    items = list(sink.items(AllFindings(run)))[:3]
    wrong = Item("f" * 32, "wrong", "run-1", body=b'{"@timestamp":"no date"}')

    outcomes = sink.send([items[0], wrong, *items[1:]])

    assert [getattr(one, "reason", one) for one in outcomes] == [None, "invalid_request", None, None]
    assert server.count("scans-refused") == 3
    shown(
        "OpenSearch",
        VERSION,
        "elastic: one document that its mapping refuses is reported alone, the others are there",
    )


def test_a_thousand_containers_arrive_through_cut_connections_and_a_kill(
    server: OpenSearch, authority: Authority, tmp_path: pathlib.Path
) -> None:
    run = wide_run(tmp_path, 1000)
    numbers = itertools.count(1)
    server.front.fault = lambda: next(numbers) % 5 == 0
    params = {
        "system": "elastic",
        "run_dir": run.folder,
        "url": server.url,
        "ca_cert": str(authority.ca),
        "index": "scans-wide",
        "batch_items": 50,
        "retries": 20,
        "timeout": 30.0,
    }

    def has_a_third() -> bool:
        try:
            return server.count("scans-wide") >= 1000
        except OSError:  # there is no such stream yet
            return False

    try:
        ended = push_and_kill(params, kill_when=has_a_third)
    finally:
        server.front.fault = lambda: False

    assert ended.kills == 1 and server.front.cuts > 0
    assert server.count("scans-wide") == 3000
    shown(
        "OpenSearch",
        VERSION,
        "elastic: 3,000 documents through cut connections and a kill -9, none lost, none twice",
    )
