# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What rules are told of a request: where it is, and nothing that its sender wrote, but for names that were checked.

request:           run_id, state (queued), cluster, action, source
refused:           source, code, reason, message: a message that became no request
meta.hosts:        the cluster, to which ansible-rulebook limits a playbook
"""

from __future__ import annotations

from typing import Any

from ..errors import ScanError
from ..requests.queued_request import QueuedRequest


def request_event(queued: QueuedRequest) -> dict[str, Any]:
    return {
        "request": {
            "run_id": queued.request_id,
            "state": queued.state,
            "cluster": queued.request.cluster,
            "action": queued.request.action,
            "source": queued.source,
        },
        "meta": {"hosts": [queued.request.cluster]},
    }


def refused_event(error: ScanError, source: str) -> dict[str, Any]:
    return {
        "refused": {
            "source": source,
            "code": error.kind.code,
            "reason": error.reason,
            "message": error.message,
        }
    }
