# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sink for NATS against a real server with JetStream: over TLS, with a user who is allowed to publish and no more."""

from __future__ import annotations

import asyncio
import contextlib
import pathlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import nats
import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.item import ALREADY_THERE, Item
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.nats import NATS
from ansible_collections.securescan.kubernetes.tests.environment.debian_unpacked import unpacked
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.support.cutting_proxy import CuttingProxy
from ansible_collections.securescan.kubernetes.tests.support.free_port import free_port
from ansible_collections.securescan.kubernetes.tests.support.pushes import push_and_kill, wide_run
from ansible_collections.securescan.kubernetes.tests.support.real_systems import shown
from ansible_collections.securescan.kubernetes.tests.support.served_program import served
from ansible_collections.securescan.kubernetes.tests.support.sink_items import finding_items, make_sink

SECRET = "publisher-secret"
_CONFIG = """
listen: "127.0.0.1:{port}"
jetstream {{ store_dir: "{folder}/data" }}
max_payload: 65536
tls {{ cert_file: "{certificate}", key_file: "{key}" }}
authorization {{
  users: [
    {{ user: admin, password: admin-secret }}
    {{ user: publisher, password: "{secret}",
       permissions: {{ publish: ["securescan.findings"], subscribe: ["_INBOX.>"] }} }}
  ]
}}
"""


