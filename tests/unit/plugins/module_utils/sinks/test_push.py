# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sink as a contributor would write it, a system that it pushes to, and what happens when that fails."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import document_target_id
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run, open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_folder import RunFolder
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.delivery import Delivery
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.http_options import (
    HTTP_OPTIONS,
    HttpOptions,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.receipt import (
    Receipt,
    idempotency_key,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.sink import SinkKind, push_run
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.support.https_server import (
    Answer,
    FakeHttpsServer,
    Received,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_run,
    make_target,
)

TOKEN = "sesame-4711"


@dataclass(frozen=True)
class Webhook:
    """Posts each document as JSON."""

    http: HttpOptions

    @property
    def destination(self) -> str:
        return self.http.url

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.http.token,)

    def push(self, run: Run, delivery: Delivery) -> None:
        client = self.http.client(delivery)
        for source, document in run.documents():
            body = json.dumps(document).encode("ascii")
            delivery.send(
                document_target_id(document, source),
                lambda key, body=body: client.send("POST", headers=self.headers(key), body=body),
            )
        client.close()

    def headers(self, key: str) -> dict[str, str]:
        return {"Content-Type": "application/json", "Idempotency-Key": key}


def check_webhook(params: Mapping[str, Any]) -> Webhook:
    options = HttpOptions.from_params(params)
    if not options.token:
        raise ScanError("bad_option", "a webhook needs a token")
    return Webhook(options)


WEBHOOK = SinkKind("webhook", HTTP_OPTIONS, check_webhook)


@pytest.fixture
def run(tmp_path: pathlib.Path) -> Run:
    """A finished run of four targets."""
    folder = RunFolder(str(tmp_path), "run-1")
    folder.create()
    targets = [make_target(f"api-{number}") for number in range(4)]
    documents = [(target, make_document(target, make_control("c-1", "passed"))) for target in targets]
    for target, document in documents:
        (folder.path / "hdf" / f"{target.pod}.json").write_text(json.dumps(document))
    folder.write_summary(make_run(documents))
    return open_run(str(folder.path))


@pytest.fixture
def params(https_server: FakeHttpsServer, authority: Authority) -> dict[str, Any]:
    return {"url": https_server.url + "/hook", "token": TOKEN, "ca_cert": str(authority.ca), **DEFAULTS}


DEFAULTS = {"validate_certs": True, "timeout": 30.0}


def push(run: Run, params: Mapping[str, Any], cancel: threading.Event | None = None) -> Receipt:
    return push_run(WEBHOOK, params, run, {}, cancel)


def pods(https_server: FakeHttpsServer) -> list[str]:
    documents = [json.loads(request.body) for request in https_server.received]
    return [document_target_id(document, "").split("/")[4] for document in documents]


def pushed_json(run: Run) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((pathlib.Path(run.folder) / "pushed.json").read_bytes())
    return document


def test_each_document_is_delivered_once_with_its_idempotency_key(
    https_server: FakeHttpsServer, run: Run, params: dict[str, Any]
) -> None:
    receipt = push(run, params)
    assert pods(https_server) == ["api-0", "api-1", "api-2", "api-3"]
    assert (len(receipt.delivered), receipt.failed, receipt.is_complete) == (4, (), True)
    target_id = receipt.delivered[0]
    assert https_server.received[0].headers["idempotency-key"] == idempotency_key("run-1", target_id)
    assert len({request.headers["idempotency-key"] for request in https_server.received}) == 4
    again = push(run, params)
    assert len(https_server.received) == 4
    assert (again.delivered, again.already_there, again.is_complete) == ((), receipt.delivered, True)


def test_a_push_that_failed_in_the_middle_sends_only_the_rest(
    https_server: FakeHttpsServer, run: Run, params: dict[str, Any]
) -> None:
    def refuse_one(request: Received) -> Answer:
        return Answer(422, b"too long") if b"api-1" in request.body else Answer()

    https_server.answer = refuse_one
    receipt = push(run, params)
    assert pods(https_server) == ["api-0", "api-1", "api-2", "api-3"], "the others are sent all the same"
    assert [failure.target_id.split("/")[4] for failure in receipt.failed] == ["api-1"]
    assert receipt.failed[0].error.reason == "invalid_request"
    assert receipt.failed[0].error.message == "HTTP 422: too long"
    assert not receipt.is_complete
    https_server.answer = lambda _request: Answer()
    again = push(run, params)
    assert pods(https_server)[4:] == ["api-1"]
    assert (len(again.already_there), again.failed, again.is_complete) == (3, (), True)


def test_a_push_ends_where_every_other_document_would_fail_too(
    https_server: FakeHttpsServer, run: Run, params: dict[str, Any]
) -> None:
    https_server.answer = lambda _request: Answer() if len(https_server.received) < 3 else Answer(401)
    receipt = push(run, params)
    assert pods(https_server) == ["api-0", "api-1", "api-2"]
    assert (len(receipt.delivered), [failure.error.reason for failure in receipt.failed]) == (
        2,
        ["not_authenticated"],
    )
    https_server.answer = lambda _request: Answer()
    push(run, params)
    assert pods(https_server)[3:] == ["api-2", "api-3"]


def test_what_was_delivered_is_kept_when_a_later_document_cannot_be_read(
    https_server: FakeHttpsServer, run: Run, params: dict[str, Any]
) -> None:
    path = pathlib.Path(run.folder) / run.targets[2].hdf
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(ScanError, match="cut off"):
        push(run, params)
    path.write_bytes(whole)
    assert len(push(run, params).already_there) == 2
    assert pods(https_server) == ["api-0", "api-1", "api-2", "api-3"]


def test_a_cancelled_push_can_be_taken_up(
    https_server: FakeHttpsServer, run: Run, params: dict[str, Any]
) -> None:
    cancel = threading.Event()

    def cancel_at_the_third(_request: Received) -> Answer:
        if len(https_server.received) == 3:
            cancel.set()
            threading.Event().wait(60)
        return Answer()

    https_server.answer = cancel_at_the_third
    receipt = push(run, params, cancel)
    assert [failure.error.reason for failure in receipt.failed] == ["cancelled"]
    assert push(run, params).is_complete
    assert pods(https_server)[3:] == ["api-2", "api-3"]
    keys = [request.headers["idempotency-key"] for request in https_server.received]
    assert keys[2] == keys[3], "the system can tell that it got this one before"


def test_another_destination_has_books_of_its_own(
    https_server: FakeHttpsServer, run: Run, params: dict[str, Any]
) -> None:
    push(run, params)
    other = push(run, dict(params, url=https_server.url + "/other"))
    assert (len(other.delivered), other.already_there) == (4, ())
    assert [receipt["destination"] for receipt in pushed_json(run)["receipts"]] == [
        https_server.url + "/hook",
        https_server.url + "/other",
    ]
    assert push(run, params).delivered == ()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"token": ""}, "needs a token"),
        ({"url": "http://host/"}, "not of the form https://"),
        ({"url": f"https://host/?token={TOKEN}"}, "holds a user, a query"),
        ({"timeout": 0}, "timeout must be above 0"),
        ({"client_key": "/nowhere"}, "client_key /nowhere cannot be read"),
        ({"ca_cert": "/nowhere"}, "ca_cert /nowhere cannot be read"),
        ({"proxy": "ftp://proxy"}, "ftp"),
    ],
)
def test_bad_options_are_refused_before_anything_is_sent(
    https_server: FakeHttpsServer, run: Run, params: dict[str, Any], wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(ScanError, match=message) as caught:
        push(run, dict(params, **wrong))
    assert caught.value.reason in ("bad_option", "bad_file")
    assert TOKEN not in str(caught.value)
    assert https_server.received == []


def test_the_token_is_in_no_message_and_no_file(
    https_server: FakeHttpsServer, run: Run, params: dict[str, Any]
) -> None:
    https_server.answer = lambda request: Answer(400, json.dumps(request.headers).encode())
    receipt = push(run, params)
    assert len(receipt.failed) == 4
    assert "***" in receipt.failed[0].error.message
    assert TOKEN not in repr(receipt) + repr(check_webhook(params))
    assert TOKEN not in json.dumps(pushed_json(run))


def test_a_sink_that_says_its_token_in_an_error_is_not_repeated(run: Run) -> None:
    class Careless:
        destination = "nowhere"
        secrets = (TOKEN,)

        def push(self, run: Run, delivery: Delivery) -> None:
            def fail(_key: str) -> None:
                raise ScanError("server_error", f"{TOKEN} was refused", tried=f"POST /{TOKEN}")

            for target in run.targets:
                delivery.send(target.target_id, fail)

    receipt = push_run(SinkKind("careless", {}, lambda _params: Careless()), {}, run, {})
    assert receipt.failed[0].error.message == "*** was refused"
    assert TOKEN not in json.dumps(pushed_json(run)) + repr(receipt)


def test_a_run_that_was_not_opened_from_its_folder_is_not_pushed(
    https_server: FakeHttpsServer, run: Run, params: dict[str, Any]
) -> None:
    with pytest.raises(ScanError, match="run-1 was not opened from its folder"):
        push(dataclasses.replace(run, folder=""), params)
    assert https_server.received == []


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b'{"schema": "securescan.kubernetes/pushed", "schema_version": 2, "receipts": []}',
        b'{"schema": "securescan.kubernetes/pushed", "schema_version": 1, "receipts": [{"sink": 1}]}',
    ],
)
def test_books_that_cannot_be_read_are_an_error_and_stay_as_they_are(
    https_server: FakeHttpsServer, run: Run, params: dict[str, Any], content: bytes
) -> None:
    path = pathlib.Path(run.folder) / "pushed.json"
    path.write_bytes(content)
    with pytest.raises(ScanError) as caught:
        push(run, params)
    assert caught.value.reason == "bad_results"
    assert path.read_bytes() == content
    assert https_server.received == []
