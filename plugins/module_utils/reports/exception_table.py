# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A review of waivers and attestations as lines for a terminal: those that need somebody first."""

from __future__ import annotations

from collections.abc import Iterator

from ..results.exception_review import Review, ReviewedException
from ..safe_text import one_line
from ..text_layout import columns, fit, number_of, wrap

_HEADS = ("CONTROL", "KIND", "APPROVED BY", "TICKET", "AGE", "UNTIL", "PLACES")
_MOST_WIDTHS = (32, 11, 24, 16, 6, 24, 6)
_MOST_ENTRIES = 200
_WIDTH = 100
_INDENT = "    "


def review_lines(review: Review, width: int = 0) -> list[str]:
    """:param width: of the terminal, 0 where it is not known"""
    return list(_lines(review, max(width or _WIDTH, 60)))


def verdict_line(review: Review) -> str:
    """Such as: 2 of 5 waivers and attestations need action: 1 expired, 1 too_wide"""
    all_of = number_of(len(review.entries), "waiver or attestation", "waivers and attestations")
    if not review.needing:
        return f"{all_of}, and none needs action"
    counts = ", ".join(f"{number} {kind}" for kind, number in review.counts.items() if number)
    if len(review.entries) == 1:
        return f"{all_of}, which needs action: {counts}"
    return f"{review.needing} of {all_of} need action: {counts}"


def seen_line(review: Review) -> str:
    """What the review was made of."""
    of_all = f"{review.judged} of {number_of(review.containers, 'container')}"
    return f"Reviewed against the results of {of_all}."


def _lines(review: Review, width: int) -> Iterator[str]:
    yield f"EXCEPTIONS  {verdict_line(review)}"
    if review.entries:
        rows = [_cells(one) for one in review.entries[:_MOST_ENTRIES]]
        widths = [
            min(most, max(columns(row[at]) for row in [_HEADS, *rows]))
            for at, most in enumerate(_MOST_WIDTHS)
        ]
        yield ""
        yield _row(_HEADS, widths)
        for one, row in zip(review.entries, rows):
            yield _row(row, widths)
            for found in one.findings:
                yield from wrap(f"{found.kind}: {found.text}", width, _INDENT, _INDENT + "  ")
        if len(review.entries) > _MOST_ENTRIES:
            yield f"... and {len(review.entries) - _MOST_ENTRIES} more"
    yield ""
    yield seen_line(review)
    yield from (line for text in review.unread[:5] for line in wrap(text, width, "Not read: ", _INDENT))


def _cells(one: ReviewedException) -> tuple[str, ...]:
    record = one.record
    return (
        one_line(one.control_id),
        record.kind,
        record.approved_by or "-",
        record.ticket or "-",
        "-" if one.age is None else f"{one.age} d",
        until_text(one),
        str(one.places),
    )


def until_text(one: ReviewedException) -> str:
    """Such as: 2027-01-31 (62 d), or no end."""
    if not one.record.expires:
        return "no end"
    return one.record.expires + ("" if one.days_left is None else f" ({one.days_left} d)")


def _row(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(fit(cell, size) for cell, size in zip(cells, widths)).rstrip()
