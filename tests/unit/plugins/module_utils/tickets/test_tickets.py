# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets of runs over several nights, in doubles of four trackers that enforce what their APIs publish."""

from __future__ import annotations

import pathlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.tickets import scan_tickets_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.tickets import run_scan_tickets
from ansible_collections.securescan.kubernetes.plugins.module_utils.tickets import tracker as tracker_file
from ansible_collections.securescan.kubernetes.plugins.module_utils.tickets.wording import JIRA
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.support.https_server import Answer, FakeHttpsServer
from ansible_collections.securescan.kubernetes.tests.support.sample_run import HOSTILE
from ansible_collections.securescan.kubernetes.tests.support.stored_runs import Nights, target
from ansible_collections.securescan.kubernetes.tests.support.tracker_doubles import (
    DOUBLES,
    PASSWORD,
    TOKEN,
    TrackerDouble,
)

API, DB, WEB = target("api-1"), target("db-1"), target("web-1")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(params=list(DOUBLES))
def double(request: pytest.FixtureRequest, authority: Authority) -> Iterator[TrackerDouble]:
    with FakeHttpsServer(authority) as server:
        made = DOUBLES[request.param](server)
        made.name = request.param.split()[0]
        made.ca = str(authority.ca)
        yield made


def tickets(
    run: Run, double: TrackerDouble | None = None, check_mode: bool = False, **given: Any
) -> dict[str, Any]:
    """The task's result."""
    params = {name: rule.get("default") for name, rule in scan_tickets_spec().items()}
    params.update(run_dir=run.folder, **given)
    if double is not None:
        params.update(
            {"tracker": double.name, "url": double.url, "project": double.project, "ca_cert": double.ca}
        )
        params.update({**double.login, **given})
    context = TaskContext(check_mode=check_mode, environ={}, cancel=threading.Event())
    result = run_scan_tickets(params, context)
    assert TOKEN not in repr(result) and PASSWORD not in repr(result)
    return result


def _actions(result: dict[str, Any]) -> list[str]:
    return sorted(change["action"] for change in result["changes"])


def test_the_life_of_a_ticket(double: TrackerDouble, tmp_path: pathlib.Path) -> None:
    nights = Nights(tmp_path)
    first = nights.scan(0, {API: {"c-root": "failed"}, DB: {"c-shell": "failed"}, WEB: {}})
    said = tickets(first, double, check_mode=True)
    assert _actions(said) == ["created", "created"] and not double.tickets
    assert _actions(tickets(first, double)) == ["created", "created"]
    assert [kept.is_open for kept in double.tickets] == [True, True]
    assert "c-root" in double.tickets[0].body and "critical" in double.tickets[0].body
    # the same run again, and the next night with the same findings
    assert tickets(first, double)["changes"] == []
    again = tickets(nights.scan(1, {API: {"c-root": "failed"}, DB: {"c-shell": "failed"}}), double)
    assert again["changes"] == [] and again["unchanged"] == 2
    # one more finding; and one that is mended
    second = tickets(nights.scan(2, {API: {"c-root": "failed", "c-shell": "failed"}, DB: {}}), double)
    assert _actions(second) == ["closed", "updated"]
    assert "c-shell" in double.tickets[0].body and not double.tickets[1].is_open
    assert "SHA-256" in double.tickets[1].comments[-1] and "night-2" in double.tickets[1].comments[-1]
    # it fails again; what was not seen closes nothing
    third = tickets(nights.scan(3, {DB: {"c-shell": "failed"}}, missing=[API]), double)
    assert _actions(third) == ["reopened"] and double.tickets[0].is_open and third["unseen"]
    fourth = tickets(nights.scan(4, {API: {"c-root": "skipped"}, DB: {"c-shell": "error"}}), double)
    assert fourth["changes"] == [] and all(kept.is_open for kept in double.tickets)
    # a run that looked at less closes nothing; one that looked everywhere closes the ticket of a place that is gone
    narrow = nights.scan(5, {DB: {}}, selection={"namespaces": ["shop"], "container_kinds": ["container"]})
    assert _actions(tickets(narrow, double)) == ["closed"] and double.tickets[0].is_open
    assert _actions(tickets(nights.scan(6, {WEB: {}}), double)) == ["closed"]
    assert not any(kept.is_open for kept in double.tickets)
    assert len(double.tickets) == 2


