# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_request`: a request is put into the queue, taken out of it, or ended."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ..errors import ScanError
from ..options.request import TAKEN, RequestOptions
from ..options.spec import Params
from ..requests.allowed import AllowedRequests
from ..requests.queued_request import NOT_SCANNED, QueuedRequest
from ..requests.request import SCAN
from ..requests.request_queue import RequestQueue
from ..safe_text import one_line
from .context import TaskContext

_SOURCE = "task"
_MOST_REASON = 500


def run_scan_request(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed, run_id (empty where no request was taken), state, request, outcome."""
    options = RequestOptions.from_params(params)
    queue = RequestQueue(options.queue, time.time)
    if context.check_mode:
        return _told(None, changed=True)
    context.warnings += queue.create(options.allow_shared_folder)
    if options.request is not None:  # the state is queued
        submitted = queue.submit(options.request, _SOURCE)
        return _told(submitted.queued, changed=submitted.is_new)
    if options.state == TAKEN:
        return _take(queue, options, context)
    reason = one_line(options.reason, _MOST_REASON)
    ended = queue.end(options.run_id, options.outcome, options.run_dir, reason)
    return _told(ended, changed=True)


def _take(queue: RequestQueue, options: RequestOptions, context: TaskContext) -> dict[str, Any]:
    """The next request whose profiles are allowed here; one of which they are not is ended, and told."""
    while True:
        taken = queue.take(options.cluster, float(options.seconds))
        if taken is None:
            return _told(None, changed=False)
        try:
            AllowedRequests((options.cluster,), profiles=options.allowed_profiles).check(taken.request)
        except ScanError as error:
            queue.end(taken.request_id, NOT_SCANNED, "", error.message)
            context.warnings.append(f"request {taken.request_id}: {error.message}")
            continue
        return _told(taken, changed=True, profiles=list(taken.request.profiles or options.profiles))


def _told(found: QueuedRequest | None, *, changed: bool, **more: Any) -> dict[str, Any]:
    request: Mapping[str, Any] = {} if found is None else {**found.request.to_json(), **more}
    return {
        "changed": changed,
        "run_id": "" if found is None else found.request_id,
        "state": "" if found is None else found.state,
        "action": SCAN if found is None else found.request.action,
        "request": request,
        "outcome": "" if found is None else found.outcome,
    }
