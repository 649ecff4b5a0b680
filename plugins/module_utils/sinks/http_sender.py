# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP for sinks: one server, its credential, bounded answers. What is tried again, and when, is decided in push.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..network.http_client import REPLY_LIMIT, HttpClient, HttpServer
from ..network.http_pool import HttpReply
from .sink_options import SinkOptions


class HttpSender:
    """Requests of one sink. The server's certificate is checked, redirects are not followed.

    :param headers: sent with every request, the credential among them
    :param secrets: texts that must not appear in any message, though a server may send them back
    :ivar requests: how many were sent
    :raises ScanError: bad_option, bad_file
    """

    def __init__(
        self, options: SinkOptions, headers: Mapping[str, str] | None = None, secrets: Sequence[str] = ()
    ) -> None:
        server = HttpServer(
            options.needed("url"),
            options.tls(),
            dict(headers or {}),
            [secret for secret in secrets if secret],
            options.proxy,
            options.no_proxy,
        )
        self.requests = 0
        self._client = HttpClient(server, options.environ, timeout=options.timeout, cancel=options.cancel)

    def send(
        self,
        method: str,
        path: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limit: int = REPLY_LIMIT,
    ) -> HttpReply:
        """One request, sent once. Arguments and errors are those of `HttpClient.send`: an HttpError has the status and
        `retry_after`."""
        self.requests += 1
        return self._client.send(method, path, headers=headers, body=body, limit=limit)

    def close(self) -> None:
        """Closes the connections that are kept."""
        self._client.close()
