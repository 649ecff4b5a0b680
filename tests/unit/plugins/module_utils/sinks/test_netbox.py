# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetBox by its contract (tests/support/fake_netbox.py); tests/real/test_netbox.py is the real one."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.netbox import FIELDS
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.support.fake_netbox import TOKEN, FakeNetBox
from ansible_collections.securescan.kubernetes.tests.support.https_server import (
    Answer,
    FakeHttpsServer,
    Received,
)
from ansible_collections.securescan.kubernetes.tests.support.pushes import (
    Faults,
    push,
    push_and_kill,
    wide_run,
)
from ansible_collections.securescan.kubernetes.tests.support.stored_runs import Nights, night, target

API, DB = target("api-1"), target("db-1")


def mapping(folder: pathlib.Path, *rules: dict[str, str]) -> str:
    path = folder / "items.json"
    path.write_text(json.dumps({"items": list(rules)}))
    return str(path)


@pytest.fixture
def netbox(https_server: FakeHttpsServer) -> FakeNetBox:
    netbox = FakeNetBox(fields={name: kind for name, (kind, _label) in FIELDS.items()})
    netbox.add("shop")
    https_server.answer = netbox.answer
    return netbox


@pytest.fixture
def params(https_server: FakeHttpsServer, authority: Authority, tmp_path: pathlib.Path) -> dict[str, Any]:
    return {
        "system": "netbox",
        "url": https_server.url,
        "ca_cert": str(authority.ca),
        "token": TOKEN,
        "configuration_items": mapping(tmp_path, {"cluster": "demo", "namespace": "shop", "item": "shop"}),
        "retries": 0,
    }


def test_an_object_follows_the_places_that_are_its_parts(
    tmp_path: pathlib.Path, netbox: FakeNetBox, params: dict[str, Any]
) -> None:
    nights, shop = Nights(tmp_path), netbox.values("shop")
    first = nights.scan(0, {API: {"c-root": "failed", "c-shell": "failed"}, DB: {}})
    assert push(**params, run_dir=first.folder)["delivered"] == 1
    assert (shop["securescan_status"], shop["securescan_failed"], shop["securescan_seen"]) == (
        "failed",
        2,
        night(0),
    )
    places = shop["securescan_places"]
    assert {place.split("/")[3]: entry["status"] for place, entry in places.items()} == {
        "api": "failed",
        "db": "passed",
    }
    (entry,) = netbox.journal
    assert entry["kind"] == "danger" and "**failed**, before `not known`" in entry["comments"]

    # a night that changes nothing is written, and is no entry of the journal
    same = nights.scan(1, {API: {"c-root": "failed", "c-shell": "failed"}, DB: {}})
    push(**params, run_dir=same.folder)
    assert shop["securescan_seen"] == night(1) and len(netbox.journal) == 1
    # an older run changes nothing
    again = push(**params, run_dir=first.folder, spool_dir=str(tmp_path / "other"))
    assert again["already_there"] == 1 and shop["securescan_seen"] == night(1)
    # what was not scanned is no pass
    push(**params, run_dir=nights.scan(2, {API: {}}, missing=[DB]).folder)
    assert (shop["securescan_status"], shop["securescan_failed"]) == ("not_scanned", 0)
    # a run of chosen containers leaves the other places as they were
    only = nights.scan(3, {API: {}}, selection={"namespaces": ["shop"], "pods": ["api-1"]})
    push(**params, run_dir=only.folder)
    assert shop["securescan_status"] == "not_scanned"
    # a whole run that does not find a place takes it away
    push(**params, run_dir=nights.scan(4, {API: {}}).folder)
    assert shop["securescan_status"] == "passed" and len(shop["securescan_places"]) == 1
    assert netbox.journal[-1]["kind"] == "success"
    # nothing is left of it
    push(**params, run_dir=nights.scan(5, {target("web-1", namespace="web"): {}}).folder)
    assert set(shop.values()) == {None}


