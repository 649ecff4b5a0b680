# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Syslog over TLS: messages of RFC 5424, framed by their octets (RFC 6587), on a connection of RFC 5425.

Syslog has no acknowledgement. Each batch has a connection of its own: the sink says that nothing more comes and waits until the
server has closed as well, for then it has read all of it. Where the connection breaks, the batch is sent again; each message has
its `key` in the structured data, by which a reader can tell a double.

The structured data are named with the enterprise number 32473, which is reserved for documentation: the collection has none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from ..errors import ScanError
from ..network.deadline import Deadline
from ..network.tls import TlsClient
from ..network.transport import Endpoint, open_stream
from ..reports.event import ControlStatus, Event, EventSource, EventTexts, event_time
from ..reports.event_text import line_text, name_text
from ..results.status import FAILED, NOT_REVIEWED, PROFILE_ERROR
from ..results.verdicts import Verdict
from ..safe_text import one_line
from ..times import api_time
from .answers import bad_option
from .cef import cef_text
from .event_items import event_format
from .item import Item, Outcome
from .pushed import Finding, Pushed
from .sink import Limits, Sink, SinkKind
from .sink_options import EVENT_OPTIONS, TLS_OPTIONS, SinkOptions

_PORT = 6514
_CEF = "cef"
_LIMITS = Limits(items=500, bytes=1024 * 1024)
_FACILITIES = {
    "user": 1,
    "daemon": 3,
    "auth": 4,
    "authpriv": 10,
    "audit": 13,
    **{f"local{number}": 16 + number for number in range(8)},
}
_FACILITY = "local0"
_ERROR, _WARNING, _NOTICE, _INFORMATIONAL = 3, 4, 5, 6
_OF_SEVERITY = {"critical": 2, "high": _ERROR, "medium": _WARNING, "low": _NOTICE, "none": _INFORMATIONAL}
# Every receiver of RFC 5425 should take so many bytes.
_MAX_MESSAGE = 8192
_SD_ID = "securescan@32473"
_NOT_IN_A_HEADER = re.compile(r"[^!-~]")
_ESCAPED = re.compile(r'[\\"\]]')
_BOM = b"\xef\xbb\xbf"


