# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_store_info`: a question to a store, and its rows; or a document of it, in a file."""

from __future__ import annotations

import hashlib
from typing import Any

from ..errors import ScanError
from ..options.spec import Params
from ..options.store_info import DOCUMENT, StoreInfoOptions
from ..results.whole_file import write_whole
from ..store.known_results import document_of_run
from .context import TaskContext
from .store import opened_store


def run_scan_store_info(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed (whether a file was written), store (its address, without a password), query; rows and truncated, or
    output and sha256."""
    options = StoreInfoOptions.from_params(params, context.environ)
    store = opened_store(options.access, context)
    result: dict[str, Any] = {"changed": False, "store": options.access.shown, "query": options.query}
    if options.query == DOCUMENT:
        return {**result, **_document(options, context)}
    answer = store.ask(options.query, options.asked)
    if answer.truncated:
        context.warnings.append(
            f"there are more than {options.asked.limit} rows; raise limit, or narrow the query"
        )
    return {**result, "rows": [row.to_json() for row in answer.rows], "truncated": answer.truncated}


def _document(options: StoreInfoOptions, context: TaskContext) -> dict[str, Any]:
    store = opened_store(options.access, context)
    data = document_of_run(store, options.asked.cluster, options.run_id, options.target_id)
    if data is None or options.output is None:
        raise ScanError(
            "not_found",
            f"the store has no document of {options.target_id} in the run {options.run_id} of {options.asked.cluster}",
            tried="read a document",
            cause="The names are others, or the policy of evidence did not keep it.",
            advice="query=runs lists the runs with the number of their documents.",
        )
    sha256 = hashlib.sha256(data).hexdigest()
    there = options.output.is_file() and hashlib.sha256(options.output.read_bytes()).hexdigest() == sha256
    if not there and not context.check_mode:
        write_whole(options.output, data)
    return {"changed": not there, "output": str(options.output), "sha256": sha256}