def test_the_same_run_is_written_once_through_faults_and_a_kill(
    tmp_path: pathlib.Path, https_server: FakeHttpsServer, netbox: FakeNetBox, params: dict[str, Any]
) -> None:
    run = wide_run(tmp_path, 20)
    rules = [{"workload": f"api{number}", "item": f"vm{number}"} for number in range(20)]
    netbox.add(*(rule["item"] for rule in rules))
    faults = Faults(share=0.08, seconds=1.1)
    https_server.answer = faults.around(netbox.answer)
    given = {**params, "configuration_items": mapping(tmp_path, *rules), "retries": 20, "batch_items": 2}
    ended = push_and_kill({**given, "run_dir": run.folder}, kill_when=lambda: netbox.changes >= 8)
    assert ended.kills == 1 and faults.count > 0
    assert netbox.changes == 20
    told = [one["assigned_object_id"] for one in netbox.journal]
    assert len(told) == len(set(told)) == 20
    assert [netbox.values(f"vm{number}")["securescan_failed"] for number in range(4)] == [1, 0, 1, 0]


def test_what_cannot_be_written_is_told_by_itself(
    tmp_path: pathlib.Path, netbox: FakeNetBox, params: dict[str, Any]
) -> None:
    netbox.add("twin", "twin")
    rules = [
        {"workload": f"api{number}", "item": item}
        for number, item in enumerate(("shop", "nowhere", "twin", "99"))
    ]
    run = wide_run(tmp_path, 4)
    result = push(**{**params, "configuration_items": mapping(tmp_path, *rules)}, run_dir=run.folder)
    assert (result["delivered"], result["refused"]) == (1, 3)
    said = {one["subject"]: one["error"]["message"] for one in result["deliveries"][0]["refusals"]}
    assert "has no virtual machine" in said["nowhere"] and "several" in said["twin"] and "404" in said["99"]


def test_fields_are_made_only_when_that_is_asked_for(
    tmp_path: pathlib.Path, netbox: FakeNetBox, params: dict[str, Any]
) -> None:
    netbox.fields, run = {}, wide_run(tmp_path, 2)
    result = push(**params, run_dir=run.folder)
    assert "has no custom field securescan_status" in result["deliveries"][0]["error"]["message"]
    assert not netbox.fields and not netbox.changes
    result = push(**params, run_dir=run.folder, make_fields=True)
    assert result["deliveries"][0]["spooled"] + result["refused"] == 1 and not netbox.fields
    netbox.may_make_fields = True
    assert push(**params, state="flush", run_dir=run.folder, make_fields=True)["delivered"] == 1
    assert set(netbox.fields) == set(FIELDS) and netbox.values("shop")["securescan_failed"] == 1


def test_what_somebody_else_writes_meanwhile_is_not_lost(
    tmp_path: pathlib.Path, https_server: FakeHttpsServer, netbox: FakeNetBox, params: dict[str, Any]
) -> None:
    first = Nights(tmp_path, "edge").scan(0, {target("api-1", cluster="edge"): {"c-root": "failed"}})
    run = wide_run(tmp_path, 1)
    params["configuration_items"] = mapping(tmp_path, {"item": "shop"})
    done = []

    def disturbed(request: Received) -> Answer:
        if request.method == "PATCH" and not done:
            done.append(1)
            push(**params, run_dir=first.folder)
        return netbox.answer(request)

    https_server.answer = disturbed
    assert push(**params, run_dir=run.folder)["delivered"] == 1
    places = netbox.values("shop")["securescan_places"]
    assert {place.split("/")[0] for place in places} == {"demo", "edge"}
    assert netbox.values("shop")["securescan_failed"] == 2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"token": None}, "token is needed"),
        ({"configuration_items": None}, "configuration_items is needed"),
        ({"configuration_items": "/nowhere/items.yml"}, "No such file"),
        ({"object_type": "rack"}, "object_type is one of"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_sent(
    tmp_path: pathlib.Path, params: dict[str, Any], wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(ScanError, match=message):
        push(**{**params, **wrong}, run_dir=str(tmp_path))