class Syslog(Sink):
    """Sends messages to one receiver."""

    def __init__(self, options: SinkOptions) -> None:
        self._is_cef = options.format == _CEF
        self._format = None if self._is_cef else event_format(options)
        facility = str(options.own.get("facility") or _FACILITY)
        if facility not in _FACILITIES:
            raise bad_option("facility", f"facility must be one of {', '.join(_FACILITIES)}")
        self._facility = _FACILITIES[facility]
        self._app_name = _header_text(str(options.own.get("app_name") or "securescan"), 48)
        self._most = int(options.own.get("max_message") or _MAX_MESSAGE)
        if not 2048 <= self._most <= _LIMITS.bytes:
            raise bad_option("max_message", "max_message must be 2048 to 1048576 bytes")
        self._endpoint = _endpoint(options.needed("url"))
        self._tls = options.tls()
        self._options = options
        self._connections = 0
        self.secrets: Sequence[str] = ()
        self.destination = f"tls://{self._endpoint.host}:{self._endpoint.port}"
        self.limits = _LIMITS

    @property
    def requests(self) -> int:
        return self._connections

    def items(self, pushed: Pushed) -> Iterator[Item]:
        source = EventSource.of(pushed.run)
        texts = EventTexts(self._format, source) if self._format else None
        for finding in pushed.findings():
            key = finding.item(source.run_id, b"").key
            event = Event(finding.target, finding.verdict)
            head = self._head(source, event, finding.activity, key)
            text = (
                texts.text(event, finding.activity)
                if texts
                else cef_text(source, finding.target, finding.verdict, finding.activity)
            )
            message = head + _message(text)
            if len(message) > self._most:
                message = head + _message(_short(event, finding, self._most - len(head)))
            yield finding.item(source.run_id, message)

    def _head(self, source: EventSource, event: Event, activity: str, key: str) -> bytes:
        record, told = event.target.record, event.told
        status = ControlStatus.of(told, activity)
        data = {
            "key": key,
            "fingerprint": event.fingerprint,
            "activity": activity,
            "status": status.status,
            "severity": told.about.severity,
            "waived": str(status.waived).lower(),
            "attested": str(status.attested).lower(),
            "profile": name_text(told.about.profile),
            "control": name_text(told.about.id),
            "target": line_text(record.target_id),
            "run": name_text(source.run_id),
        }
        said = " ".join(f'{name}="{_ESCAPED.sub(_with_backslash, value)}"' for name, value in data.items())
        priority = self._facility * 8 + _level(told)
        names = (
            f"<{priority}>1",
            api_time(event_time(source, event.target)),
            _header_text(record.cluster or source.cluster, 255),
            self._app_name,
            _header_text(source.run_id, 128),
            f"finding-{activity}",
        )
        return f"{' '.join(names)} [{_SD_ID} {said}] ".encode()

    def send(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        tried = f"syslog to {self.destination}"
        deadline = Deadline(self._options.timeout, self._options.cancel, tried)
        self._connections += 1
        # A TLS of its own, so that no session is resumed: rsyslog refuses that where it asks for a certificate.
        tls = TlsClient(self._tls.ca_pem, self._tls.verify, self._tls.certificate)
        stream = open_stream(self._endpoint, tls, deadline)
        try:
            stream.sendall(b"".join(b"%d %s" % (len(item.body), item.body) for item in batch))
            stream.finish()
        except OSError as error:
            raise ScanError(
                "connection_lost",
                f"the connection ended before everything was sent ({error.strerror or error})",
                tried=tried,
                cause="The receiver closed the connection, or refused our certificate.",
                advice="Look at the receiver's log: its list of permitted certificates, and its limits.",
            ) from None
        finally:
            stream.close()
        return [None] * len(batch)

    def close(self) -> None:
        """No connection is kept."""


def _endpoint(url: str) -> Endpoint:
    """tls://host:port. :raises ScanError: bad_option"""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORT
    except ValueError:
        raise bad_option("url", "url is not of the form tls://host:port") from None
    rest = (parts.path.strip("/"), parts.query, parts.fragment, parts.username)
    if parts.scheme != "tls" or not host or not url.isascii() or not url.isprintable() or any(rest):
        raise bad_option("url", "url is not of the form tls://host:port")
    return Endpoint(host, port, "", host)


def _level(verdict: Verdict) -> int:
    if verdict.status in (FAILED, PROFILE_ERROR):
        return _OF_SEVERITY[verdict.about.severity]
    return _NOTICE if verdict.status == NOT_REVIEWED else _INFORMATIONAL


def _header_text(text: str, most: int) -> str:
    """A field of the header: visible ASCII."""
    return _NOT_IN_A_HEADER.sub("_", text)[:most] or "-"


def _with_backslash(found: re.Match[str]) -> str:
    return f"\\{found.group()}"


def _message(text: str) -> bytes:
    return text.encode("ascii") if text.isascii() else _BOM + text.encode()


def _short(event: Event, finding: Finding, most: int) -> str:
    """What is sent in place of a text that is longer than receivers take: it says so itself."""
    told = event.told
    value = {
        "cut": True,
        "fingerprint": event.fingerprint,
        "activity": finding.activity,
        "status": told.status,
        "severity": told.about.severity,
        "control": name_text(told.about.id),
        "title": one_line(told.about.title, 120),
        "text": one_line(told.text, 200),
    }
    text = json.dumps(value)
    if len(text) > most:
        text = json.dumps({**value, "title": "", "text": "", "control": ""})
    return text


SYSLOG = SinkKind(
    "syslog",
    {"facility": {"type": "str"}, "app_name": {"type": "str"}, "max_message": {"type": "int"}},
    ("url", *TLS_OPTIONS, *EVENT_OPTIONS),
    Syslog,
)
