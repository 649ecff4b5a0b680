# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets of runs over several nights, in a real Request Tracker."""

from __future__ import annotations

import base64
import json
import pathlib
import ssl
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.tickets import scan_tickets_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.tickets import run_scan_tickets
from ansible_collections.securescan.kubernetes.plugins.module_utils.tickets import request_tracker
from ansible_collections.securescan.kubernetes.tests.support.real_systems import shown
from ansible_collections.securescan.kubernetes.tests.support.request_tracker_server import (
    PASSWORD,
    QUEUE,
    SHOWN_FIELD,
    USER,
    RequestTrackerServer,
    request_tracker_server,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_run import HOSTILE
from ansible_collections.securescan.kubernetes.tests.support.stored_runs import Nights, target

API, DB = target("api-1"), target("db-1")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RequestTrackerServer]:
    with request_tracker_server(tmp_path_factory.mktemp("rt")) as running:
        yield running


def _tickets(server: RequestTrackerServer, run: Run, **given: Any) -> dict[str, Any]:
    params = {name: rule.get("default") for name, rule in scan_tickets_spec().items()}
    params.update(
        run_dir=run.folder, tracker="request_tracker", url=server.url, project=QUEUE, username=USER, password=PASSWORD,
        ca_cert=str(server.ca),
    )  # fmt: skip
    params.update(given)
    return run_scan_tickets(params, TaskContext(check_mode=False, environ={}, cancel=threading.Event()))


def _asked(server: RequestTrackerServer, path: str) -> Any:
    pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    request = urllib.request.Request(
        f"{server.url}/REST/2.0/{path}", headers={"Authorization": f"Basic {pair}"}
    )
    context = ssl.create_default_context(cafile=str(server.ca))
    with urllib.request.urlopen(request, context=context) as reply:
        return json.load(reply)


def _actions(result: dict[str, Any]) -> list[str]:
    assert not result.get("failed"), result
    return sorted(change["action"] for change in result["changes"])


def test_the_life_of_tickets(server: RequestTrackerServer, tmp_path: pathlib.Path) -> None:
    nights = Nights(tmp_path)
    first = nights.scan(0, {API: {"c-root": "failed"}, DB: {"c-shell": "failed"}})
    result = _tickets(server, first)
    assert _actions(result) == ["created", "created"]
    ids = {change["about"].split("/")[3]: change["id"] for change in result["changes"]}
    assert _actions(_tickets(server, first)) == []
    second = nights.scan(1, {API: {"c-root": "failed", "c-shell": "failed"}, DB: {}})
    assert _actions(_tickets(server, second)) == ["closed", "updated"]
    assert _asked(server, f"ticket/{ids['api']}")["Status"] == "new"
    closed = _asked(server, f"ticket/{ids['db']}")
    assert closed["Status"] == "resolved"
    third = nights.scan(2, {DB: {"c-shell": "failed"}}, missing=[API])
    assert _actions(_tickets(server, third)) == ["reopened"]
    assert _asked(server, f"ticket/{ids['db']}")["Status"] == "open"
    # the place of api is gone, and db is mended
    web = target("web-1")
    assert _actions(_tickets(server, nights.scan(3, {DB: {}, web: {}}))) == ["closed", "closed"]
    history = _asked(server, f"ticket/{ids['db']}/history?fields=Type&per_page=100")["items"]
    assert [one["Type"] for one in history].count("Comment") >= 2
    assert _asked(server, "tickets?query=" + "id>0")["total"] == 2
    shown(
        "Request Tracker",
        "5.0.3",
        "tickets: opened, brought up to date, closed with evidence, opened again, none twice",
    )


def test_many_places_come_by_pages(
    server: RequestTrackerServer, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_tracker, "_PAGE", 5)
    nights = Nights(tmp_path, "wide")
    places = {target(f"app{number}-1", cluster="wide"): {"c-root": "failed"} for number in range(12)}
    run = nights.scan(0, places)
    assert len(_tickets(server, run, max_new=8)["changes"]) == 8
    assert len(_tickets(server, run, max_new=8)["changes"]) == 4
    assert _tickets(server, run)["unchanged"] == 12
    assert len(_tickets(server, nights.scan(1, {one: {} for one in places}))["changes"]) == 12


def test_hostile_texts_stay_texts(server: RequestTrackerServer, tmp_path: pathlib.Path) -> None:
    one = target("evil-1", cluster="evil")
    run = Nights(tmp_path, "evil").scan(0, {one: {HOSTILE: "failed"}}, controls=[HOSTILE])
    (change,) = _tickets(server, run, min_severity="none")["changes"]
    assert _tickets(server, run, min_severity="none")["unchanged"] == 1
    assert not set(_asked(server, f"ticket/{change['id']}")["Subject"]) & set("<>{}`@\x1b")


def test_a_ticket_that_would_not_be_found_again_is_the_last(
    server: RequestTrackerServer, tmp_path: pathlib.Path
) -> None:
    run = Nights(tmp_path).scan(0, {API: {"c-root": "failed"}, DB: {"c-root": "failed"}})
    result = _tickets(server, run, rt_field=SHOWN_FIELD)
    assert result["failed"] and result["changes"] == [] and len(result["failed_tickets"]) == 1
    assert result["error"]["reason"] == "not_permitted" and "found again" in result["msg"]


def test_refusals_say_their_cause(server: RequestTrackerServer, tmp_path: pathlib.Path) -> None:
    run = Nights(tmp_path).scan(0, {API: {"c-root": "failed"}})
    for given, reason in (
        ({"password": "wrong-secret"}, "not_authenticated"),
        ({"rt_field": "Another"}, "not_found"),
    ):
        with pytest.raises(ScanError) as caught:
            _tickets(server, run, **given)
        assert caught.value.reason == reason and "wrong-secret" not in str(caught.value)
    result = _tickets(server, run, project="Nowhere")
    assert result["failed"] and result["error"]["reason"] in (
        "not_permitted",
        "invalid_request",
        "not_found",
    ), result
