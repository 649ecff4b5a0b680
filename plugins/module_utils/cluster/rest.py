# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to the API by fixed paths: no discovery, no generated classes; objects are mappings, as in JSON."""

from __future__ import annotations

import copy
import hashlib
import json
import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable, Union
from urllib.parse import quote, urlencode

from ..errors import ScanError
from ..network.deadline import Deadline
from ..network.http_pool import HttpPool, HttpReply, HttpRequest, HttpTarget, ReplyTooLargeError
from ..object_shapes import OBJECT, POD, check_object, is_collection, shape_of
from ..safe_text import server_text
from .api_errors import ApiError, api_error, describe_request
from .connection import ClusterConnection
from .list_bounds import ERROR_BYTES, OBJECT_LIMIT, PAGE_LIMIT, ListAccount, ReplyLimit, check_parts

Query = Mapping[str, Union[str, int, Sequence[str]]]

_JSON = "application/json"
_METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_LIST_OF_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
# How often a list is started again because its continue token expired.
_LIST_RESTARTS = 3
# How often a request is sent that fails. After 429 it is sent again as long as `patience` lasts.
_ATTEMPTS = 4
# By how much a page has fewer items that is asked for again because it was too large.
_FEWER_ITEMS = 4
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 8.0


class VersionTooOldError(ScanError):
    """A watch cannot go on from a version: the list is to be read again."""


