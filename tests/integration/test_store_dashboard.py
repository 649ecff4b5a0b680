# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dashboard over the store on a real PostgreSQL, and the store's metrics there and on SQLite."""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Iterator
from datetime import datetime, timezone

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.metrics import (
    Observed,
    render_by_subject,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.deadline_policy import (
    DeadlinePolicy,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.opening import make_store
from ansible_collections.securescan.kubernetes.plugins.plugin_utils.store_numbers import read_store_numbers
from ansible_collections.securescan.kubernetes.tests.support.postgresql_server import (
    PostgresqlServer,
    postgresql_server,
)
from ansible_collections.securescan.kubernetes.tests.support.stored_runs import Nights, epoch, target

DASHBOARD = pathlib.Path(__file__).resolve().parents[2] / "docs" / "dashboards" / "store.json"
POLICY = DeadlinePolicy.of_mapping({"default": {"scan_every_hours": 24, "fix_within_days": {"critical": 1}}})


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    with postgresql_server() as running:
        yield running


def filled(address: str, folder: pathlib.Path) -> str:
    """The address of a store with three nights: something is fixed, something stays open, something is not scanned."""
    nights, store = Nights(folder), make_store(address)
    api, edge, teams = target("api-1"), target("edge-1"), {"shop": "shop-team"}
    store.ingest_run(nights.scan(0, {api: {"c-root": "failed", "c-shell": "failed"}}, teams=teams))
    store.ingest_run(nights.scan(1, {api: {"c-root": "failed"}}, missing=[edge], teams=teams))
    store.ingest_run(
        nights.scan(
            2,
            {api: {"c-root": "failed"}, edge: {"c-label": "failed"}},
            missing=[target("db-1")],
            teams=teams,
        )
    )
    store.set_deadlines(POLICY)
    store.close()
    return address


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, server: PostgresqlServer, tmp_path: pathlib.Path) -> str:
    address = str(tmp_path / "scans.db") if request.param == "sqlite" else server.new_database()
    return filled(address, tmp_path / "runs")


def test_each_query_of_the_dashboard_finds_something(
    server: PostgresqlServer, tmp_path: pathlib.Path
) -> None:
    address = filled(server.new_database(), tmp_path)
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    values = {}
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            names = [row[0] for row in server.run(variable["query"], address)]
            values[variable["name"]] = ", ".join(f"'{name}'" for name in names)
    assert values == {"cluster": "'demo'", "team": "'shop-team'"}
    for panel in board["panels"]:
        (query,) = panel["targets"]
        sql = re.sub(r"\$__timeFilter\((\w+)\)", r"\1 BETWEEN '2026-01-01' AND '2027-01-01'", query["rawSql"])
        sql = re.sub(r"\$\{(\w+):sqlstring\}", lambda match: values[match[1]], sql)
        assert "$" not in sql
        assert server.run(sql, address), panel["title"]


def test_the_numbers_of_a_store_are_metrics(store: str, server: PostgresqlServer) -> None:
    now = float(epoch(4))
    numbers = read_store_numbers(store, "", now)
    key = ("demo", "shop-team", "critical")
    assert numbers.open_findings[key] == 1 and numbers.overdue_findings[key] == 1
    assert numbers.places == {("demo", "shop-team"): 3}
    assert server.password not in numbers.name
    ((subject, text),) = render_by_subject(Observed(stores=[numbers]), datetime.now(timezone.utc)).items()
    assert subject == ("store", numbers.name)
    assert 'team="shop-team",severity="critical"} 1.0' in text


def test_a_store_that_is_not_there_is_an_error_without_the_password(server: PostgresqlServer) -> None:
    with pytest.raises(ScanError) as caught:
        read_store_numbers(f"postgresql://owner@127.0.0.1:{server.port}/nothing", "store-secret-1", 0.0)
    assert "secret-1" not in str(caught.value)