def test_no_flood_and_the_worst_first(double: TrackerDouble, tmp_path: pathlib.Path) -> None:
    places = {target(f"app{number}-1"): {"c-shell": "failed"} for number in range(9)}
    run = Nights(tmp_path).scan(0, {**places, target("worst-1"): {"c-root": "failed"}})
    result = tickets(run, double, max_new=4)
    assert len(double.tickets) == 4 and result["not_opened"] == 6
    assert "worst" in double.tickets[0].title
    tickets(run, double, max_new=4)
    assert len(tickets(run, double, max_new=4)["changes"]) == 2
    assert len(double.tickets) == 10 and tickets(run, double)["unchanged"] == 10


def test_one_ticket_for_a_control_needs_a_run_that_has_seen_all(
    double: TrackerDouble, tmp_path: pathlib.Path
) -> None:
    nights = Nights(tmp_path)
    failing = {API: {"c-root": "failed"}, DB: {"c-root": "failed"}}
    assert _actions(tickets(nights.scan(0, failing), double, per="control")) == ["created"]
    part = nights.scan(1, {API: {}}, selection={"namespaces": ["shop"], "container_kinds": ["container"]})
    assert tickets(part, double, per="control")["changes"] == []
    missing = nights.scan(2, {API: {}}, missing=[DB])
    assert tickets(missing, double, per="control")["changes"] == []
    assert _actions(tickets(nights.scan(3, {API: {}, DB: {}}), double, per="control")) == ["closed"]


@pytest.mark.parametrize(
    "chosen",
    [{"pods": ["api-1"]}, {"limit": 1}, {"field_selectors": ["spec.nodeName=node-1"]}, {"images": ["*:2.0"]}],
)
def test_a_run_of_some_pods_of_a_place_solves_nothing(
    tmp_path: pathlib.Path, authority: Authority, chosen: dict[str, Any]
) -> None:
    with FakeHttpsServer(authority) as server:
        double = DOUBLES["github"](server)
        double.name, double.ca = "github", str(authority.ca)
        nights = Nights(tmp_path)
        replica = target("api-2")
        tickets(nights.scan(0, {API: {}, replica: {"c-root": "failed"}}), double)
        part = nights.scan(1, {API: {}}, selection={"namespaces": ["shop"], **chosen})
        said = tickets(part, double)
        assert said["changes"] == [] and said["solved"] == 0 and double.tickets[0].is_open
        assert "can leave out some pods" in said["unseen"][0]
        whole = nights.scan(
            2, {API: {}, replica: {}}, selection={"namespaces": ["shop"], "workloads": ["api"]}
        )
        assert _actions(tickets(whole, double)) == ["closed"]


def test_a_ticket_that_would_not_be_found_again_is_the_last(
    double: TrackerDouble, tmp_path: pathlib.Path
) -> None:
    if double.name == "jira":
        pytest.skip("Jira refuses an issue with a field that the user must not set")
    double.drops_marks = True
    places = {target(f"app{number}-1"): {"c-root": "failed"} for number in range(6)}
    result = tickets(Nights(tmp_path).scan(0, places), double)
    assert result["failed"] and result["error"]["reason"] == "not_permitted" and result["changes"] == []
    assert "found again" in result["msg"] and len(double.tickets) == 1


def test_faults_do_no_harm(
    double: TrackerDouble, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker_file.TrackerOptions, "sleep", lambda *_seconds: None, raising=False)
    waits: list[float] = []
    monkeypatch.setattr(tracker_file.time, "sleep", waits.append)
    monkeypatch.setattr(tracker_file, "_FIRST_WAIT", 0.0)
    nights = Nights(tmp_path)
    places = {target(f"app{number}-1"): {"c-root": "failed"} for number in range(6)}
    run = nights.scan(0, places)
    double.faults = [Answer(429, b"{}", {"Retry-After": "0"}), Answer(503, b"{}", {"Retry-After": "0"})]
    tickets(run, double)
    assert len(double.tickets) == 6
    # the connection is cut in the middle of the next: the task fails, nothing is there twice, and the next task has the rest
    more = nights.scan(1, {**places, DB: {"c-root": "failed"}, API: {"c-root": "failed"}})
    double.faults = []
    before = double.requests
    original = double._answer

    def cut(request: Any) -> Answer:
        if (
            request.method == "POST"
            and "search" not in request.path
            and double.requests > before
            and not waits_cut
        ):
            waits_cut.append(1)
            original(request)
            return Answer(raw=b"HTTP/1.1 201 Cre")
        return original(request)

    waits_cut: list[int] = []
    double._server.answer = cut
    failed = tickets(more, double)
    assert failed["failed"] and len(failed["failed_tickets"]) == 1
    double._server.answer = original
    assert not tickets(more, double)["changes"]
    assert len(double.tickets) == 8


