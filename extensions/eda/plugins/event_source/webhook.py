# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event source: requests over HTTP, and the alerts of an Alertmanager."""

from __future__ import annotations

import asyncio
import logging
import runpy
import ssl
import time
from pathlib import Path
from typing import Any

runpy.run_path(str(Path(__file__).absolute().parents[1] / "find_engine.py"))

from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.message_door import (
    MessageDoor,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.source_options import (
    ALLOW_OPTIONS,
    QUEUE_OPTIONS,
    SourceOptions,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.told_events import (
    request_event,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.http_door import (
    MOST_BODY,
    Answer,
    HttpDoor,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.signature import (
    signing_key,
)

DOCUMENTATION = r"""
short_description: Take requests for scans over HTTP, and alerts
description:
  - Answers a signed POST to C(/requests) with 202 and the run id, once the request is in the queue. The same message again gets the
    same run id.
  - Takes the alerts of an Alertmanager at C(/alerts), and tells at C(/requests/RUN_ID) what has become of a request; both with a
    bearer token.
  - Of a request, rules are told its run id, its cluster, its action and this source, and nothing else that its sender wrote.
options:
  host:
    description: The address to listen at. Another than a loopback one needs O(certfile).
    type: str
    default: 127.0.0.1
  port:
    description: The TCP port.
    type: int
    required: true
  certfile:
    description: A certificate with its chain, in PEM.
    type: str
  keyfile:
    description: The key of O(certfile), where it is in another file.
    type: str
  cafile:
    description: CA certificates; then each client needs a certificate of one of them.
    type: str
  signing_secret:
    description:
      - The secret with which senders sign requests, as in Standard Webhooks. C(whsec_) with Base64, or a text of 16 bytes or more.
      - Without one of O(signing_secret) and O(signing_secret_file) there is no C(/requests).
    type: str
  signing_secret_file:
    description: A file with the secret in its first line.
    type: str
  next_signing_secret:
    description: A second secret, which is taken, too, while senders change theirs.
    type: str
  next_signing_secret_file:
    description: A file with the second secret in its first line.
    type: str
  token:
    description: The bearer token for C(/alerts) and for the states. Without it these paths do not exist.
    type: str
  token_file:
    description: A file with the token in its first line.
    type: str
  queue:
    description: The folder of the queue.
    type: str
    required: true
  allow_shared_folder:
    description: Whether others are allowed to write to the queue's folder or to one above it.
    type: bool
    default: false
  name:
    description: What this source is called in the queue.
    type: str
    default: webhook
  clusters:
    description: Names or patterns of the clusters that can be asked for.
    type: list
    elements: str
    required: true
  namespaces:
    description: Names or patterns of the namespaces that can be asked for. Empty means all.
    type: list
    elements: str
  actions:
    description: The actions that can be asked for, of V(scan), V(preflight) and V(health). Empty means all.
    type: list
    elements: str
  profiles:
    description: Names or patterns of the profiles that can be asked for. Empty means all that the playbook allows.
    type: list
    elements: str
"""

_LOG = logging.getLogger(__name__)
_OPTIONS = (
    "host", "port", "certfile", "keyfile", "cafile", "signing_secret", "signing_secret_file", "next_signing_secret",
    "next_signing_secret_file", "token", "token_file", *QUEUE_OPTIONS, *ALLOW_OPTIONS,
)  # fmt: skip
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_LEAST_TOKEN = 16
_BODY_SECONDS = 30


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Serves until it is cancelled."""
    try:
        from aiohttp import web
    except ImportError:
        raise ScanError(
            "missing_library",
            "aiohttp is not installed",
            tried="import aiohttp",
            advice="Install ansible-rulebook, which brings it, for the Python that runs this source.",
        ) from None
    options = SourceOptions.of(args, "webhook", _OPTIONS)
    door = _door(options)
    host, port = options.text("host", "127.0.0.1"), options.whole_number("port", 0, 1, 65535)
    context = _tls(options)
    if context is None and host not in _LOOPBACK:
        raise ScanError(
            "bad_option", f"{host} is no loopback address: give certfile", tried="reading the option host"
        )

    async def answer(request: web.Request) -> web.Response:
        try:
            # as bytes, and before anything is read out of it: the signature is over the bytes
            body = await asyncio.wait_for(request.read(), _BODY_SECONDS)
        except web.HTTPRequestEntityTooLarge:
            return _response(Answer(413, {"error": "the body is too large"}))
        except asyncio.TimeoutError:
            return _response(Answer(408, {"error": "the body did not come in time"}))
        headers = {name.lower(): value for name, value in request.headers.items()}
        # the queue waits for its lock and for the disk
        told = await asyncio.to_thread(door.answer, request.method, request.path, headers, body)
        if told.status == 500:
            _LOG.error("a request could not be kept: look at the queue %s", door.queue.folder)
        elif told.status >= 400:
            _LOG.warning("%s %s: %d %s", request.method, "requests", told.status, told.body.get("error", ""))
        for one in told.queued:
            await queue.put(request_event(one))
        return _response(told)

    def _response(told: Answer) -> web.Response:
        return web.json_response(dict(told.body), status=told.status, headers=dict(told.headers))

    app = web.Application(client_max_size=MOST_BODY)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=context).start()
        for event in MessageDoor(door.queue, door.allowed, door.source).waiting():
            await queue.put(event)
        await asyncio.Future()
    finally:
        await runner.cleanup()


def _door(options: SourceOptions) -> HttpDoor:
    secrets = [options.secret(name) for name in ("signing_secret", "next_signing_secret")]
    token = options.secret("token")
    if token and len(token) < _LEAST_TOKEN:
        raise ScanError(
            "bad_option", f"it has less than {_LEAST_TOKEN} characters", tried="reading the option token"
        )
    keys = tuple(signing_key(secret) for secret in secrets if secret)
    if not keys and not token:
        raise ScanError(
            "bad_option",
            "without a secret and a token nobody can ask",
            tried="reading the option signing_secret",
        )
    return HttpDoor(options.queue(time.time), options.allowed(), options.source, keys, token, time.time)


def _tls(options: SourceOptions) -> ssl.SSLContext | None:
    certificate, authority = options.text("certfile"), options.text("cafile")
    if not certificate:
        if authority:
            raise ScanError("bad_option", "cafile needs certfile", tried="reading the option cafile")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, options.text("keyfile") or None)
        if authority:
            context.load_verify_locations(authority)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as reason:
        raise ScanError(
            "bad_file",
            f"{certificate}: {reason.strerror or reason}",
            tried="reading the options certfile and cafile",
        ) from None
    return context
