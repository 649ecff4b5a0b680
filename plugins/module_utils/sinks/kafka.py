# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apache Kafka: one record for each finding, with its fingerprint as the key.

All records of a finding come into one partition, in order, and a compacted topic keeps the last of them. The producer is
idempotent and waits for all replicas in sync. A record that another push sends again has the same header securescan-key.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any

from ..errors import ScanError
from ..results.target_record import ErrorRecord
from ..safe_text import server_text
from .event_items import event_format, event_items
from .item import Item, Outcome
from .pushed import Pushed
from .sink import Limits, Sink, SinkKind
from .sink_options import EVENT_OPTIONS, LOGIN_OPTIONS, TLS_OPTIONS, SinkOptions

_LIMITS = Limits(items=500, bytes=8 * 1024 * 1024)
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_DEFAULT_TOPIC = "securescan.findings"
_BROKER = re.compile(r"(?:\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]{1,253}):[0-9]{1,5}")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_MOST_BYTES = 1_048_576
_CANCEL_SECONDS = 0.1
# Names of the library's errors, and what they mean for the push: these end it, the others are of one record.
_ENDS = {
    "TopicAuthorizationFailedError": "not_permitted",
    "ClusterAuthorizationFailedError": "not_permitted",
    "SaslAuthenticationFailedError": "not_authenticated",
    "UnsupportedSaslMechanismError": "not_authenticated",
    "InvalidTopicError": "not_found",
    "UnknownTopicOrPartitionError": "not_found",
}
_REFUSED = (
    "MessageSizeTooLargeError",
    "RecordListTooLargeError",
    "InvalidRecordError",
    "PolicyViolationError",
)


