# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A review of waivers and attestations as Markdown, for whoever decides on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from ..results.exception_review import Review, ReviewedException
from .exception_table import seen_line, until_text, verdict_line
from .markdown import escape

_HEADS = (
    "Control",
    "Kind",
    "Why",
    "Owner",
    "Requested",
    "Approved",
    "Ticket",
    "Age",
    "Until",
    "For",
    "Places",
)
_MOST_ENTRIES = 5_000


def write_review(review: Review, made: str, stream: TextIO) -> None:
    """:param made: when, as text"""
    for line in _lines(review, made):
        stream.write(line + "\n")


def _lines(review: Review, made: str) -> Iterator[str]:
    yield "# Waivers and attestations"
    yield ""
    yield f"{escape(verdict_line(review))}. {escape(seen_line(review))} As of {escape(made)}."
    for title, entries in (
        ("Need action", [one for one in review.entries if one.findings]),
        ("In order", [one for one in review.entries if not one.findings]),
    ):
        if entries:
            yield from ("", f"## {title}", "")
            heads = (*_HEADS, "What is to be done") if title == "Need action" else _HEADS
            yield _row(heads)
            yield "|" + " --- |" * len(heads)
            for one in entries[:_MOST_ENTRIES]:
                yield _row(_cells(one))
            if len(entries) > _MOST_ENTRIES:
                yield from ("", f"... and {len(entries) - _MOST_ENTRIES} more")
    if review.unread:
        yield from ("", "## Results that could not be read", "")
        yield from (f"- {escape(text)}" for text in review.unread[:100])


def _cells(one: ReviewedException) -> tuple[str, ...]:
    record = one.record
    said = (
        one.control_id,
        record.kind,
        record.reason,
        record.owner or "-",
        f"{record.requested_by} {record.requested}".strip() or "-",
        f"{record.approved_by} {record.approved}".strip() or "-",
        record.ticket or "-",
        "-" if one.age is None else f"{one.age} days",
        until_text(one),
        one.scope or "all",
        str(one.places),
    )
    found = "; ".join(f"{found.kind}: {found.text}" for found in one.findings)
    cells = tuple(map(escape, said))
    return (*cells, escape(found)) if found else cells


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
