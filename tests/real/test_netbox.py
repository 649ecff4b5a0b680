# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sink netbox against the real NetBox, with a user who has the rights that docs/cmdb.md names."""

from __future__ import annotations

import itertools
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.real.netbox_server import VERSION, NetBox, netbox
from ansible_collections.securescan.kubernetes.tests.support.pushes import push, push_and_kill, wide_run
from ansible_collections.securescan.kubernetes.tests.support.real_systems import shown
from ansible_collections.securescan.kubernetes.tests.support.stored_runs import Nights, night, target

API, DB = target("api-1"), target("db-1")
MACHINE = "virtualization.virtualmachine"
# What docs/cmdb.md asks for.
RIGHTS = {MACHINE: ["view", "change"], "extras.journalentry": ["view", "add"]}
MAKER = {**RIGHTS, "extras.customfield": ["view", "add", "change"]}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[NetBox]:
    with netbox(tmp_path_factory.mktemp("netbox"), authority) as running:
        kind = running.ask(
            "POST", "/virtualization/cluster-types/", {"name": "Kubernetes", "slug": "kubernetes"}
        )
        cluster = running.ask("POST", "/virtualization/clusters/", {"name": "demo", "type": kind["id"]})
        names = ["shop", *(f"vm{number}" for number in range(40))]
        machines = [{"name": name, "cluster": cluster["id"]} for name in names]
        running.ask("POST", "/virtualization/virtual-machines/", machines)
        yield running


@pytest.fixture(scope="module")
def token(server: NetBox) -> str:
    """Of a scanner, whose custom fields an earlier push of somebody else has made."""
    return server.token_of("scanner", RIGHTS)


def _items(folder: pathlib.Path, *rules: dict[str, str]) -> str:
    path = folder / "items.json"
    path.write_text(json.dumps({"items": list(rules)}))
    return str(path)


def _params(
    server: NetBox, authority: Authority, token: str, folder: pathlib.Path, *rules: dict[str, str]
) -> dict[str, Any]:
    return {
        "system": "netbox", "url": server.url, "ca_cert": str(authority.ca), "token": token, "retries": 0,
        "configuration_items": _items(folder, *(rules or ({"namespace": "shop", "item": "shop"},))),
    }  # fmt: skip


def _machine(server: NetBox, name: str) -> Any:
    (found,) = server.ask("GET", f"/virtualization/virtual-machines/?name={name}")["results"]
    return found


def _journal(server: NetBox, number: int) -> list[dict[str, Any]]:
    query = f"assigned_object_type={MACHINE}&assigned_object_id={number}&ordering=id&limit=200"
    return list(server.ask("GET", f"/extras/journal-entries/?{query}")["results"])


def test_the_custom_fields_are_made_when_that_is_asked_for(
    server: NetBox, authority: Authority, tmp_path: pathlib.Path
) -> None:
    run = Nights(tmp_path, "first").scan(0, {target("a-1", cluster="first", namespace="none"): {}})
    given = _params(server, authority, server.token_of("reader", RIGHTS), tmp_path, {"item": "vm39"})
    refusal = push(**given, run_dir=run.folder)["deliveries"][0]["error"]["message"]
    assert "has no custom field securescan_status" in refusal
    maker = {**given, "token": server.token_of("maker", MAKER), "make_fields": True}
    assert push(**maker, run_dir=run.folder)["delivered"] == 1
    assert _machine(server, "vm39")["custom_fields"]["securescan_status"] == "passed"
    shown("NetBox", VERSION, "netbox: custom fields are made only when that is asked for")


