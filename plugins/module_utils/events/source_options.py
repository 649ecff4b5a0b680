# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of event sources and filters of ansible-rulebook, which gives them as a mapping and checks nothing."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cluster.connection import ConnectionOptions
from ..errors import ScanError
from ..options.spec import bad_option
from ..requests.allowed import AllowedRequests
from ..requests.request import ACTIONS
from ..requests.request_queue import RequestQueue
from ..results.whole_file import read_own_file
from ..safe_text import one_line
from ..suggestions import unknown_name

_FEEDBACK = "eda_feedback_queue"  # ansible-rulebook's own
_MOST_SECRET = 4096
# Options of all ways in.
QUEUE_OPTIONS = ("queue", "allow_shared_folder", "name")
ALLOW_OPTIONS = ("clusters", "namespaces", "actions", "profiles")
TLS_OPTIONS = ("ca_cert", "client_cert", "client_key")
_CONNECTION_TEXTS = (
    "kubeconfig", "context", "host", "ca_cert", "client_cert", "client_key", "tls_server_name", "proxy", "no_proxy",
)  # fmt: skip
CONNECTION_OPTIONS = (*_CONNECTION_TEXTS, "api_key", "api_key_file", "in_cluster")


@dataclass(frozen=True)
class SourceOptions:
    """The options of one event source. Each method reads one.

    :raises ScanError: bad_option, where it has one that is not in `known`
    """

    values: Mapping[str, Any]
    source: str

    @classmethod
    def of(cls, args: Mapping[str, Any], source: str, known: Sequence[str]) -> SourceOptions:
        """:param source: the plugin's name, which `name` replaces in the queue"""
        given = {name: value for name, value in args.items() if name != _FEEDBACK and value is not None}
        for name in given:
            if name not in known:
                raise bad_option(
                    one_line(str(name), 80), unknown_name("option", one_line(str(name), 80), known)
                )
        options = cls(given, source)
        return cls(given, options.text("name", source))

    def text(self, name: str, default: str = "", *, needed: bool = False) -> str:
        value = self.values.get(name, default)
        if not isinstance(value, str) or (needed and not value):
            raise bad_option(name, f"{name} must be a text" + (", and is needed" if needed else ""))
        return value

    def names(self, name: str) -> tuple[str, ...]:
        value = self.values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise bad_option(name, f"{name} must be a list of texts")
        return tuple(value)

    def truth(self, name: str, default: bool = False) -> bool:
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            raise bad_option(name, f"{name} must be true or false")
        return value

    def whole_number(self, name: str, default: int, least: int, most: int) -> int:
        value = self.values.get(name, default)
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value[:12])  # a variable of a rulebook is a text
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise bad_option(name, f"{name} must be a whole number from {least} to {most}")
        return value

    def secret(self, name: str) -> str:
        """The option, or the first line of the file that the option with `_file` at its end names; empty for neither."""
        given, path = self.text(name), self.text(f"{name}_file")
        if given and path:
            raise bad_option(name, f"give {name} or {name}_file")
        if not path:
            return given
        try:
            text = read_own_file(Path(path).resolve(), _MOST_SECRET).decode("utf-8")
        except (OSError, ValueError) as reason:
            why = getattr(reason, "strerror", "") or "it is not UTF-8"
            raise ScanError("bad_file", f"{path}: {why}", tried=f"reading the option {name}_file") from None
        first: str = text.partition("\n")[0].strip()
        if not first:
            raise ScanError("bad_file", f"{path}: it is empty", tried=f"reading the option {name}_file")
        return first

    def allowed(self) -> AllowedRequests:
        actions = self.names("actions") or ACTIONS
        for action in actions:
            if action not in ACTIONS:
                raise bad_option("actions", unknown_name("action", one_line(action, 80), ACTIONS))
        clusters = self.names("clusters")
        if not clusters:
            raise bad_option("clusters", "name the clusters that can be asked for; ['*'] means all")
        return AllowedRequests(clusters, self.names("namespaces"), actions, self.names("profiles"))

    def tls(self) -> ssl.SSLContext:
        """For a server whose certificate is checked, whatever the options say. :raises ScanError: bad_file"""
        authority, certificate = self.text("ca_cert"), self.text("client_cert")
        try:
            context = ssl.create_default_context(cafile=authority or None)
            if certificate:
                context.load_cert_chain(certificate, self.text("client_key") or None)
        except (OSError, ssl.SSLError) as reason:
            raise ScanError(
                "bad_file",
                f"{authority or certificate}: {reason.strerror or reason}",
                tried="reading the options ca_cert, client_cert and client_key",
            ) from None
        return context

    def connection(self) -> ConnectionOptions:
        """How to reach the cluster that is watched."""
        given: dict[str, Any] = {name: self.text(name) or None for name in _CONNECTION_TEXTS}
        return ConnectionOptions(
            **given, api_key=self.secret("api_key") or None, in_cluster=self.truth("in_cluster")
        )

    def queue(self, now: Callable[[], float]) -> RequestQueue:
        """The queue, whose folders are there then. :raises ScanError: as RequestQueue.create"""
        queue = RequestQueue(self.text("queue", needed=True), now)
        queue.create(self.truth("allow_shared_folder"))
        return queue
