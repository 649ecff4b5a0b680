# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP proxy through which a server is reached, if any."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from ..errors import ScanError


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy, and the headers that only the proxy gets (its own credential)."""

    host: str
    port: int
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Proxy({self.host}:{self.port})"


def choose_proxy(
    host: str,
    environ: Mapping[str, str],
    *,
    url: str = "",
    exceptions: str = "",
    headers: Mapping[str, str] | None = None,
) -> Proxy | None:
    """The proxy that `url` names, else that of HTTPS_PROXY, to which alone the variable NO_PROXY applies.

    :param url: an option's proxy, http://host:port; empty for none
    :param exceptions: hosts that are reached without a proxy, in the form of NO_PROXY
    :param headers: proxy_basic_auth and basic_auth (user:password), user_agent
    :raises ScanError: bad_option
    """
    if not url:
        url = environ.get("HTTPS_PROXY") or environ.get("https_proxy") or ""
        exceptions = exceptions or environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    if not url or _is_excepted(host, exceptions):
        return None
    try:
        parts = urlsplit(url if "://" in url else "http://" + url)
        proxy_host, port = parts.hostname, parts.port
    except ValueError:
        proxy_host, port, parts = None, None, urlsplit("")
    if not proxy_host or parts.scheme != "http":
        raise ScanError("bad_option", "only proxies of the form http://host:port can be used")
    given, sent = headers or {}, {}
    if given.get("user_agent"):
        sent["User-Agent"] = given["user_agent"]
    if given.get("basic_auth"):
        sent["Authorization"] = basic_credential(*_user_and_password(given["basic_auth"]))
    if given.get("proxy_basic_auth"):
        sent["Proxy-Authorization"] = basic_credential(*_user_and_password(given["proxy_basic_auth"]))
    elif parts.username:
        sent["Proxy-Authorization"] = basic_credential(unquote(parts.username), unquote(parts.password or ""))
    if any(not value.isascii() or not value.isprintable() for value in sent.values()):
        raise ScanError("bad_option", "proxy_headers contains characters that are not allowed in a header")
    return Proxy(proxy_host, port or 80, sent)


def basic_credential(user: str, password: str) -> str:
    """The value of a Basic authorization header."""
    return "Basic " + base64.b64encode((f"{user}:{password}").encode()).decode("ascii")


def _user_and_password(text: str) -> tuple[str, str]:
    user, _colon, password = text.partition(":")
    return user, password


def _is_excepted(host: str, exceptions: str) -> bool:
    """Whether a NO_PROXY list contains the host, one of its domains, a network that it is in, or *."""
    host = host.lower()
    for entry in filter(None, (part.strip().lower() for part in exceptions.split(","))):
        if entry in ("*", host) or host.endswith("." + entry.lstrip(".")) or _lies_in(host, entry):
            return True
    return False


def _lies_in(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
