# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of a fleet as a file, in JSON or Markdown. It keeps the lines of clusters that a play did not have.

A play with --limit sees some of the clusters. So each line says when it was seen, and those that are not of this play are
taken from the file that is there. The Markdown holds the same JSON as a comment, from which it is read again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

from ..errors import ScanError
from ..results.checked_json import JsonObject, bad_results, plain
from ..strict_json import load_json
from ..times import api_time, parse_rfc3339
from .fleet import HEADS, ClusterRow, ClusterRun, fleet_totals, total_cells
from .markdown import escape

SCHEMA = "securescan.kubernetes/fleet"
SCHEMA_VERSION = 1
_MOST_CLUSTERS = 5000
_COMMENT, _COMMENT_END = "<!-- " + SCHEMA + " ", " -->"


def fleet_format(path: str) -> Callable[[Sequence[ClusterRow], str], str]:
    """What makes a file's text of rows and the time of writing, by the file's suffix.

    :raises ScanError: bad_option
    """
    known = {".json": fleet_json, ".md": fleet_markdown}
    if Path(path).suffix not in known:
        raise ScanError(
            "bad_option",
            f"{path} must end with {' or '.join(known)}, which is its format",
            tried="reading the option table_path",
        )
    return known[Path(path).suffix]


def fleet_rows(
    runs: Sequence[ClusterRun], kept: Sequence[ClusterRow], now: datetime, keep_days: float
) -> list[ClusterRow]:
    """A row for each cluster of this play, and for those of the file that were seen within these days; the most urgent first.

    Of several rows of one host in the file the latest is kept. None was seen later than now: it would stay for ever.

    :param now: with its time zone
    """
    seen = api_time(now)
    rows = {one.host: ClusterRow.of(one, seen) for one in runs}
    oldest = now - timedelta(days=keep_days)
    others = [replace(row, seen=seen) if _seen(row) > now else row for row in kept if _seen(row) > oldest]
    for row in sorted(others, key=_seen, reverse=True):
        rows.setdefault(row.host, row)
    return sorted(list(rows.values())[:_MOST_CLUSTERS], key=lambda row: row.urgency)


def _seen(row: ClusterRow) -> datetime:
    try:
        return parse_rfc3339(row.seen)
    except (ValueError, OverflowError):
        return datetime.min.replace(tzinfo=timezone.utc)


def read_fleet(text: str, source: str) -> list[ClusterRow]:
    """The rows of a file that holds `text`; none of an empty one. :raises ScanError: bad_results"""
    if not text.strip():
        return []
    start = text.rfind(_COMMENT)
    if start >= 0:
        text = text[start + len(_COMMENT) :].rpartition(_COMMENT_END)[0]
    try:
        value = load_json(text.encode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        raise bad_results(source, "holds no table of clusters") from None
    if not isinstance(value, dict) or (value.get("schema"), value.get("schema_version")) != (
        SCHEMA,
        SCHEMA_VERSION,
    ):
        raise bad_results(source, f"holds no table of clusters of schema version {SCHEMA_VERSION}")
    return [ClusterRow.from_json(row) for row in JsonObject(value, source).objects("clusters")]


def fleet_json(rows: Sequence[ClusterRow], written: str) -> str:
    """{schema, schema_version, written, totals, clusters: list of rows}"""
    return json.dumps(_document(rows, written), indent=2, allow_nan=False) + "\n"


def _document(rows: Sequence[ClusterRow], written: str) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "written": written,
        "totals": fleet_totals(rows),
        "clusters": plain(rows),
    }


def fleet_markdown(rows: Sequence[ClusterRow], written: str) -> str:
    """A table with a line for each cluster that has a run, the others with their reason, and the JSON as a comment."""
    return "\n".join([*_markdown_lines(rows, written), _comment(rows, written)]) + "\n"


def _markdown_lines(rows: Sequence[ClusterRow], written: str) -> Iterator[str]:
    yield "# Scanned clusters"
    yield ""
    totals = fleet_totals(rows)
    yield (
        f"Written {escape(written)}. {totals['scanned_clusters']} of {totals['clusters']} clusters scanned, "
        f"{totals['passed_clusters']} passed the gate. SEEN is when the play ended that had the cluster."
    )
    yield ""
    yield "| " + " | ".join((*HEADS, "SEEN")) + " |"
    yield "|" + " --- |" * (len(HEADS) + 1)
    for row in rows:
        if row.run_id:
            yield "| " + " | ".join(escape(cell) for cell in (*row.cells(), row.seen)) + " |"
    yield "| " + " | ".join(escape(cell) for cell in (*total_cells(rows), "")) + " |"
    yield ""
    lines = [
        f"- {escape(row.not_scanned_line(), 400)} ({escape(row.seen)})" for row in rows if not row.scanned
    ]
    if lines:
        yield from ("## Not scanned", "", *lines, "")


def _comment(rows: Sequence[ClusterRow], written: str) -> str:
    """In ASCII and without what would end a comment."""
    text = json.dumps(_document(rows, written), allow_nan=False, separators=(",", ":"))
    return _COMMENT + text.replace("-" * 2, "-\\u002d").replace(">", "\\u003e") + _COMMENT_END
