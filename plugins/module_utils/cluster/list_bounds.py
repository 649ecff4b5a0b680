# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a list that an API server would never end, and the size of one reply.

An API server that is broken or hostile decides how many pages a list has and what stands in a reply. Each bound
is far beyond what the largest cluster has that Kubernetes supports: 5,000 nodes with 150,000 pods.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..errors import ScanError
from ..network.http_pool import ReplyTooLargeError

# Three times the pods of the largest cluster.
LIST_ITEMS = 500_000
# Of each of them 32 KiB, which is more than a pod has: at most one page of it is held at a time.
LIST_BYTES = 16 * 1024 * 1024 * 1024
# Seconds that are waited for pages. A continue token lives for five minutes, so a list of half an hour has begun
# anew more often than `RestClient` allows.
LIST_SECONDS = 1800.0
# A server is allowed to give a page without an item, where a selector left nothing of it; not one after another.
EMPTY_PAGES = 20
# Characters: a token holds a version and a name, a few hundred at most, and goes into an address.
_TOKEN_LENGTH = 8192


@dataclass(frozen=True)
class ReplyLimit:
    """The largest reply that is parsed. In memory a part takes 100 bytes at most, and a list of empty lists has
    one part for each byte and a half of its text."""

    bytes: int
    parts: int


# A reply with one object: etcd holds 1.5 MiB of it.
OBJECT_LIMIT = ReplyLimit(4 * 1024 * 1024, 500_000)
# A page: 500 pods of 32 KiB. One that is larger is asked for again with fewer items.
PAGE_LIMIT = ReplyLimit(16 * 1024 * 1024, 2_000_000)
ERROR_BYTES = 64 * 1024


def check_parts(body: bytes, limit: ReplyLimit, tried: str) -> None:
    """Check that a reply has not more parts than are parsed. Those within texts count, too: the count is never
    too low.

    :raises ReplyTooLargeError: it has more
    """
    if sum(map(body.count, (b"{", b"[", b",", b":"))) > limit.parts:
        raise ReplyTooLargeError("bad_reply", f"the reply has more than {limit.parts} parts", tried=tried)


class ListAccount:
    """What one list has brought so far.

    :param tried: the list, in words
    """

    def __init__(self, tried: str) -> None:
        self._tried = tried
        self._items = 0
        self._bytes = 0
        self._seconds = 0.0
        self._empty_pages = 0
        self._tokens: set[str] = set()

    def begin_anew(self) -> None:
        """The list is asked for from its start again; its bounds stay."""
        self._tokens.clear()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around the request of a page: what is done with its items takes no time of the list.

        :raises ScanError: bad_reply
        """
        begun = time.monotonic()
        try:
            yield
        finally:
            self._seconds += time.monotonic() - begun
        if self._seconds > LIST_SECONDS:
            raise self._endless(f"it was not complete after {LIST_SECONDS:.0f} s")

    def add_page(self, items: list[Any], size: int, token: str) -> None:
        """
        :param size: bytes of the page
        :param token: by which the next page is asked for, "" after the last one
        :raises ScanError: bad_reply
        """
        self._items += len(items)
        self._bytes += size
        self._empty_pages = 0 if items else self._empty_pages + 1
        if self._items > LIST_ITEMS:
            raise self._endless(f"it has more than {LIST_ITEMS} items")
        if self._bytes > LIST_BYTES:
            raise self._endless(f"it has more than {LIST_BYTES} bytes")
        if not token:
            return
        if self._empty_pages >= EMPTY_PAGES:
            raise self._endless(f"{EMPTY_PAGES} pages one after another had no item")
        if len(token) > _TOKEN_LENGTH:
            raise self._endless(f"a continue token has {len(token)} characters")
        if token in self._tokens:
            raise self._endless("the same continue token came twice")
        self._tokens.add(token)

    def _endless(self, why: str) -> ScanError:
        return ScanError(
            "bad_reply",
            f"the list does not end: {why}",
            tried=self._tried,
            advice="Look at the API server, and at proxies before it.",
        )
