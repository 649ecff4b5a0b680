# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told and counted of the requests to a cluster, and what is never told."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.request_log import RequestLog
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.websocket_exec import (
    exec_in_container,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer

PODS = "/api/v1/namespaces/shop/pods"


def test_each_request_and_exec_is_told_without_query_and_secrets(server: FakeApiServer) -> None:
    lines: list[str] = []
    log = RequestLog(lines.append)
    grantor = connect(ConnectionOptions(kubeconfig=server.kubeconfig()), {}, log)
    scanner_token = server.grants.issue("scanner", 600)
    scanner = grantor.with_bearer_token(scanner_token)
    RestClient(grantor).get(PODS, {"labelSelector": "owner=secret-team"})
    with pytest.raises(ScanError):
        RestClient(scanner).create("/api/v1/nowhere", {"token": "secret-body"})
    exec_in_container(
        scanner, "shop", "api-1", "app", ["sh"], b"echo secret-input\n", timeout=30, output_limit=1000
    )
    heads = [line.split(" in ")[0] for line in lines if " closed after " not in line]
    assert heads == [
        f"grantor GET {PODS} -> 200",
        "scanner POST /api/v1/nowhere -> 422",
        "scanner exec into shop/api-1/app -> open",
    ]
    assert lines[-1].startswith("scanner exec into shop/api-1/app closed after ")
    told = "".join(lines) + log.sums()
    for secret in (server.token, scanner_token, "secret"):
        assert secret not in told
    assert log.sums().startswith("2 requests, 1 execs, ")


def test_a_request_that_fails_is_told_with_its_reason(server: FakeApiServer) -> None:
    lines: list[str] = []
    config = server.kubeconfig()
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    connection = connect(ConnectionOptions(kubeconfig=config), {}, RequestLog(lines.append))
    with pytest.raises(ScanError):
        RestClient(connection, attempts=1).get(PODS)
    assert lines[0].startswith(f"grantor GET {PODS} -> unreachable in ")


def test_nothing_is_told_where_nobody_listens_but_all_is_counted(server: FakeApiServer) -> None:
    log = RequestLog()
    assert log.sums() == ""
    RestClient(connect(ConnectionOptions(kubeconfig=server.kubeconfig()), {}, log)).get(PODS)
    assert not log.is_told
    assert log.sums().startswith("1 requests, 0 execs, 0 bytes sent, ")
