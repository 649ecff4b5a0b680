# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP requests to one server that is not a cluster, such as a system that results are sent to."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from ..errors import ScanError
from ..safe_text import server_text
from .deadline import Deadline
from .http_pool import HttpPool, HttpReply, HttpRequest, HttpTarget, retry_after
from .proxy import ProxyChoice, choose_proxy
from .tls import TlsClient
from .transport import Endpoint

REPLY_LIMIT = 1024 * 1024
ERROR_LIMIT = 64 * 1024
_USER_AGENT = "securescan.kubernetes"
_REASONS = {
    401: "not_authenticated",
    403: "not_permitted",
    404: "not_found",
    409: "conflict",
    410: "not_found",
    429: "throttled",
}
# The catalogue speaks of the API server; of another server this is what it means, and what to do.
_MEANING = {
    "unreachable": (
        "The server could not be reached.",
        "Check host, port, proxy and firewall from the machine that runs the task.",
    ),
    "tls_failed": (
        "The server's certificate was not accepted.",
        "Give the CA that issued the server's certificate (ca_cert).",
    ),
    "not_authenticated": (
        "The server did not accept the credential.",
        "Renew the credential for this server.",
    ),
    "not_permitted": (
        "The server refused the request (403).",
        "Let the owner of the server grant the credential what the message names.",
    ),
    "not_found": ("The server has nothing at this address.", "Check the URL."),
    "conflict": ("The server has something else under this name (409).", "Look at what the server holds."),
    "throttled": ("The server asked for less traffic (429).", "Run again later."),
    "server_error": ("The server failed (5xx).", "Look at the server's log, then run again."),
    "bad_reply": (
        "The server answered with something that was not expected.",
        "Check that the URL is that of the system, and that no proxy alters its answers.",
    ),
    "invalid_request": ("The server refused what was sent.", "See the server's message."),
    "connection_lost": (
        "The connection ended before the reply did.",
        "Run again; if it stays, look at proxies and load balancers.",
    ),
    "timed_out": ("The deadline passed before the reply was complete.", "Raise the timeout, then run again."),
}


class HttpError(ScanError):
    """A reply outside 200 to 299.

    :ivar status: the HTTP status
    :ivar body: what the server said, at most 64 KiB
    :ivar retry_after: seconds for which the server asked us to wait; None if it did not
    """

    def __init__(self, reason: str, message: str, reply: HttpReply, tried: str) -> None:
        cause, advice = _MEANING[reason]
        super().__init__(reason, message, tried=tried, cause=cause, advice=advice)
        self.status = reply.status
        self.body = reply.body
        self.retry_after = retry_after(reply.headers)


@dataclass(frozen=True)
class HttpServer:
    """Where a server is and who we are towards it.

    :ivar url: https://host:port/base/path. A credential in it is refused: it would end in messages and logs.
    :ivar tls: what is trusted, and our client certificate
    :ivar headers: sent with every request, for example Authorization
    :ivar secrets: texts that must not appear in any message (the token in `headers`)
    :ivar proxy: scheme://host:port; empty for that of HTTPS_PROXY, if there is one
    :ivar no_proxy: hosts that are reached without a proxy, in the form of NO_PROXY
    """

    url: str
    tls: TlsClient = field(default_factory=lambda: TlsClient(None, True))
    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: Sequence[str] = ()
    proxy: str = ""
    no_proxy: str = ""

    def __repr__(self) -> str:
        return f"HttpServer({shown_url(self.url)})"

    def target(self, environ: Mapping[str, str]) -> HttpTarget:
        """:raises ScanError: bad_option"""
        parts = split_url(self.url)
        host = parts.hostname or ""
        port = parts.port or 443
        choice = ProxyChoice(self.proxy, exceptions=self.no_proxy)
        proxy = choose_proxy(host, port, environ, choice)
        endpoint = Endpoint(host, port, parts.path.rstrip("/"), host, proxy)
        headers = {"User-Agent": _USER_AGENT, **self.headers}
        if any(not value.isascii() or not value.isprintable() for value in headers.values()):
            raise ScanError("bad_option", "a header contains characters that are not allowed in it")
        return HttpTarget(endpoint, self.tls, tuple(headers.items()), tuple(self.secrets))


