# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of every sink that is reached by HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..network.http_client import HttpClient, HttpServer, split_url
from ..network.tls import ClientCertificate, TlsClient, read_file
from .delivery import Delivery
from .sink import Spec

HTTP_OPTIONS: Spec = {
    "url": {"type": "str", "required": True},
    "token": {"type": "str", "no_log": True},
    "ca_cert": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
    "validate_certs": {"type": "bool", "default": True},
    "proxy": {"type": "str"},
    "no_proxy": {"type": "str"},
    "timeout": {"type": "float", "default": 30.0},
}


class HttpOptions:
    """The parameters of HTTP_OPTIONS, checked.

    :ivar url: the server's URL
    :ivar token: a bearer token, empty for none
    :ivar timeout: seconds for one request
    :raises ScanError: bad_option, bad_file
    """

    def __init__(self, params: Mapping[str, Any]) -> None:
        split_url(params["url"])
        self.url: str = params["url"]
        self.token: str = params.get("token") or ""
        self.timeout = float(params["timeout"])
        if not self.timeout > 0:
            raise ScanError("bad_option", "timeout must be above 0 seconds")
        self._proxy: str = params.get("proxy") or ""
        self._no_proxy: str = params.get("no_proxy") or ""
        self._tls = _tls(params)

    def client(self, delivery: Delivery) -> HttpClient:
        """:raises ScanError: bad_option"""
        server = HttpServer(
            self.url,
            self._tls,
            {"Authorization": f"Bearer {self.token}"} if self.token else {},
            [self.token] if self.token else [],
            self._proxy,
            self._no_proxy,
        )
        return HttpClient(server, delivery.environ, timeout=self.timeout, cancel=delivery.cancel)


def _tls(params: Mapping[str, Any]) -> TlsClient:
    ca = _content(params, "ca_cert")
    chain, key = _content(params, "client_cert"), _content(params, "client_key")
    if key and not chain:
        raise ScanError("bad_option", "client_key needs client_cert")
    certificate = ClientCertificate(chain, key or chain) if chain else None
    return TlsClient(ca, params["validate_certs"], certificate)


def _content(params: Mapping[str, Any], option: str) -> bytes | None:
    path = params.get(option)
    return read_file(Path(path).expanduser(), option) if path else None
