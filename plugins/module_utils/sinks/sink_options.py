# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that several sinks have in common, each said once. Which of them a kind has, it says itself (`SinkKind.common`)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..network.tls import ClientCertificate, TlsClient, read_file

TLS_OPTIONS = ("ca_cert", "client_cert", "client_key", "validate_certs")
PROXY_OPTIONS = ("proxy", "no_proxy")
# Of each sink that is reached by HTTP.
HTTP_OPTIONS = ("url", *TLS_OPTIONS, *PROXY_OPTIONS)
LOGIN_OPTIONS = ("username", "password")
TOKEN_OPTIONS = ("token",)
# Which findings are sent.
FINDING_OPTIONS = ("statuses", "min_severity", "only_changed")
# Of each sink that sends findings as events.
EVENT_OPTIONS = ("format", *FINDING_OPTIONS)

# Without defaults: an option that is given to a system that does not have it is refused. SinkOptions has the defaults.
COMMON_SPEC: Mapping[str, Mapping[str, Any]] = {
    "url": {"type": "str"},
    "token": {"type": "str", "no_log": True},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "ca_cert": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
    "validate_certs": {"type": "bool"},
    "proxy": {"type": "str"},
    "no_proxy": {"type": "str"},
    "format": {"type": "str"},
    "statuses": {"type": "list", "elements": "str"},
    "min_severity": {"type": "str"},
    "only_changed": {"type": "bool"},
}


@dataclass(frozen=True)
class SinkOptions:
    """What a sink is made of. Texts that are not given are empty; `own` has the kind's own options, None where they are not
    given.

    :ivar timeout: seconds for one request
    :ivar environ: the environment's variables (proxies, credentials of libraries)
    :ivar cancel: ends every wait
    """

    url: str = ""
    token: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    ca_cert: str = ""
    client_cert: str = ""
    client_key: str = ""
    validate_certs: bool = True
    proxy: str = field(default="", repr=False)
    no_proxy: str = ""
    timeout: float = 30.0
    format: str = ""
    own: Mapping[str, Any] = field(default_factory=dict, repr=False)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    cancel: threading.Event = field(default_factory=threading.Event, repr=False)

    def needed(self, name: str) -> str:
        """The text of a common option that the system cannot do without. :raises ScanError: bad_option"""
        value = str(getattr(self, name))
        if not value:
            raise ScanError(
                "bad_option", f"{name} is needed for this system", tried=f"reading the option {name}"
            )
        return value

    def tls(self) -> TlsClient:
        """What is trusted, and our certificate. :raises ScanError: bad_option, bad_file"""
        ca = self._content("ca_cert")
        chain, key = self._content("client_cert"), self._content("client_key")
        if key and not chain:
            raise ScanError(
                "bad_option", "client_key needs client_cert", tried="reading the option client_key"
            )
        certificate = ClientCertificate(chain, key or chain) if chain else None
        return TlsClient(ca, self.validate_certs, certificate)

    def _content(self, option: str) -> bytes | None:
        path = str(getattr(self, option))
        return read_file(Path(path).expanduser(), option) if path else None