class RestClient:
    """Requests to one cluster as one identity. Safe to use from several threads.

    :param timeout: seconds for one attempt
    :param patience: seconds during which a request is tried again
    :param attempts: how often a request is sent at most, not counting answers of 429
    :param cancel: ends every wait
    :param cleanup: makes what ends the waits of `uncancelled`; None where clean-up may take as long as it needs
    :ivar requests: number of attempts
    """

    def __init__(
        self,
        connection: ClusterConnection,
        timeout: float = 30.0,
        *,
        patience: float = 60.0,
        attempts: int = _ATTEMPTS,
        cancel: threading.Event | None = None,
        cleanup: Callable[[], threading.Event] | None = None,
    ) -> None:
        self.connection = connection
        self.cleanup = cleanup
        self.requests = 0
        self._timeout = timeout
        self._patience = patience
        self._attempts = attempts
        self._cancel = cancel
        self._pool = HttpPool()
        self._lock = threading.Lock()

    def uncancelled(self) -> RestClient:
        """The same client for clean-up, which must be done although the rest is cancelled."""
        client = copy.copy(self)
        client._cancel = self.cleanup() if self.cleanup is not None else None
        return client

    def get(self, path: str, query: Query | None = None) -> dict[str, Any]:
        """The object at a path, as Kubernetes makes it (object_shapes.py); `create` and `patch` likewise.

        :raises ScanError: any reason of SCAN-2xx; connection_lost, timed_out, cancelled
        """
        return self._request("GET", path, query)

    def get_metadata(self, path: str) -> dict[str, Any]:
        """Only the metadata of an object (PartialObjectMetadata). :raises ScanError: as `get`"""
        return self._request("GET", path, accept=_METADATA_ONLY)

    def create(self, path: str, body: Mapping[str, Any], query: Query | None = None) -> dict[str, Any]:
        """:raises ScanError: as `get`; after connection_lost or timed_out the object perhaps exists"""
        return self._request("POST", path, query, body, _JSON)

    def patch(self, path: str, body: Any, content_type: str, query: Query | None = None) -> dict[str, Any]:
        """
        :param content_type: one of the API's patch types, such as application/strategic-merge-patch+json
        :raises ScanError: as `get`; after connection_lost or timed_out the object perhaps is changed
        """
        return self._request("PATCH", path, query, body, content_type)

    def delete(
        self, path: str, body: Mapping[str, Any] | None = None, query: Query | None = None
    ) -> dict[str, Any]:
        """
        :param body: DeleteOptions
        :raises ScanError: as `get`; after a lost connection the second attempt can be answered by not_found
        """
        return self._request("DELETE", path, query, body, _JSON)

    def list_items(
        self, path: str, query: Query | None = None, page_size: int = 500, *, metadata_only: bool = False
    ) -> Iterator[dict[str, Any]]:
        """The items of a list, page by page: at most one page is held. Each is as Kubernetes makes it, but for
        pods, of which who lists them checks each: one that is not becomes a record of its own.

        A continue token lives for some minutes. When it has expired (410), the list is started again, and
        objects that were already returned (by their UID) are left out. A page that is too large is asked for
        again with fewer items. A list without end is given up (list_bounds.py).

        :param metadata_only: of each object only its metadata (PartialObjectMetadataList)
        :raises ScanError: as `get`
        """
        tried = describe_request("GET", path)
        account, is_list_of_pods = ListAccount(tried), shape_of(path) is POD
        given: set[bytes] = set()
        restarts = 0
        token = ""
        accept = _LIST_OF_METADATA if metadata_only else _JSON
        while True:
            page_query: dict[str, str | int | Sequence[str]] = dict(query or {}, limit=page_size)
            if token:
                page_query["continue"] = token
            try:
                with account.waiting():
                    page, size = self._exchange("GET", path, page_query, accept=accept, limit=PAGE_LIMIT)
            except ReplyTooLargeError:
                if page_size == 1:
                    raise
                page_size = max(1, page_size // _FEWER_ITEMS)
                continue
            except ApiError as error:
                if error.status != 410 or not token or restarts == _LIST_RESTARTS:
                    raise
                restarts += 1
                token = ""
                account.begin_anew()
                continue
            items, token = _read_page(page, tried)
            account.add_page(items, size, token)
            del page
            for item in items:
                if not is_list_of_pods:
                    check_object(item, shape_of(path), tried)
                if _is_first(item, given):
                    yield item
            del items  # before the next page is read
            if not token:
                return

    def watch(self, path: str, version: str, seconds: int) -> list[tuple[str, dict[str, Any]]]:
        """What has happened to the objects of a list since a version of it, waiting so many seconds for it: the kind of
        each change (ADDED, MODIFIED, DELETED, BOOKMARK) with the object after it. Nothing is tried again.

        :raises VersionTooOldError: the list is to be read again, because the server does not know the version any more, or
            because more has happened than is read at once
        :raises ScanError: as `get`
        """
        tried = describe_request("GET", path)
        query = {
            "watch": 1,
            "resourceVersion": version,
            "timeoutSeconds": seconds,
            "allowWatchBookmarks": "true",
        }
        server = self.connection.target()
        with self._lock:
            self.requests += 1
        deadline = Deadline(seconds + self._timeout, self._cancel, tried)
        request = HttpRequest("GET", f"{path}?{urlencode(query)}", {"Accept": _JSON}, None)
        try:
            reply = self._sent(server, request, deadline, PAGE_LIMIT)
            check_parts(reply.body, PAGE_LIMIT, tried)
        except ReplyTooLargeError as error:
            raise VersionTooOldError("bad_reply", error.message, tried=tried) from None
        if not reply.is_success:
            failure = api_error(reply.status, reply.headers, reply.body, tried, server.secrets)
            if reply.status == 410:
                raise VersionTooOldError(failure.reason, failure.message, tried=tried)
            if failure.reason == "not_authenticated":
                self.connection.renew_credential()  # for the next time
            raise self.connection.explained(failure)
        return [
            _watched(line, path, tried, server.secrets) for line in reply.body.splitlines() if line.strip()
        ]

    def close(self) -> None:
        """Close the connections that are kept. The client may be used again."""
        self._pool.close()

    def _request(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: Any = None,
        content_type: str = "",
        *,
        accept: str = _JSON,
    ) -> dict[str, Any]:
        found, _size = self._exchange(method, path, query, body, content_type, accept=accept)
        if method != "DELETE" and not (method == "GET" and is_collection(path)):
            shape = OBJECT if accept == _METADATA_ONLY else shape_of(path)
            check_object(found, shape, describe_request(method, path))
        return found

    def _exchange(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: Any = None,
        content_type: str = "",
        *,
        accept: str = _JSON,
        limit: ReplyLimit = OBJECT_LIMIT,
    ) -> tuple[dict[str, Any], int]:
        """The object in the reply, and the reply's size in bytes."""
        path_and_query = quote(path, safe="/:@!$&'()*+,;=~-._%") + (
            "?" + urlencode(query, doseq=True) if query else ""
        )
        content = None if body is None else json.dumps(body, separators=(",", ":")).encode("utf-8")
        headers = {"Accept": accept}
        if content is not None:
            headers["Content-Type"] = content_type
        patience = Deadline(self._patience, self._cancel, describe_request(method, path))
        failures = 0
        renewed = False
        while True:
            try:
                return self._attempt(method, path_and_query, headers, content, patience, limit=limit)
            except ScanError as error:
                if error.reason == "not_authenticated" and not renewed and self.connection.renew_credential():
                    renewed = True
                    continue
                failures += 1
                if not _is_worth_retrying(error, method, failures < self._attempts):
                    raise
                pause = _pause(error, failures)
                if pause >= patience.remaining():
                    raise
            patience.sleep(pause)

    def _attempt(
        self,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        content: bytes | None,
        patience: Deadline,
        *,
        limit: ReplyLimit,
    ) -> tuple[dict[str, Any], int]:
        with self._lock:
            self.requests += 1
        deadline = Deadline(self._timeout, self._cancel, patience.tried)
        server = self.connection.target()
        request = HttpRequest(method, path_and_query, headers, content)
        reply = self._sent(server, request, deadline, limit)
        if not reply.is_success:
            error = api_error(reply.status, reply.headers, reply.body, deadline.tried, server.secrets)
            raise self.connection.explained(error)
        check_parts(reply.body, limit, deadline.tried)
        try:
            document = json.loads(reply.body, parse_int=_whole_number, parse_constant=_no_number)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise ScanError("bad_reply", _not_json(reply.headers, server.secrets), tried=deadline.tried)
        return document, len(reply.body)

    def _sent(
        self, server: HttpTarget, request: HttpRequest, deadline: Deadline, limit: ReplyLimit
    ) -> HttpReply:
        """The reply to one request, which is logged."""
        log, begun = self.connection.log, time.monotonic()
        what = f"{self.connection.role} {request.method} {request.target.partition('?')[0]}"
        sent = len(request.body or b"")
        try:
            reply = self._pool.exchange(
                server, request, limit=limit.bytes, deadline=deadline, error_limit=ERROR_BYTES
            )
        except ScanError as error:
            log.add_request(what, error.reason, seconds=time.monotonic() - begun, sent=sent, received=0)
            raise
        log.add_request(
            what, str(reply.status), seconds=time.monotonic() - begun, sent=sent, received=len(reply.body)
        )
        return reply


def _not_json(headers: Mapping[str, str], secrets: Sequence[str]) -> str:
    kind = server_text(headers.get("content-type", "no content type"), secrets, limit=60)
    coding = server_text(headers.get("content-encoding", ""), secrets, limit=20)
    if coding and coding != "identity":
        return f"the reply is coded ({coding}), which nobody asked for: something on the way to the API server alters it"
    return f"the reply is not a JSON object ({kind})"


def _whole_number(digits: str) -> int:
    """A whole number of JSON. Kubernetes has none of more than 64 bits, and the time for a long one grows with
    the square of its digits."""
    if len(digits) > 20:
        raise ValueError("a number of more than 20 characters")
    return int(digits)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _watched(line: bytes, path: str, tried: str, secrets: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """The kind and the object of a line of a watch. :raises VersionTooOldError: and bad_reply"""
    try:
        change = json.loads(line, parse_int=_whole_number, parse_constant=_no_number)
    except (ValueError, RecursionError):
        change = None
    kind, found = (change.get("type"), change.get("object")) if isinstance(change, dict) else (None, None)
    if not isinstance(kind, str) or not isinstance(found, dict):
        raise ScanError("bad_reply", "a line of the watch holds no change", tried=tried)
    if kind == "ERROR":
        said = server_text(str(found.get("message") or "no reason was given"), secrets)
        raise VersionTooOldError("not_found", f"the watch has ended: {said}", tried=tried)
    check_object(found, OBJECT if kind == "BOOKMARK" else shape_of(path), tried)
    return kind, found


def _is_first(item: Mapping[str, Any], given: set[bytes]) -> bool:
    """Whether a list that was begun anew gives the object for the first time, by its UID. Of that a digest is
    kept: the server decides how long it is."""
    uid = str(item["metadata"].get("uid") or "")
    digest = hashlib.sha256(uid.encode("utf-8", "surrogatepass")).digest()
    if not uid:
        return True
    if digest in given:
        return False
    given.add(digest)
    return True


def _is_worth_retrying(error: ScanError, method: str, has_attempts: bool) -> bool:
    """Whether the same request can be sent again without doing something twice."""
    if error.reason == "throttled":
        return True
    if not has_attempts:
        return False
    if error.reason == "unreachable":
        return True  # nothing was sent
    return method in ("GET", "DELETE") and error.reason in ("server_error", "connection_lost")


def _pause(error: ScanError, failures: int) -> float:
    """Seconds before the next attempt, spread so that many clients do not come back together."""
    asked = error.retry_after if isinstance(error, ApiError) else None
    if asked is not None:
        return asked + random.uniform(0, 0.5)  # noqa: S311 - spreads load, protects nothing
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (failures - 1)) * random.uniform(0.5, 1)  # noqa: S311 - the same


def _read_page(page: Mapping[str, Any], tried: str) -> Any:
    """Items and continue token of a list."""
    items = page.get("items")
    if items is None and str(page.get("kind", "")).endswith("List"):
        items = []  # Go's nil slice
    metadata = page.get("metadata")
    if (
        not isinstance(items, list)
        or not isinstance(metadata, dict)
        or not isinstance(metadata.get("continue", ""), (str, type(None)))
        or any(not isinstance(item, dict) or not isinstance(item.get("metadata"), dict) for item in items)
    ):
        raise ScanError("bad_reply", "the reply is not a list of objects", tried=tried)
    return items, metadata.get("continue") or ""
