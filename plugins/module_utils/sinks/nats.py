# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NATS with JetStream: one message for each finding, which the stream acknowledges.

Each message has the header Nats-Msg-Id, the same for each attempt, so that the stream keeps one of several within its window for
duplicates. The connection is always TLS. Neither credential nor finding is sent before the handshake, although the protocol
begins in clear text and its library follows what a server says there.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Iterator, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ..errors import ScanError
from ..results.target_record import ErrorRecord
from ..safe_text import server_text
from .event_items import event_format, event_items
from .item import ALREADY_THERE, Item, Outcome
from .pushed import Pushed
from .sink import Limits, Sink, SinkKind
from .sink_options import EVENT_OPTIONS, LOGIN_OPTIONS, TLS_OPTIONS, TOKEN_OPTIONS, SinkOptions

_LIMITS = Limits(items=256, bytes=4 * 1024 * 1024)
_SUBJECT = re.compile(r"[A-Za-z0-9_-]{1,100}(?:\.[A-Za-z0-9_-]{1,100}){0,15}")
_DEFAULT_SUBJECT = "securescan.findings"
_PORT = 4222
_CANCEL_SECONDS = 0.1
_STREAM_IS_FULL = 10077
Answer = TypeVar("Answer")


class Nats(Sink):
    """Publishes to a subject that a stream takes."""

    def __init__(self, options: SinkOptions) -> None:
        self._library = _library()
        self._options = options
        self._address = _address(options.needed("url"))
        self._subject = _subject(options.own["subject"] or _DEFAULT_SUBJECT)
        self._stream = options.own["stream"] or ""
        self._format = event_format(options)
        if bool(options.username) != bool(options.password):
            raise _bad("username", "username and password belong together")
        if options.token and options.username:
            raise _bad("token", "give a token, or username and password")
        self._handshake = _Handshake()
        self._context = self._handshake.watch(options.tls().context())
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: Any = None
        self._last_error: BaseException | None = None
        self._requests = 0
        self.secrets = tuple(filter(None, (options.token, options.password)))
        self.destination = f"{self._address} {self._subject}"
        self.limits = _LIMITS

    @property
    def requests(self) -> int:
        return self._requests

    def items(self, pushed: Pushed) -> Iterator[Item]:
        return event_items(pushed, self._format)

    def send(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        outcomes = self._loop.run_until_complete(self._send(batch))
        if any(isinstance(one, ErrorRecord) and one.reason == "connection_lost" for one in outcomes):
            self.close()
        return outcomes

    def close(self) -> None:
        loop, client = self._loop, self._client
        self._loop = self._client = None
        if loop is None:
            return
        try:
            if client is not None:
                loop.run_until_complete(asyncio.wait_for(client.close(), self._options.timeout))
        except Exception:  # noqa: BLE001, S110 - what is closed has acknowledged everything that counts
            pass
        finally:
            loop.close()

    async def _send(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        if self._client is None or not self._client.is_connected:
            self._client = await self._cancellable(self._connect(), "connect")
        stream = self._client.jetstream(timeout=self._options.timeout)
        self._last_error = None
        self._requests += len(batch)
        published = [asyncio.ensure_future(self._publish(stream, item)) for item in batch]
        await self._cancellable(self._ended(published), "publish")
        return [self._outcome(_answer(one)) for one in published]

    async def _ended(self, published: Sequence[asyncio.Future[Any]]) -> None:
        """Until each is acknowledged or has failed. Where the connection is lost, the library would wait for nothing."""
        try:
            waiting: set[asyncio.Future[Any]] = set(published)
            while waiting and self._client.is_connected:
                _done, waiting = await asyncio.wait(waiting, timeout=_CANCEL_SECONDS)
        finally:
            for one in published:
                one.cancel()
            await asyncio.gather(*published, return_exceptions=True)

    async def _publish(self, stream: Any, item: Item) -> Any:
        headers = {
            "Nats-Msg-Id": item.key,
            "Content-Type": self._format.content_type,
            "Securescan-Activity": item.activity,
            "Securescan-Fingerprint": item.fingerprint,
        }
        return await stream.publish(
            self._subject, item.body, stream=self._stream or None, headers={k: v for k, v in headers.items() if v}
        )  # fmt: skip

    async def _connect(self) -> Any:
        options, tried = self._options, f"connect to {self._address}"
        client = self._library.aio.client.Client()

        async def keep(error: BaseException) -> None:
            self._last_error = error

        self._handshake.is_done = False
        self._requests += 1
        try:
            # the secrets are functions, which are asked behind the handshake; with 0 attempts the library tries for ever
            connecting = client.connect(
                f"nats://{self._address}",
                tls=self._context,
                tls_hostname=urlsplit(f"//{self._address}").hostname,
                user=options.username or None,
                password=self._behind_tls(options.password),
                token=self._behind_tls(options.token),
                error_cb=keep,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=options.timeout,
                name="securescan.kubernetes",
            )
            await asyncio.wait_for(connecting, options.timeout)
        except Exception as error:  # noqa: BLE001 - the library lets those of sockets and of TLS through
            raise self._connection_error(error, tried) from None
        if not self._handshake.is_done:
            await client.close()
            raise _no_tls(tried)
        return client

    def _behind_tls(self, secret: str) -> Any:
        def reveal() -> str:
            if not self._handshake.is_done:
                raise _NoTlsError
            return secret

        return reveal if secret else None

    async def _cancellable(self, work: Awaitable[Answer], what: str) -> Answer:
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                if self._options.cancel.is_set():
                    raise ScanError("cancelled", "the push was cancelled", tried=f"{what} at {self._address}")
                await asyncio.wait([task], timeout=_CANCEL_SECONDS)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=1.0)
                if task.done() and not task.cancelled():
                    task.exception()  # seen
        return task.result()

    def _outcome(self, answer: Any) -> Outcome:
        """Of one message. :raises ScanError: all others would end alike"""
        if not isinstance(answer, BaseException):
            return ALREADY_THERE if answer.duplicate else None
        tried = f"publish to {self._address} {self._subject}"
        errors, stream_errors = self._library.errors, self._library.js.errors
        if isinstance(answer, ScanError):
            raise answer
        if isinstance(answer, stream_errors.NoStreamResponseError):
            raise ScanError(
                "not_found",
                f"no stream takes the subject {self._subject}",
                tried=tried,
                cause="JetStream is off, or no stream has this subject.",
                advice="Make a stream for the subject, or give the subject of one.",
            )
        if "permissions violation" in str(self._last_error).lower():
            raise ScanError("not_permitted", self._said(self._last_error), tried=tried)
        if isinstance(answer, errors.MaxPayloadError):
            return self._record("invalid_request", "the message is larger than the server allows", tried)
        if isinstance(answer, stream_errors.APIError):
            is_full = answer.code in (500, 503) or answer.err_code == _STREAM_IS_FULL
            return self._record("server_error" if is_full else "invalid_request", self._said(answer), tried)
        if isinstance(answer, (errors.TimeoutError, asyncio.TimeoutError)) and self._client.is_connected:
            return self._record("timed_out", "the stream did not acknowledge the message in time", tried)
        return self._record("connection_lost", self._said(self._last_error or answer), tried)

    def _connection_error(self, error: Exception, tried: str) -> ScanError:
        cause = self._last_error or error
        if isinstance(error, _NoTlsError) or isinstance(cause, _NoTlsError):
            return _no_tls(tried)
        said = self._said(cause)
        if isinstance(cause, ssl.SSLError):
            return ScanError("tls_failed", said, tried=tried, cause="The server's certificate was not accepted.",
                             advice="Give the CA by ca_cert, and the name that the certificate has by url.")  # fmt: skip
        if isinstance(cause, self._library.errors.AuthorizationError) or "authorization" in said.lower():
            return ScanError("not_authenticated", "the server refused the login", tried=tried,
                             cause="The server does not know this user or token.",
                             advice="Give the username and password, or the token.")  # fmt: skip
        if isinstance(cause, asyncio.TimeoutError):
            return ScanError("timed_out", "the server did not answer", tried=tried)
        return ScanError("unreachable", said, tried=tried, cause="The server could not be reached.",
                         advice="Check host, port and firewall from the machine that runs the task.")  # fmt: skip

    def _said(self, error: BaseException | None) -> str:
        return server_text(str(error) or type(error).__name__, self.secrets)

    def _record(self, reason: str, message: str, tried: str) -> ErrorRecord:
        return ErrorRecord(**ScanError(reason, message, tried=tried).record())


def _answer(published: asyncio.Future[Any]) -> Any:
    """What came back, or the error."""
    return asyncio.CancelledError() if published.cancelled() else published.exception() or published.result()


class _NoTlsError(Exception):
    """The server wants the login without TLS."""


class _Handshake:
    """Knows whether a TLS handshake was done with a context."""

    def __init__(self) -> None:
        self.is_done = False

    def watch(self, context: ssl.SSLContext) -> ssl.SSLContext:
        handshake = self

        class Watched(ssl.SSLObject):
            def do_handshake(self) -> None:
                super().do_handshake()
                handshake.is_done = True

        context.sslobject_class = Watched
        return context


def _library() -> Any:
    """:raises ScanError: missing_library"""
    try:
        import nats.aio.client
        import nats.errors
        import nats.js.errors
    except ImportError:
        raise ScanError(
            "missing_library",
            "nats-py is not installed",
            tried="import nats",
            advice="Install requirements-push.txt of the collection for the Python that runs the task.",
        ) from None
    if not hasattr(nats.aio.client, "CredentialCallback"):
        raise ScanError(
            "missing_library",
            "this nats-py is older than 2.16: it would send a password without TLS to a server that says so",
            tried="import nats",
            advice="Install requirements-push.txt of the collection for the Python that runs the task.",
        )
    return nats


def _address(url: str) -> str:
    """host:port. :raises ScanError: bad_option; the message does not repeat the URL, which may hold a credential"""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORT
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("nats", "tls") or not url.isascii() or not url.isprintable():
        raise _bad("url", "the server's URL is not of the form tls://host:port")
    if parts.username is not None or parts.query or parts.fragment or parts.path not in ("", "/"):
        raise _bad("url", "the server's URL holds more than host and port")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _subject(text: str) -> str:
    if not _SUBJECT.fullmatch(text):
        raise _bad("subject", "subject must be words of letters, digits, _ and -, with dots between them")
    return text


def _no_tls(tried: str) -> ScanError:
    return ScanError(
        "tls_failed",
        "the server does not speak TLS, and nothing was sent to it",
        tried=tried,
        cause="Its configuration has no tls, or somebody stands between.",
        advice="Give the server a certificate (tls in its configuration).",
    )


def _bad(option: str, problem: str) -> ScanError:
    return ScanError("bad_option", problem, tried=f"reading the option {option}")


NATS = SinkKind(
    "nats",
    {"subject": {"type": "str"}, "stream": {"type": "str"}},
    ("url", *TLS_OPTIONS, *LOGIN_OPTIONS, *TOKEN_OPTIONS, *EVENT_OPTIONS),
    Nats,
)
