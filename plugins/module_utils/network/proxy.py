# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy through which a server is reached, if any: which one, and for which hosts none.

The environment is read as Go's httpproxy does, and so kubectl: HTTPS_PROXY and NO_PROXY, in capitals or not;
ALL_PROXY is not read.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Union
from urllib.parse import SplitResult, unquote, urlsplit

from ..errors import ScanError
from ..safe_text import server_text
from .host_name import is_host

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
# RFC 1929: each is told with one byte for its length.
_SOCKS_CREDENTIAL_BYTES = 255
_Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]


@dataclass(frozen=True)
class Proxy:
    """A proxy by HTTP (CONNECT), by HTTP within TLS, or by SOCKS5.

    :ivar scheme: http, https, socks5 or socks5h; the last two mean the same: names are resolved by the proxy
    :ivar headers: what only an HTTP proxy gets (its own credential)
    :ivar user: by which we log in to a SOCKS proxy; empty for without
    """

    host: str
    port: int
    headers: Mapping[str, str] = field(default_factory=dict)
    scheme: str = "http"
    user: str = ""
    password: str = ""

    @property
    def is_socks(self) -> bool:
        return self.scheme.startswith("socks")

    def __repr__(self) -> str:
        return f"Proxy({self.scheme}://{self.host}:{self.port})"


@dataclass(frozen=True)
class ProxyChoice:
    """A proxy that somebody named for one server; it is used also for hosts that the environment's proxy is not.

    :ivar url: scheme://host:port, or host:port of an HTTP proxy; empty for none
    :ivar source: who named it, for messages
    :ivar exceptions: hosts that are reached without a proxy, in the form of NO_PROXY
    :ivar headers: proxy_basic_auth and basic_auth (user:password), user_agent
    """

    url: str = ""
    source: str = "the option proxy"
    exceptions: str = ""
    headers: Mapping[str, str] | None = None

    def __repr__(self) -> str:
        return f"ProxyChoice({self.source})"


def choose_proxy(host: str, port: int, environ: Mapping[str, str], choice: ProxyChoice) -> Proxy | None:
    """The proxy of `choice`, else that of HTTPS_PROXY. The variable NO_PROXY is for that one alone, and this machine
    (localhost, loopback addresses) is never reached through it.

    :raises ScanError: bad_option
    """
    url, source, exceptions = choice.url, choice.source, choice.exceptions
    if not url:
        variable = next((name for name in ("HTTPS_PROXY", "https_proxy") if environ.get(name)), "")
        if not variable or _is_this_machine(host):
            return None
        url, source = environ[variable], f"the environment variable {variable}"
        exceptions = exceptions or environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    return None if _is_excepted(host, port, exceptions) else _proxy(url, source, choice.headers or {})


def basic_credential(user: str, password: str) -> str:
    """The value of a Basic authorization header."""
    return "Basic " + base64.b64encode((f"{user}:{password}").encode()).decode("ascii")


def _proxy(url: str, source: str, headers: Mapping[str, str]) -> Proxy:
    scheme, parts = _split(url.strip())
    if scheme not in _PORTS:
        raise _unusable(
            source,
            f"a proxy of the scheme {server_text(scheme, limit=20)!r} cannot be used",
            "Use a proxy of the form http://host:port, https://host:port or socks5://host:port.",
        )
    try:
        host, port = parts.hostname, parts.port or _PORTS[scheme]
    except ValueError:
        host, port = None, 0
    if not host or not is_host(host) or parts.path.strip("/") or parts.query or parts.fragment:
        raise _unusable(source, "the proxy is not of the form scheme://host:port", "Correct it.")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not scheme.startswith("socks"):
        return Proxy(host, port, _headers(headers, user, password), scheme)
    if headers.get("user_agent") or headers.get("basic_auth"):
        raise _unusable(
            source,
            "a SOCKS proxy gets no headers",
            "Leave user_agent and basic_auth out of proxy_headers; proxy_basic_auth logs in to it.",
        )
    if headers.get("proxy_basic_auth"):
        user, password = _user_and_password(headers["proxy_basic_auth"])
    if any(len(text.encode()) > _SOCKS_CREDENTIAL_BYTES for text in (user, password)):
        raise _unusable(source, "a user or password of a SOCKS proxy has more than 255 bytes", "Shorten it.")
    return Proxy(host, port, scheme=scheme, user=user, password=password)


def _split(url: str) -> tuple[str, SplitResult]:
    """The scheme in small letters, and the parts of the URL; without a scheme it is http."""
    try:
        parts = urlsplit(url if "://" in url else "http://" + url)
    except ValueError:
        parts = urlsplit("http://")
    return parts.scheme, parts


def _unusable(source: str, what: str, advice: str) -> ScanError:
    return ScanError(
        "bad_option", f"{source}: {what}", cause="The proxy that was named cannot be used.", advice=advice
    )


def _headers(given: Mapping[str, str], user: str, password: str) -> dict[str, str]:
    sent = {}
    if given.get("user_agent"):
        sent["User-Agent"] = given["user_agent"]
    if given.get("basic_auth"):
        sent["Authorization"] = basic_credential(*_user_and_password(given["basic_auth"]))
    if given.get("proxy_basic_auth"):
        sent["Proxy-Authorization"] = basic_credential(*_user_and_password(given["proxy_basic_auth"]))
    elif user:
        sent["Proxy-Authorization"] = basic_credential(user, password)
    if any(not value.isascii() or not value.isprintable() for value in sent.values()):
        raise ScanError("bad_option", "proxy_headers contains characters that are not allowed in a header")
    return sent


def _user_and_password(text: str) -> tuple[str, str]:
    user, _colon, password = text.partition(":")
    return user, password


def _is_this_machine(host: str) -> bool:
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def _address(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_excepted(host: str, port: int, exceptions: str) -> bool:
    """Whether an entry of a NO_PROXY list means the host: *, a network, an address, a domain with its subdomains,
    or .domain and *.domain for the subdomains alone; the last three with a port where only that is meant."""
    host = host.lower()
    for entry in filter(None, (part.strip().lower() for part in exceptions.split(","))):
        if entry == "*" or _lies_in(host, entry):
            return True
        name, entry_port = _without_port(entry)
        if entry_port not in ("", str(port)):
            continue
        if _address(name) is not None:
            if _address(name) == _address(host):
                return True
        elif name and _is_domain_of(name, host):
            return True
    return False


def _lies_in(host: str, network: str) -> bool:
    address = _address(host)
    if address is None or "/" not in network:
        return False
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _without_port(entry: str) -> tuple[str, str]:
    """Name or address, and port ("" for none). An IPv6 address with a port stands in brackets."""
    if entry.startswith("["):
        name, _bracket, rest = entry[1:].partition("]")
        return name, rest.lstrip(":")
    name, colon, port = entry.rpartition(":")
    return (name, port) if colon and ":" not in name else (entry, "")


def _is_domain_of(name: str, host: str) -> bool:
    domain = name[1:] if name.startswith("*.") else name
    return host.endswith(domain) if domain.startswith(".") else f".{host}".endswith(f".{domain}")
