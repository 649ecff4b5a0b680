# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenTelemetry: log records over OTLP/HTTP in protobuf, as a collector's receiver takes them.

The body of a record is the event. Its attributes have the names of the semantic conventions where there are some. The attribute
`securescan.key` is the same for each attempt.

A receiver that takes only a part of a batch does not say which: the whole batch then counts as refused. It is not sent again by
itself, because the protocol forbids that; the next push sends it once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import ScanError
from ..reports.event import ControlStatus, Event, EventSource, EventTexts, event_time
from ..reports.event_text import image_parts, line_text, name_text
from ..results.status import FAILED, NOT_REVIEWED, PROFILE_ERROR
from ..results.verdicts import Verdict
from .answers import bad_reply, refused
from .event_items import event_format
from .http_sender import HttpSender
from .http_sink import HttpSink
from .item import Item, Outcome
from .pushed import Pushed
from .sink import Limits, SinkKind
from .sink_options import EVENT_OPTIONS, HTTP_OPTIONS, TOKEN_OPTIONS, SinkOptions

_LOGS = "/v1/logs"
_LIMITS = Limits(items=500, bytes=2 * 1024 * 1024)
_SCOPE = "securescan.kubernetes"
_PROTOBUF = "application/x-protobuf"
# Numbers of the log data model, with the words that it has for them.
_INFO, _WARN = (9, "INFO"), (13, "WARN")
_OF_SEVERITY = {
    "critical": (21, "FATAL"),
    "high": (17, "ERROR"),
    "medium": (14, "WARN2"),
    "low": _WARN,
    "none": _INFO,
}


class Otlp(HttpSink):
    """Sends log records to one receiver."""

    def __init__(self, options: SinkOptions) -> None:
        self._library = _library()
        self._format = event_format(options)
        self.secrets = (options.token,) if options.token else ()
        headers = {"Content-Type": _PROTOBUF}
        if options.token:
            headers["Authorization"] = f"Bearer {options.token}"
        self._http = HttpSender(options, headers, self.secrets)
        self.destination = options.url
        self.limits = _LIMITS

    def items(self, pushed: Pushed) -> Iterator[Item]:
        source = EventSource.of(pushed.run)
        texts = EventTexts(self._format, source)
        for finding in pushed.findings():
            event = Event(finding.target, finding.verdict)
            key = finding.item(source.run_id, b"").key
            text = texts.text(event, finding.activity)
            yield finding.item(source.run_id, self._body(source, event, finding.activity, key, text))

    def _body(self, source: EventSource, event: Event, activity: str, key: str, text: str) -> bytes:
        """One record with its resource, so that each item is whole by itself."""
        logs = self._library.logs
        number, word = _severity(event.told)
        moment = int(event_time(source, event.target).timestamp() * 1_000_000_000)
        record = logs.LogRecord(
            time_unix_nano=moment,
            observed_time_unix_nano=moment,
            severity_number=number,
            severity_text=word,
            body=self._library.common.AnyValue(string_value=text),
            attributes=self._attributes(_record_attributes(source, event, activity, key)),
            event_name=f"securescan.finding.{activity}",
        )
        return bytes(
            logs.ResourceLogs(
                resource=self._library.resource.Resource(
                    attributes=self._attributes(_resource_attributes(source))
                ),
                scope_logs=[
                    logs.ScopeLogs(
                        scope=self._library.common.InstrumentationScope(
                            name=_SCOPE, version=name_text(source.version)
                        ),
                        log_records=[record],
                    )
                ],
            ).SerializeToString(deterministic=True)
        )

    def _attributes(self, values: Mapping[str, str | bool]) -> list[Any]:
        common = self._library.common
        return [
            common.KeyValue(
                key=name,
                value=common.AnyValue(bool_value=value)
                if isinstance(value, bool)
                else common.AnyValue(string_value=value),
            )
            for name, value in values.items()
            if value != ""
        ]

    def send(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        tried = f"POST {_LOGS}"
        request = self._library.service.ExportLogsServiceRequest()
        for item in batch:
            request.resource_logs.add().ParseFromString(item.body)
        reply = self._http.send("POST", _LOGS, body=request.SerializeToString())
        answer = self._library.service.ExportLogsServiceResponse()
        try:
            answer.ParseFromString(reply.body)
        except self._library.errors:
            raise bad_reply("the answer is not an OTLP response", tried) from None
        rejected = answer.partial_success.rejected_log_records
        if not rejected:
            return [None] * len(batch)
        message = f"the receiver rejected {rejected} of {len(batch)} records: {answer.partial_success.error_message}"
        return [refused("invalid_request", message, tried, self.secrets)] * len(batch)


def _record_attributes(source: EventSource, event: Event, activity: str, key: str) -> dict[str, str | bool]:
    record, told = event.target.record, event.told
    status = ControlStatus.of(told, activity)
    image, tag = image_parts(record)
    return {
        "securescan.key": key,
        "securescan.fingerprint": event.fingerprint,
        "securescan.activity": activity,
        "securescan.run.id": name_text(source.run_id),
        "securescan.target.id": line_text(record.target_id),
        "securescan.place": line_text(record.place_id),
        "securescan.control.id": name_text(told.about.id),
        "securescan.control.title": line_text(told.about.title),
        "securescan.control.severity": told.about.severity,
        "securescan.profile": name_text(told.about.profile),
        "securescan.status": status.status,
        "securescan.waived": status.waived,
        "securescan.attested": status.attested,
        "k8s.namespace.name": name_text(record.namespace),
        "k8s.pod.name": name_text(record.pod),
        "k8s.pod.uid": name_text(record.pod_uid),
        "k8s.container.name": name_text(record.container),
        "k8s.node.name": name_text(record.node),
        "container.id": name_text(record.container_id),
        "container.image.name": line_text(image),
        "container.image.id": line_text(record.image_digest),
        "securescan.image.tag": line_text(tag),
    }


def _resource_attributes(source: EventSource) -> dict[str, str | bool]:
    return {
        "service.name": _SCOPE,
        "service.version": name_text(source.version),
        "k8s.cluster.name": name_text(source.cluster),
        "k8s.cluster.uid": name_text(source.cluster_uid),
    }


def _severity(verdict: Verdict) -> tuple[int, str]:
    if verdict.status in (FAILED, PROFILE_ERROR):
        return _OF_SEVERITY[verdict.about.severity]
    return _WARN if verdict.status == NOT_REVIEWED else _INFO


class _Library:
    """The messages of opentelemetry-proto."""

    def __init__(self) -> None:
        from google.protobuf.message import DecodeError
        from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
        from opentelemetry.proto.common.v1 import common_pb2
        from opentelemetry.proto.logs.v1 import logs_pb2
        from opentelemetry.proto.resource.v1 import resource_pb2

        self.service: Any = logs_service_pb2
        self.common: Any = common_pb2
        self.logs: Any = logs_pb2
        self.resource: Any = resource_pb2
        self.errors = (DecodeError,)


def _library() -> _Library:
    """:raises ScanError: missing_library"""
    try:
        return _Library()
    except ImportError as error:
        raise ScanError(
            "missing_library",
            f"sending by OTLP needs the Python package opentelemetry-proto ({error})",
            tried="importing opentelemetry.proto",
            advice="Install what requirements-push.txt of the collection lists, for the Python that runs the task.",
        ) from None


OTLP = SinkKind("otlp", {}, (*HTTP_OPTIONS, *TOKEN_OPTIONS, *EVENT_OPTIONS), Otlp)
