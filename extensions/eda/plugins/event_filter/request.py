# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event filter: events of any source, such as eda.builtin.pg_listener, as requests in the queue."""

from __future__ import annotations

import functools
import json
import logging
import runpy
import time
from pathlib import Path
from typing import Any

runpy.run_path(str(Path(__file__).absolute().parents[1] / "find_engine.py"))

from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.message_door import (
    MessageDoor,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.source_options import (
    ALLOW_OPTIONS,
    QUEUE_OPTIONS,
    SourceOptions,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.told_events import (
    refused_event,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.request import bad_request

DOCUMENTATION = r"""
short_description: Make requests of events
description:
  - Reads a request out of an event, puts it into the queue, and gives an event with its run id in place of it. An event that is no
    request becomes C(refused), with the reason.
  - An event source answers nobody, so a request that cannot be kept, because the queue is full, is C(refused), too.
options:
  payload:
    description: The key of the event that holds the request. Empty where the event is the request itself.
    type: str
  queue:
    description: The folder of the queue.
    type: str
    required: true
  allow_shared_folder:
    description: Whether others are allowed to write to the queue's folder or to one above it.
    type: bool
    default: false
  name:
    description: What this way in is called in the queue.
    type: str
    default: request
  clusters:
    description: Names or patterns of the clusters that can be asked for.
    type: list
    elements: str
    required: true
  namespaces:
    description: Names or patterns of the namespaces that can be asked for. Empty means all.
    type: list
    elements: str
  actions:
    description: The actions that can be asked for, of V(scan), V(preflight) and V(health). Empty means all.
    type: list
    elements: str
  profiles:
    description: Names or patterns of the profiles that can be asked for. Empty means all that the playbook allows.
    type: list
    elements: str
"""

_LOG = logging.getLogger(__name__)
_OPTIONS = ("payload", *QUEUE_OPTIONS, *ALLOW_OPTIONS)
_META = "meta"  # of ansible-rulebook


def main(event: dict[str, Any], **args: Any) -> list[dict[str, Any]]:
    """The event of the request; none where the request was there before."""
    # ansible-rulebook calls this for each event, with the same options
    door, payload = _door(json.dumps(args, sort_keys=True))
    message = (
        event.get(payload) if payload else {name: value for name, value in event.items() if name != _META}
    )
    try:
        if not isinstance(message, (dict, str)):
            return [refused_event(bad_request(f"the event has no request at the key {payload}"), door.source)]
        return list(door.take(message))
    except ScanError as error:
        _LOG.error("a request could not be kept: %s", error)
        return [refused_event(error, door.source)]


@functools.lru_cache(maxsize=8)
def _door(args: str) -> tuple[MessageDoor, str]:
    options = SourceOptions.of(json.loads(args), "request", _OPTIONS)
    return MessageDoor(options.queue(time.time), options.allowed(), options.source), options.text("payload")