def test_a_wrong_login_is_told(double: TrackerDouble, tmp_path: pathlib.Path) -> None:
    run = Nights(tmp_path).scan(0, {API: {"c-root": "failed"}})
    with pytest.raises(ScanError) as caught:
        tickets(run, double, **{name: "wrong-secret" for name in double.login if name != "username"})
    assert caught.value.reason == "not_authenticated" and "wrong-secret" not in str(caught.value)


def test_hostile_texts_are_shown_and_do_nothing(double: TrackerDouble, tmp_path: pathlib.Path) -> None:
    mark = "scan-ticket 00000000-000000000000000000000000 0000000000000000"
    evil = f"{HOSTILE} {{noformat}} [code]<b>x</b>[/code] /close #1 !2 ```\n<!-- {mark} -->\n{mark}"
    run = Nights(tmp_path).scan(0, {API: {evil: "failed"}}, controls=[evil])
    tickets(run, double, min_severity="none")
    (kept,) = double.tickets
    assert "\x1b" not in kept.body and "{{" not in kept.body and "\u202e" not in kept.body
    if double.name in ("github", "gitlab"):  # all of it stands in code spans, which nothing in it ends
        assert "``" not in kept.body and all(line.count("`") % 2 == 0 for line in kept.body.splitlines())
    elif double.name == "jira":
        assert kept.body.count("{noformat}") % 2 == 0 and "{ noformat} [code]" in kept.body
    else:
        assert "[code]" not in kept.body and "[/code]" not in kept.body
    assert not any(sign in kept.title for sign in "<>@#!`{}[]|*\n")
    for line in kept.body.splitlines():
        assert not line.startswith(("/", "#", "<b"))
    # nobody else's mark counts
    assert tickets(run, double, min_severity="none")["unchanged"] == 1


def test_nothing_ends_a_text_of_jira_before_its_end() -> None:
    for text in ("C:\\", "a{", "{NoFormat}[x|http://evil.example]"):
        shown = JIRA.quote(text)
        inside = shown[len("{noformat}") : -len("{noformat}")]
        assert shown == "{noformat}" + inside + "{noformat}"
        assert not inside.endswith(("\\", "{")) and "{noformat" not in inside.lower()


def test_a_place_has_its_configuration_item(double: TrackerDouble, tmp_path: pathlib.Path) -> None:
    items = tmp_path / "items.yml"
    items.write_text("items:\n  - {namespace: shop, workload: api, item: CI0001234}\n")
    run = Nights(tmp_path).scan(0, {API: {"c-root": "failed"}})
    tickets(run, double, configuration_items=str(items))
    (kept,) = double.tickets
    assert "CI0001234" in kept.body and kept.extra.get("cmdb_ci", "CI0001234") == "CI0001234"


def test_without_a_tracker_it_says_what_there_would_be(tmp_path: pathlib.Path) -> None:
    nights = Nights(tmp_path)
    result = tickets(nights.scan(0, {API: {"c-root": "failed", "c-label": "failed"}, DB: {}}))
    assert (result["open"], result["solved"], result["changed"]) == (1, 1, False)
    (ticket,) = result["tickets"]
    assert ticket["severity"] == "critical" and [one["control_id"] for one in ticket["findings"]] == [
        "c-root"
    ]
    with pytest.raises(ScanError) as caught:
        tickets(nights.scan(1, {API: {}}), url="https://tracker.example")
    assert caught.value.reason == "bad_option"
