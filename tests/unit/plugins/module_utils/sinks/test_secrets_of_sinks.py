# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No credential of any sink gets out, also where the system sends back all that it got: not in results, messages, lines, logs of
libraries, the spool, the report of deliveries or command lines.

A new sink, and a new option with a secret, must have its case here.
"""

from __future__ import annotations

import base64
import json
import logging
import pathlib
import subprocess
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.push import scan_push_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.registry import SINKS
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.push import run_scan_push
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.support.https_server import (
    Answer,
    FakeHttpsServer,
    Received,
)
from ansible_collections.securescan.kubernetes.tests.support.pushes import wide_run

PLANTED = "Planted-4711-{}-%/+&=never-shown"
USER = "scanner"
# Secrets that stand in other options: userinfo of a URL, the content of a file. They have cases for all sinks below.
IN_OTHERS = {"url", "proxy", "client_key"}
SECRET_COMMON = {"token", "password"}


def planted(name: str) -> str:
    return PLANTED.format(name)


LOGIN = {"username": USER, "password": planted("password")}
TOKEN = {"token": planted("token")}
# system -> combinations of its credentials, each with what it needs besides; {port} is that of the server, {items} a file of
# configuration items
CASES: dict[str, list[dict[str, Any]]] = {
    "heimdall": [TOKEN, LOGIN],
    "defectdojo": [{**TOKEN, "product_name": "shop", "engagement_name": "scan"}],
    "emass": [{**TOKEN, "system_id": 7, "user_uid": "u-1"}],
    "webhook": [{**TOKEN, "signing_secret": planted("signing_secret")}],
    "splunk": [TOKEN],
    "syslog": [{"url": "tls://127.0.0.1:{port}"}],
    "elastic": [TOKEN, LOGIN],
    "otlp": [TOKEN],
    "securityhub": [{**LOGIN, "username": "AKIAEXAMPLE", "region": "eu-west-1", "account": "123456789012"}],
    "openreports": [TOKEN],
    "s3": [
        {
            "bucket": "runs",
            "region": "eu-west-1",
            "access_key": "AKIAEXAMPLE",
            "secret_key": planted("secret_key"),
            "session_token": planted("session_token"),
        }
    ],
    "netbox": [{**TOKEN, "configuration_items": "{items}", "object_type": "cluster"}],
    "kafka": [{**LOGIN, "brokers": ["127.0.0.1:{port}"], "url": ""}],
    "nats": [{**TOKEN, "url": "tls://127.0.0.1:{port}"}, {**LOGIN, "url": "tls://127.0.0.1:{port}"}],
}
# They are not reached by HTTP: here the server answers with what they cannot read.
OTHER_PROTOCOLS = ("syslog", "kafka", "nats")
# They sign with their secret and do not send it.
SIGNING = ("s3", "securityhub")
ALL = [
    pytest.param(system, case, id=f"{system}-{number}")
    for system, cases in CASES.items()
    for number, case in enumerate(cases)
    if system in SINKS
]


def test_each_sink_and_each_secret_option_has_its_case() -> None:
    assert set(SINKS) <= set(CASES), "a new sink needs its credentials in CASES"
    for name, kind in SINKS.items():
        own = {option for option, rule in kind.options.items() if rule.get("no_log")}
        secret = own | (SECRET_COMMON & set(kind.common))
        given = {option for case in CASES[name] for option in case}
        assert secret <= given, f"{name}: {sorted(secret - given)} is planted nowhere"


def test_every_option_that_is_called_like_a_secret_is_hidden_by_ansible() -> None:
    for name, rule in scan_push_spec().items():
        if any(word in name for word in ("token", "password", "secret", "passphrase")):
            assert rule.get("no_log") is True, name


def forms(secret: str) -> list[bytes]:
    """The secret as it is, and as requests and files carry it."""
    login = f"{USER}:{secret}"
    return [
        secret.encode(),
        urllib.parse.quote(secret, safe="").encode(),
        json.dumps(secret)[1:-1].encode(),
        base64.b64encode(secret.encode()).rstrip(b"="),
        base64.b64encode(login.encode()).rstrip(b"="),
    ]


class Heard:
    """All that somebody gets to see of a push."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self.texts: list[str] = []
        self.result: dict[str, Any] = {}

    def push(self, **params: Any) -> None:
        """What is returned or raised, said, warned and told."""
        given = {name: rule.get("default") for name, rule in scan_push_spec().items()}
        context = TaskContext(check_mode=False, environ={}, say=self.texts.append, tell=self.texts.append)
        for check_mode in (True, False):
            context.check_mode = check_mode
            try:
                self.result = run_scan_push({**given, **params}, context)
                self.texts.append(json.dumps(self.result))
            except ScanError as error:
                self.texts += [str(error), json.dumps(error.record()), repr(error.__cause__)]
        self.texts += context.warnings

    def shows(self, secrets: list[bytes]) -> list[str]:
        """Where one of the secrets can be seen."""
        places = {f"text {number}": text.encode() for number, text in enumerate(self.texts)}
        places.update((str(path), path.read_bytes()) for path in self._folder.rglob("*") if path.is_file())
        return [
            f"{name}: {content[max(0, content.find(secret) - 80) :][:200]!r}"
            for name, content in places.items()
            for secret in secrets
            if secret in content
        ]