@dataclass(frozen=True)
class Server:
    port: int
    authority: Authority

    def sink(self, own: dict[str, Any] | None = None, **common: Any) -> Any:
        given = {"username": "publisher", "password": SECRET, "ca_cert": str(self.authority.ca), **common}
        return make_sink(NATS, own, url=f"tls://127.0.0.1:{self.port}", **given)

    def ask(self, what: Any) -> Any:
        """The answer to an administrator's question: a function of a JetStream context that is awaited."""

        async def asked() -> Any:
            context = make_sink(
                NATS, url="tls://127.0.0.1:1", ca_cert=str(self.authority.ca)
            )._options.tls().context()  # fmt: skip
            client = await nats.connect(
                f"tls://127.0.0.1:{self.port}", tls=context, user="admin", password="admin-secret"
            )
            try:
                return await what(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(asked())

    def messages(self) -> int:
        async def count(stream: Any) -> int:
            return (await stream.stream_info("FINDINGS")).state.messages

        return self.ask(count)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("nats")
    authority, port = Authority(folder), free_port()
    shown = authority.server("localhost")
    config = folder / "nats.conf"
    config.write_text(
        _CONFIG.format(port=port, folder=folder, certificate=shown.certificate, key=shown.key, secret=SECRET)
    )
    program = next((unpacked("nats-server") / "usr").glob("*bin/nats-server"))
    with served([program, "-c", config], port, folder / "log"):
        running = Server(port, authority)
        running.ask(lambda stream: stream.add_stream(name="FINDINGS", subjects=["securescan.findings"]))
        yield running


def test_a_stream_gets_each_finding_once_however_often_it_is_sent(server: Server) -> None:
    items, before = finding_items(1000), server.messages()
    sink = server.sink()
    assert sink.send(items[:600]) == [None] * 600
    sink.close()
    again = server.sink()
    assert again.send(items) == [ALREADY_THERE] * 600 + [None] * 400
    assert again.requests == 1001
    again.close()
    assert server.messages() - before == 1000

    async def last(stream: Any) -> Any:
        return await stream.get_last_msg("FINDINGS", "securescan.findings")

    message = server.ask(last)
    assert message.data == items[-1].body
    assert message.headers["Nats-Msg-Id"] == items[-1].key
    assert message.headers["Securescan-Fingerprint"] == items[-1].fingerprint
    assert message.headers["Securescan-Activity"] == "created"


def test_what_the_server_refuses_is_told_of_the_message_alone(server: Server) -> None:
    large = Item("f" * 32, "large", "run-1", body=b"x" * 70_000)
    small = finding_items(2, "run-2")
    sink = server.sink()
    outcomes = sink.send([small[0], large, small[1]])
    sink.close()
    assert outcomes[0] is None and outcomes[2] is None
    assert outcomes[1].reason == "invalid_request" and "larger" in outcomes[1].message


@pytest.mark.parametrize(
    ("own", "common", "reason"),
    [
        ({}, {"password": "wrong-secret"}, "not_authenticated"),
        ({}, {"ca_cert": ""}, "tls_failed"),
        ({"subject": "others.findings"}, {"timeout": 2.0}, "not_permitted"),
        ({"subject": "nobody.takes.it"}, {"username": "admin", "password": "admin-secret"}, "not_found"),
        ({"stream": "ANOTHER"}, {}, "invalid_request"),
    ],
    ids=["password", "certificate", "permission", "no stream", "another stream"],
)
def test_a_refusal_says_its_cause(
    own: dict[str, str], common: dict[str, Any], reason: str, server: Server
) -> None:
    sink = server.sink(own, **common)
    try:
        outcome = sink.send(finding_items(1, "run-3"))[0]
        record = outcome.to_json()
    except ScanError as error:
        record = error.record()
    finally:
        sink.close()
    assert record["reason"] == reason, record
    assert "secret" not in str(record)


def test_a_run_arrives_once_over_connections_that_break_and_a_push_that_is_killed(
    server: Server, tmp_path: pathlib.Path
) -> None:
    run, before = wide_run(tmp_path, 1000), server.messages()
    with CuttingProxy(server.port, 30_000, 150_000) as proxy:
        ended = push_and_kill(
            {"system": "nats", "run_dir": run.folder, "url": f"tls://127.0.0.1:{proxy.port}", "username": "publisher",
             "password": SECRET, "ca_cert": str(server.authority.ca), "batch_items": 25, "retries": 50, "timeout": 5},
            kill_when=lambda: server.messages() - before > 1000,
        )  # fmt: skip
    assert proxy.cuts > 5 and ended.kills == 1
    assert server.messages() - before == 3000
    shown(
        "NATS",
        "2.10",
        "nats: 3,000 findings, each once, over connections that break and a push that is killed",
    )


def test_nobody_at_the_port_is_unreachable() -> None:
    sink = make_sink(NATS, url=f"tls://127.0.0.1:{free_port()}")
    with pytest.raises(ScanError) as caught:
        sink.send(finding_items(1))
    assert caught.value.reason == "unreachable"


def test_a_server_that_says_it_needs_no_tls_gets_neither_login_nor_finding() -> None:
    got = bytearray()
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def serve() -> None:
            connection, _address = listener.accept()
            with connection:
                connection.sendall(
                    b'INFO {"server_id":"x","version":"2.10.0","max_payload":65536,"auth_required":true,"headers":true}\r\n'
                )
                connection.settimeout(3.0)
                with contextlib.suppress(OSError):
                    while data := connection.recv(4096):
                        got.extend(data)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        sink = make_sink(
            NATS, url=f"nats://127.0.0.1:{listener.getsockname()[1]}", username="publisher", password=SECRET
        )
        with pytest.raises(ScanError) as caught:
            sink.send(finding_items(3))
        sink.close()
        thread.join(10)
    assert caught.value.reason == "tls_failed" and SECRET.encode() not in got and b"PUB" not in got


def test_a_cancelled_push_ends_at_once(server: Server) -> None:
    cancel = threading.Event()
    sink = server.sink(cancel=cancel)
    sink.send(finding_items(1, "run-4"))
    cancel.set()
    with pytest.raises(ScanError) as caught:
        sink.send(finding_items(50, "run-5"))
    sink.close()
    assert caught.value.reason == "cancelled"


def test_what_is_no_server_or_subject_is_refused_before_anything_is_sent(tmp_path: pathlib.Path) -> None:
    for own, common in (
        ({}, {"url": "http://127.0.0.1:4222"}),
        ({}, {"url": "tls://user:secret@127.0.0.1"}),
        ({"subject": "a b"}, {"url": "tls://127.0.0.1"}),
        ({"subject": "a.>"}, {"url": "tls://127.0.0.1"}),
        ({}, {"url": "tls://127.0.0.1", "username": "x"}),
        ({}, {"url": ""}),
    ):
        with pytest.raises(ScanError) as caught:
            make_sink(NATS, own, **common)
        assert caught.value.reason == "bad_option" and "secret" not in str(caught.value)