def test_a_machine_follows_the_places_that_are_its_parts(
    server: NetBox, authority: Authority, token: str, tmp_path: pathlib.Path
) -> None:
    nights, params = Nights(tmp_path), _params(server, authority, token, tmp_path)
    first = nights.scan(0, {API: {"c-root": "failed", "c-shell": "failed"}, DB: {}})
    assert push(**params, run_dir=first.folder)["delivered"] == 1
    shop = _machine(server, "shop")
    fields = shop["custom_fields"]
    assert (fields["securescan_status"], fields["securescan_failed"]) == ("failed", 2)
    assert sorted(entry["status"] for entry in fields["securescan_places"].values()) == ["failed", "passed"]
    found = server.ask("GET", "/virtualization/virtual-machines/?cf_securescan_status=failed")["results"]
    assert [one["name"] for one in found] == ["shop"]
    (entry,) = _journal(server, shop["id"])
    assert entry["kind"]["value"] == "danger" and "**failed**" in entry["comments"]

    again = push(**params, run_dir=first.folder, spool_dir=str(tmp_path / "other"))
    assert (again["delivered"], again["already_there"]) == (0, 1)
    assert _machine(server, "shop")["last_updated"] == shop["last_updated"]

    push(**params, run_dir=nights.scan(1, {API: {}}, missing=[DB]).folder)
    assert _machine(server, "shop")["custom_fields"]["securescan_status"] == "not_scanned"
    push(**params, run_dir=nights.scan(2, {API: {}}).folder)
    fields = _machine(server, "shop")["custom_fields"]
    assert fields["securescan_status"] == "passed" and len(fields["securescan_places"]) == 1
    assert fields["securescan_seen"][:10] == night(2)[:10]
    assert [one["kind"]["value"] for one in _journal(server, shop["id"])] == ["danger", "warning", "success"]
    push(**params, run_dir=nights.scan(3, {target("web-1", namespace="web"): {}}).folder)
    assert _machine(server, "shop")["custom_fields"]["securescan_status"] is None
    shown(
        "NetBox",
        VERSION,
        "netbox: a virtual machine follows its containers, with a journal entry for each change; the same run changes nothing",
    )


def test_what_cannot_be_written_is_told_by_itself(
    server: NetBox, authority: Authority, token: str, tmp_path: pathlib.Path
) -> None:
    rules = [
        {"workload": f"api{number}", "item": item}
        for number, item in enumerate(("vm38", "nowhere", "999999"))
    ]
    given = _params(server, authority, token, tmp_path, *rules)
    run = wide_run(tmp_path, 3)
    result = push(**given, run_dir=run.folder)
    assert (result["delivered"], result["refused"]) == (1, 2)
    wrong = push(**{**given, "token": "0123456789abcdef" * 2}, run_dir=run.folder, state="flush")
    assert wrong["deliveries"][0]["error"]["reason"] in ("not_permitted", "not_authenticated")
    shown("NetBox", VERSION, "netbox: an object that there is not is told by itself; nothing is made")


def test_each_machine_is_written_once_through_cut_connections_and_a_kill(
    server: NetBox, authority: Authority, token: str, tmp_path: pathlib.Path
) -> None:
    run = wide_run(tmp_path, 30)
    rules = [{"workload": f"api{number}", "item": f"vm{number}"} for number in range(30)]
    given = {
        **_params(server, authority, token, tmp_path, *rules), "run_dir": run.folder, "retries": 20, "batch_items": 2,
        "timeout": 30.0,
    }  # fmt: skip
    numbers = itertools.count(1)
    server.front.fault = lambda: next(numbers) % 13 == 0
    try:
        ended = push_and_kill(given, kill_when=lambda: bool(_journal(server, _machine(server, "vm9")["id"])))
    finally:
        server.front.fault = lambda: False
    assert ended.kills == 1 and server.front.cuts > 0
    machines = [_machine(server, f"vm{number}") for number in range(30)]
    assert [one["custom_fields"]["securescan_failed"] for one in machines] == [1, 0] * 15
    assert {len(_journal(server, one["id"])) for one in machines} == {1}
    shown("NetBox", VERSION, "netbox: 30 objects through cut connections and a kill -9, each told once")
