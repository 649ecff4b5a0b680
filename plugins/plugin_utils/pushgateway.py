# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics on their way to a Prometheus Pushgateway: each subject (a cluster's host, a fleet) is a group there, and each push
replaces its group.

A group is named by the labels of its metrics, so that what the gateway adds says nothing new. A credential is sent to the
gateway only, over TLS, and stands in no message.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..module_utils.errors import ScanError
from ..module_utils.network.http_client import HttpClient, HttpServer
from ..module_utils.network.tls import TlsClient, read_file
from ..module_utils.safe_text import escape_text

_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,200}")
_JOB = re.compile(r"[A-Za-z0-9._-]{1,100}")
_FORMAT = {"Content-Type": "text/plain; version=0.0.4"}


@dataclass(frozen=True)
class PushOptions:
    """Where the gateway is, and who we are there: a user with a password, or a bearer token, or nobody.

    `timeout` is in seconds, for one group. `ca_cert` is a file, empty for the CAs of the machine.
    """

    url: str
    job: str = "securescan"
    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    ca_cert: str = ""
    timeout: float = 10.0

    def client(self) -> HttpClient:
        """:raises ScanError: bad_option, bad_file"""
        if not _JOB.fullmatch(self.job):
            raise ScanError(
                "bad_option", "push_job must be 1 to 100 letters, digits, dots, dashes or underscores"
            )
        if self.token and (self.username or self.password):
            raise ScanError("bad_option", "push_token and push_username exclude each other")
        if bool(self.username) != bool(self.password) or ":" in self.username:
            raise ScanError("bad_option", "push_username, without a colon, and push_password need each other")
        if not 0 < self.timeout <= 600:
            raise ScanError("bad_option", "push_timeout must be above 0 and at most 600 seconds")
        ca = read_file(Path(self.ca_cert).expanduser(), "push_ca_cert") if self.ca_cert else None
        server = HttpServer(
            self.url, TlsClient(ca, True), self._headers(), [self.password, self.token, self._basic()]
        )
        return HttpClient(server, os.environ, timeout=self.timeout)

    def _basic(self) -> str:
        pair = f"{self.username}:{self.password}".encode()
        return base64.b64encode(pair).decode("ascii") if self.username else ""

    def _headers(self) -> dict[str, str]:
        if self.username:
            return {"Authorization": f"Basic {self._basic()}"}
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def push(options: PushOptions, texts: Mapping[tuple[str, str], str]) -> list[tuple[str, ScanError]]:
    """Sends the metrics of each subject. (subject, error) of those that did not arrive; after one that cannot be reached
    nothing more is tried.

    :param texts: (label, value) -> text, as `render_by_subject` gives it
    :raises ScanError: bad_option, bad_file
    """
    client = options.client()
    failures: list[tuple[str, ScanError]] = []
    try:
        for (label, value), text in texts.items():
            path = f"/metrics/job/{options.job}/{_part(label, value)}"
            try:
                client.send("PUT", path, headers=_FORMAT, body=text.encode("utf-8", "backslashreplace"))
            except ScanError as error:
                failures.append((value, error))
                if error.reason in ("unreachable", "tls_failed", "not_authenticated", "timed_out"):
                    break
    finally:
        client.close()
    return failures


def _part(label: str, value: str) -> str:
    """The part of a path that names a group. What is no plain name is encoded as the gateway knows it."""
    if _PLAIN.fullmatch(value) and value not in (".", ".."):
        return f"{label}/{value}"
    # the gateway puts it in place of the label in the text, which is escaped, too
    encoded = base64.urlsafe_b64encode(escape_text(value).encode("utf-8")).decode("ascii")
    return f"{label}@base64/{encoded or '='}"