class HttpClient:
    """Requests to one server. Safe to use from several threads. Nothing is tried again.

    :param environ: HTTPS_PROXY and NO_PROXY are read from it
    :param timeout: seconds for one request, with its connection
    :param cancel: ends every wait
    :raises ScanError: bad_option
    """

    def __init__(
        self,
        server: HttpServer,
        environ: Mapping[str, str],
        *,
        timeout: float = 30.0,
        cancel: threading.Event | None = None,
    ) -> None:
        self._target = server.target(environ)
        self._url = shown_url(server.url)
        self._timeout = timeout
        self._cancel = cancel
        self._pool = HttpPool()

    def send(
        self,
        method: str,
        path: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limit: int = REPLY_LIMIT,
    ) -> HttpReply:
        """Send one request. A redirect is not followed: credential and body are for this server only.

        :param path: path and query, quoted, behind the base path of the server's URL; empty for that path
            itself
        :param limit: most bytes of a good reply's body; of any other reply 64 KiB are read
        :raises HttpError: a status outside 200 to 299
        :raises ScanError: unreachable (nothing was sent), connection_lost and timed_out (it may have been),
            tls_failed, bad_reply, cancelled
        """
        secrets = self._target.secrets
        tried = server_text(f"{method} {self._url}{path.partition('?')[0]}", secrets)
        request = HttpRequest(
            method, path or ("" if self._target.endpoint.base_path else "/"), headers or {}, body
        )
        try:
            reply = self._pool.exchange(
                self._target,
                request,
                limit=limit,
                deadline=Deadline(self._timeout, self._cancel, tried),
                error_limit=ERROR_LIMIT,
            )
        except ScanError as error:
            cause, advice = _MEANING.get(error.reason, (error.cause, error.advice))
            raise ScanError(error.reason, error.message, tried=tried, cause=cause, advice=advice) from None
        if not reply.is_success:
            raise _refused(reply, tried, secrets)
        return reply

    def close(self) -> None:
        """Close the connections that are kept. The client may be used again."""
        self._pool.close()


def split_url(url: str) -> SplitResult:
    """The parts of the URL of a server.

    :raises ScanError: bad_option; the message does not repeat the URL, which may hold a credential
    """
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, is_whole = urlsplit(""), False
    if parts.scheme != "https" or not is_whole or not url.isascii() or not url.isprintable() or " " in url:
        raise ScanError("bad_option", "the server's URL is not of the form https://host:port/path")
    if parts.username is not None or parts.query or parts.fragment:
        raise ScanError("bad_option", "the server's URL holds a user, a query or a fragment")
    return parts


def shown_url(url: str) -> str:
    """A URL as messages may show it: without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "(not a URL)"
    if not host:
        return server_text(parts.path)
    host = f"[{host}]" if ":" in host else host
    return server_text(f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}")


def _refused(reply: HttpReply, tried: str, secrets: Sequence[str]) -> HttpError:
    text = server_text(reply.body.decode("utf-8", "replace"), secrets, limit=200)
    message = f"HTTP {reply.status}{': ' + text if text else ''}"
    reason = _REASONS.get(reply.status, "server_error" if reply.status >= 500 else "bad_reply")
    if 300 <= reply.status < 400:
        where = server_text(shown_url(reply.headers.get("location", "")), secrets)
        message = f"HTTP {reply.status}, a redirect to {where}, which is not followed"
    elif reason == "bad_reply" and reply.status >= 400:
        reason = "invalid_request"
    return HttpError(reason, message, reply, tried)