@pytest.fixture
def heard(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[Heard]:
    folder = tmp_path / "runs"
    heard = Heard(folder)
    begin = subprocess.Popen.__init__

    def watched(self: Any, args: Any, *rest: Any, **fields: Any) -> None:
        heard.texts.append(repr(args))
        begin(self, args, *rest, **fields)

    monkeypatch.setattr(subprocess.Popen, "__init__", watched)
    # as Ansible keeps in its log file what libraries say
    with caplog.at_level(logging.INFO):
        yield heard


def echo(status: int) -> Any:
    """A server that shows the credential that it got, in every field in which systems say what is wrong, and in a header. It
    stands first, because messages are cut."""

    def answer(request: Received) -> Answer:
        headers = request.headers
        authorization = headers.get("authorization", "")
        decoded = base64.b64decode(authorization.partition(" ")[2] + "==", validate=False)
        said = [authorization, headers.get("api-key", ""), decoded.decode("utf-8", "replace"), request.path]
        # a login in the body
        said.append("" if authorization else request.body.decode("utf-8", "replace")[:300])
        text = " ".join(filter(None, said))
        fields = ("error", "errors", "message", "Message", "text", "detail", "reason", "title")
        body = {**dict.fromkeys(fields, text), "code": 6, "status": status}
        return Answer(status, json.dumps(body).encode(), {"X-Seen": authorization or "-"})

    return answer


def params_of(
    case: dict[str, Any], server: FakeHttpsServer, authority: Authority, folder: pathlib.Path, system: str
) -> dict[str, Any]:
    run = wide_run(folder, 2)
    items = folder / "items.json"
    items.write_text('{"items": [{"item": "shop"}]}')
    port = urllib.parse.urlsplit(server.url).port

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(one) for one in value]
        if not isinstance(value, str):
            return value
        return value.replace("{port}", str(port)).replace("{items}", str(items))

    given: dict[str, Any] = {
        "system": system,
        "run_dir": run.folder,
        "url": server.url,
        "retries": 0,
        "timeout": 1.0,
    }
    if "ca_cert" in SINKS[system].common:
        given["ca_cert"] = str(authority.ca)
    if system == "emass":  # it knows nobody without one
        client = authority.client(USER)
        given.update(client_cert=str(client.certificate), client_key=str(client.key))
    return {**given, **{name: filled(value) for name, value in case.items()}}


@pytest.mark.parametrize(("system", "case"), ALL)
def test_a_credential_is_shown_nowhere_though_the_system_sends_it_back(
    system: str,
    case: dict[str, Any],
    https_server: FakeHttpsServer,
    authority: Authority,
    tmp_path: pathlib.Path,
    heard: Heard,
    caplog: pytest.LogCaptureFixture,
) -> None:
    secrets = [form for name in case for form in forms(planted(name)) if case[name] == planted(name)]
    assert secrets or system == "syslog"
    params = params_of(case, https_server, authority, tmp_path / "runs", system)
    for status in (200, 400, 401, 500) if system not in OTHER_PROTOCOLS else (200,):
        https_server.answer = echo(status)
        heard.push(**params)
    heard.texts.append(caplog.text)
    assert heard.shows(secrets) == []
    if system not in OTHER_PROTOCOLS:
        assert https_server.received, heard.texts
    if system not in (*OTHER_PROTOCOLS, *SIGNING):
        sent = [value.encode() for request in https_server.received for value in request.headers.values()]
        sent += [request.body for request in https_server.received]
        assert any(secret in value for secret in secrets for value in sent), "it was never used"


@pytest.mark.parametrize("option", ["url", "proxy"])
@pytest.mark.parametrize("system", sorted(SINKS))
def test_a_secret_in_a_url_is_shown_nowhere(
    system: str,
    option: str,
    https_server: FakeHttpsServer,
    authority: Authority,
    tmp_path: pathlib.Path,
    heard: Heard,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if option not in SINKS[system].common:
        return
    secret = "Planted4711InAddress"
    https_server.answer = echo(401)
    params = params_of(CASES[system][0], https_server, authority, tmp_path / "runs", system)
    scheme, _slashes, rest = (params["url"] if option == "url" else "http://127.0.0.1:9").partition("://")
    heard.push(**{**params, option: f"{scheme}://{USER}:{secret}@{rest}"})
    heard.texts.append(caplog.text)
    assert heard.shows(forms(secret)) == []


@pytest.mark.parametrize("system", sorted(SINKS))
def test_a_clients_key_is_shown_nowhere(
    system: str,
    https_server: FakeHttpsServer,
    authority: Authority,
    tmp_path: pathlib.Path,
    heard: Heard,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if "client_key" not in SINKS[system].common:
        return
    client = authority.client("scanner")
    https_server.answer = echo(400)
    params = params_of(CASES[system][0], https_server, authority, tmp_path / "runs", system)
    heard.push(**{**params, "client_cert": str(client.certificate), "client_key": str(client.key)})
    # a file that is no key, whose content is one
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN PRIVATE KEY-----\nPlanted4711NoKey\n-----END PRIVATE KEY-----\n")
    heard.push(**{**params, "client_cert": str(client.certificate), "client_key": str(broken)})
    heard.texts.append(caplog.text)
    body = pathlib.Path(client.key).read_bytes().splitlines()[1]
    assert heard.shows([body, b"Planted4711NoKey"]) == []
