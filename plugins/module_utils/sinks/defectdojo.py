# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DefectDojo: the run as SARIF, imported again into the same test, so that findings keep their ids, and what is mended is closed.

A test stands for one cluster and one selection. Old findings are closed only by a run that has seen everything of its
selection, and that judged each control which failed before: else what was not seen would be closed, too.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from ..reports.event import CLOSED
from ..reports.sarif import REPORT_OF_PROBLEMS
from ..results.coverage import Coverage
from ..results.run import Run
from ..results.status import FAILED
from .http_sender import HttpSender
from .http_sink import HttpSink
from .item import Item, Outcome, item_key
from .multipart import multipart
from .pushed import Pushed
from .sink import Limits, SinkKind
from .sink_options import HTTP_OPTIONS, TOKEN_OPTIONS, SinkOptions

_LIMITS = Limits(items=1, bytes=256 * 1024 * 1024)
_PATH = "/api/v2/reimport-scan/"
_MOST_TITLE = 200
_HASH_DIGITS = 8


class DefectDojo(HttpSink):
    """Imports a report of each run."""

    def __init__(self, options: SinkOptions) -> None:
        own = options.own
        token = options.needed("token")
        self._fields = {
            "scan_type": "SARIF",
            "product_type_name": str(own["product_type"] or "Kubernetes"),
            "product_name": str(own["product"] or ""),
            "engagement_name": str(own["engagement"] or "securescan.kubernetes"),
            "auto_create_context": "true",
            "do_not_reactivate": "false",
        }
        self.secrets: Sequence[str] = (token,)
        self._http = HttpSender(options, {"Authorization": f"Token {token}"}, self.secrets)
        self.destination = f"{options.url.rstrip('/')} ({own['product'] or 'a product for each cluster'})"
        self.limits = _LIMITS

    def items(self, pushed: Pushed) -> Iterator[Item]:
        """One: the report, and the fields of the form by which it is imported, in one line before it."""
        run = pushed.run
        report = io.StringIO()
        REPORT_OF_PROBLEMS.write(run, report)
        fields = {
            **self._fields,
            "product_name": self._fields["product_name"] or run.cluster,
            "test_title": _test_title(run),
            "build_id": run.run_id,
            "scan_date": run.started[:10],
            "close_old_findings": "true" if _has_seen_all(pushed) else "false",
        }
        body = (
            json.dumps(fields).encode("ascii") + b"\n" + report.getvalue().encode("utf-8", "backslashreplace")
        )
        yield Item(item_key(run.run_id, run.cluster), f"{run.cluster} {run.run_id}", run.run_id, body=body)

    def send(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        outcomes: list[Outcome] = []
        for item in batch:
            head, _line, report = item.body.partition(b"\n")
            fields: dict[str, Any] = json.loads(head)
            file_name = f"{item.run_id}.sarif"
            content_type, body = multipart(fields, [("file", file_name, report)])
            self._http.send("POST", _PATH, headers={"Content-Type": content_type}, body=body)
            outcomes.append(None)
        return outcomes


def _test_title(run: Run) -> str:
    """The same for each run of a selection."""
    selection = json.dumps(run.selection, sort_keys=True).encode("utf-8", "backslashreplace")
    return f"{run.cluster[:_MOST_TITLE]} ({hashlib.sha256(selection).hexdigest()[:_HASH_DIGITS]})"


def _has_seen_all(pushed: Pushed) -> bool:
    """Whether what the run does not report as failed no longer fails: it looked at whole namespaces and at each container in
    them, and judged what failed before."""
    is_whole = Coverage.of(pushed.run) is not None
    for finding in pushed.findings():
        # all are gone through: they are remembered
        is_unseen = finding.verdict is None and finding.activity != CLOSED
        is_unjudged = finding.verdict and finding.is_kept_open and finding.verdict.status != FAILED
        if is_unseen or is_unjudged:
            is_whole = False
    return is_whole and not pushed.leaves_open


DEFECTDOJO = SinkKind(
    "defectdojo",
    {
        "product_type": {"type": "str"},
        "product": {"type": "str"},
        "engagement": {"type": "str"},
    },
    (*HTTP_OPTIONS, *TOKEN_OPTIONS),
    DefectDojo,
)
