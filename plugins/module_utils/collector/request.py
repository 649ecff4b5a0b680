# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request for one collection: the wanted facts, checked, and the bounds of the whole.

What a query of one kind is allowed to hold is said by its family (see query_rules.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import ScanError
from .facts import Query
from .families import KINDS
from .query_rules import check_options, encode_subject

DEFAULT_TIME_LIMIT = 30.0
DEFAULT_OUTPUT_LIMIT = 4 * 1024 * 1024
MAX_QUERIES = 2000
# The paths become arguments of one program, and Linux bounds the arguments of one program.
MAX_SUBJECT_BYTES = 512 * 1024


@dataclass(frozen=True)
class CollectionRequest:
    """The wanted facts, each once, in order. Made by make_request.

    :param queries: checked queries
    :param time_limit: seconds after which the collector begins nothing more; the exec client has the hard
        deadline
    :param output_limit: bytes of content that the collector sends at most; facts beyond it are too_large
    """

    queries: tuple[Query, ...]
    time_limit: float = DEFAULT_TIME_LIMIT
    output_limit: int = DEFAULT_OUTPUT_LIMIT


def make_request(
    queries: Iterable[Query],
    *,
    time_limit: float = DEFAULT_TIME_LIMIT,
    output_limit: int = DEFAULT_OUTPUT_LIMIT,
) -> CollectionRequest:
    """Check the queries, drop repeated ones and keep their order.

    :param time_limit: seconds, 1 to 3600
    :param output_limit: bytes, 1 KiB to 64 MiB
    :raises ScanError: `bad_option`, which names the query or the bound
    """
    if not 1 <= time_limit <= 3600:
        raise ScanError(
            "bad_option", f"the collector's time limit must be 1 to 3600 seconds, not {time_limit!r}"
        )
    if not 1024 <= output_limit <= 64 * 1024 * 1024:
        raise ScanError(
            "bad_option", f"the collector's output limit must be 1 KiB to 64 MiB, not {output_limit!r}"
        )
    wanted: dict[str, Query] = {}
    for query in queries:
        _check_query(query)
        wanted.setdefault(query.key, query)
    if len(wanted) > MAX_QUERIES:
        raise ScanError(
            "bad_option", f"{len(wanted)} facts are asked for, at most {MAX_QUERIES} are possible"
        )
    if sum(len(encode_subject(query.subject)) for query in wanted.values()) > MAX_SUBJECT_BYTES:
        raise ScanError(
            "bad_option", f"the names of the wanted facts have more than {MAX_SUBJECT_BYTES} bytes"
        )
    return CollectionRequest(tuple(wanted.values()), time_limit, output_limit)


def _check_query(query: Query) -> None:
    family = KINDS.get(query.kind)
    if family is None:
        known = ", ".join(sorted(KINDS))
        raise ScanError("bad_option", f"the fact {query.kind!r} does not exist; known are {known}")
    family.subject.check(query)
    check_options(query, family.options)
