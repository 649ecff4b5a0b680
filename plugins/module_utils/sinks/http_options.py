# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of every sink that is reached by HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class HttpOptions:
    """The parameters of HTTP_OPTIONS, checked.

    :ivar url: the server's URL
    :ivar token: a bearer token, empty for none
    :ivar timeout: seconds for one request
    """

    url: str
    token: str = field(repr=False)
    timeout: float
    tls: TlsClient = field(repr=False)
    proxy: str = field(repr=False)
    no_proxy: str

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> HttpOptions:
        """:raises ScanError: bad_option, bad_file"""
        split_url(params["url"])
        timeout = float(params["timeout"])
        if not timeout > 0:
            raise ScanError("bad_option", "timeout must be above 0 seconds")
        texts = {name: params.get(name) or "" for name in ("token", "proxy", "no_proxy")}
        return cls(url=params["url"], timeout=timeout, tls=_tls(params), **texts)

    def client(self, delivery: Delivery) -> HttpClient:
        """:raises ScanError: bad_option"""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        server = HttpServer(self.url, self.tls, headers, [self.token], self.proxy, self.no_proxy)
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