class Kafka(Sink):
    """Produces to one topic."""

    def __init__(self, options: SinkOptions) -> None:
        self._library = _library()
        own = options.own
        self._options = options
        self._brokers = tuple(own["brokers"] or ())
        for broker in self._brokers:
            if not _BROKER.fullmatch(broker):
                raise _bad("brokers", "each of brokers is host:port")
        if not self._brokers:
            raise _bad("brokers", "brokers is needed for this system")
        self._topic = own["topic"] or _DEFAULT_TOPIC
        if not _TOPIC.fullmatch(self._topic) or self._topic in (".", ".."):
            raise _bad("topic", "topic is 1 to 249 letters, digits, dots, _ and -")
        if bool(options.username) != bool(options.password):
            raise _bad("username", "username and password belong together")
        self._mechanism = own["sasl_mechanism"] or "SCRAM-SHA-512"
        if self._mechanism not in _MECHANISMS:
            raise _bad("sasl_mechanism", f"sasl_mechanism is one of {', '.join(_MECHANISMS)}")
        self._format = event_format(options)
        self._context = options.tls().context()
        self._producer: Any = None
        self._words = _LogWords()
        self._requests = 0
        self.secrets = tuple(filter(None, (options.password,)))
        self.destination = f"{','.join(self._brokers)} {self._topic}"
        self.limits = _LIMITS

    @property
    def requests(self) -> int:
        return self._requests

    def items(self, pushed: Pushed) -> Iterator[Item]:
        return event_items(pushed, self._format)

    def send(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        tried = f"produce to {self.destination}"
        waiting: list[Any] = []
        try:
            if self._producer is None:
                with self._words:
                    self._producer = self._connected()
            for item in batch:
                waiting.append(self._sent(item))
        except self._library.errors.KafkaError as error:
            raise self._error(error, tried) from None
        end = time.monotonic() + self._options.timeout
        while any(not isinstance(one, Exception) and not one.is_done for one in waiting):
            if self._options.cancel.is_set():
                raise ScanError("cancelled", "the push was cancelled", tried=tried)
            if time.monotonic() > end:
                break
            self._options.cancel.wait(_CANCEL_SECONDS / 10)
        outcomes = [self._outcome(one, tried) for one in waiting]
        if any(one is not None and one.reason == "timed_out" for one in outcomes):
            self.close()  # what is still on its way must not come behind what is sent next
        return outcomes

    def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.close(timeout=1.0)

    def _sent(self, item: Item) -> Any:
        """The library's future of a record, or the error by which it refuses to send it."""
        headers = [("securescan-key", item.key), ("securescan-activity", item.activity),
                   ("content-type", self._format.content_type)]  # fmt: skip
        self._requests += 1
        try:
            return self._producer.send(
                self._topic,
                item.body,
                key=(item.fingerprint or item.key).encode("ascii"),
                headers=[(name, value.encode("ascii")) for name, value in headers],
            )
        except self._library.errors.MessageSizeTooLargeError as error:
            return error

    def _connected(self) -> Any:
        options = self._options
        login = {}
        if options.username:
            login = {
                "sasl_mechanism": self._mechanism,
                "sasl_plain_username": options.username,
                "sasl_plain_password": options.password,
            }
        milliseconds = int(options.timeout * 1000)
        self._requests += 1
        return self._library.KafkaProducer(
            bootstrap_servers=list(self._brokers),
            client_id="securescan.kubernetes",
            security_protocol="SASL_SSL" if login else "SSL",
            ssl_context=self._context,
            acks="all",
            enable_idempotence=True,
            allow_auto_create_topics=False,
            linger_ms=5,
            max_request_size=_MOST_BYTES,
            max_block_ms=milliseconds,
            request_timeout_ms=max(1000, milliseconds // 2),
            delivery_timeout_ms=milliseconds,
            bootstrap_timeout_ms=milliseconds,
            metrics_enabled=False,
            **login,
        )

    def _outcome(self, one: Any, tried: str) -> ErrorRecord | None:
        """Of one record. :raises ScanError: all others would end alike"""
        error = one if isinstance(one, Exception) else one.exception
        if error is None and one.is_done:
            return None
        if error is None:
            return _record("timed_out", "the brokers did not acknowledge the record in time", tried)
        name = type(error).__name__
        if name in _ENDS:
            raise self._error(error, tried)
        reason = (
            "invalid_request" if name in _REFUSED else "timed_out" if "Timeout" in name else "connection_lost"
        )
        return _record(reason, self._said(error), tried)

    def _error(self, error: Exception, tried: str) -> ScanError:
        name = type(error).__name__
        is_away = "bootstrap" in str(error).lower() or "NoBrokers" in name
        reason = _ENDS.get(name, "unreachable" if is_away else "timed_out")
        said = self._said(error)
        if name not in _ENDS and self._words.reason:
            reason = self._words.reason
        return ScanError(
            reason, said, tried=tried, cause=_CAUSES.get(reason, ""), advice=_ADVICE.get(reason, "")
        )

    def _said(self, error: Exception) -> str:
        return server_text(f"{type(error).__name__}: {error}", self.secrets)


class _LogWords(logging.Handler):
    """with words: ... Why no broker could be reached: the library says it in its log alone. Nothing of that is shown."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.reason = ""

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage().lower()
        if "authentication" in said and ("fail" in said or "invalid" in said):
            self.reason = "not_authenticated"
        elif "certificate" in said or "ssl error" in said or "sslerror" in said:
            self.reason = "tls_failed"

    def __enter__(self) -> None:
        self.reason = ""
        log = logging.getLogger("kafka")
        log.setLevel(logging.INFO)
        log.propagate = False
        log.addHandler(self)

    def __exit__(self, *_error: object) -> None:
        log = logging.getLogger("kafka")
        log.removeHandler(self)
        # from here on errors say what there is to be said, and nothing goes to standard error
        log.setLevel(logging.CRITICAL)


def _library() -> Any:
    """:raises ScanError: missing_library"""
    try:
        import kafka
        import kafka.errors
    except ImportError:
        raise ScanError(
            "missing_library",
            "kafka-python is not installed",
            tried="import kafka",
            advice="Install requirements-push.txt of the collection for the Python that runs the task.",
        ) from None
    return kafka


def _record(reason: str, message: str, tried: str) -> ErrorRecord:
    return ErrorRecord(**ScanError(reason, message, tried=tried).record())


def _bad(option: str, problem: str) -> ScanError:
    return ScanError("bad_option", problem, tried=f"reading the option {option}")


_CAUSES = {
    "not_permitted": "The user is not allowed to write to the topic.",
    "not_authenticated": "The brokers do not know the user, the password or the mechanism.",
    "not_found": "There is no such topic.",
    "tls_failed": "The brokers' certificate was not accepted.",
    "unreachable": "No broker could be reached, or it ended the connection within the TLS handshake or the login.",
    "timed_out": "No broker answered in time.",
}
_ADVICE = {
    "not_permitted": "Allow the user to write to and to describe the topic, and IdempotentWrite on the cluster.",
    "not_authenticated": "Give username, password and sasl_mechanism as the brokers have them.",
    "not_found": "Make the topic; a push makes none.",
    "tls_failed": "Give the CA by ca_cert.",
    "unreachable": "Check brokers and firewall from the machine that runs the task, then ca_cert, username and password.",
    "timed_out": "Check the brokers, or raise timeout.",
}

KAFKA = SinkKind(
    "kafka",
    {
        "brokers": {"type": "list", "elements": "str"},
        "topic": {"type": "str"},
        "sasl_mechanism": {"type": "str", "choices": list(_MECHANISMS)},
    },
    (*TLS_OPTIONS, *LOGIN_OPTIONS, *EVENT_OPTIONS),
    Kafka,
)
