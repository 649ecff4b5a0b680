# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sink is given in tests: findings of a run that is none, as many as wanted."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.item import Item, item_key
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.sink import SinkKind
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.sink_options import SinkOptions


def finding_items(number: int, run_id: str = "run-1", size: int = 200) -> Sequence[Item]:
    """Items as a run of that id would give them."""
    return [_item(index, run_id, size) for index in range(number)]


def _item(index: int, run_id: str, size: int) -> Item:
    fingerprint = hashlib.sha256(str(index).encode()).hexdigest()
    body = b'{"n":%d,"text":"%s"}' % (index, b"x" * size)
    return Item(item_key(run_id, fingerprint), f"place/{index}", run_id, body=body, fingerprint=fingerprint)


def make_sink(kind: SinkKind, own: Mapping[str, Any] | None = None, **common: Any) -> Any:
    """A sink by its kind's options; those that are not given are None, as Ansible gives them."""
    options = {**dict.fromkeys(kind.options), **(own or {})}
    common.setdefault("cancel", threading.Event())
    common.setdefault("timeout", 10.0)
    return kind.make(SinkOptions(own=options, **common))
