# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A receiver of webhooks as our documentation tells how to write one: it verifies signature and time, and keeps the keys of
what it has taken."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from typing import Any

from ansible_collections.securescan.kubernetes.tests.support.https_server import Answer, Received

MOST_ITEMS, MOST_BYTES, OLDEST = 500, 1024 * 1024, 300


class WebhookReceiver:
    """:ivar items: what was taken, by key; each once
    :ivar repeated: keys that came again
    """

    def __init__(self, key: bytes, token: str = "") -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.repeated: list[str] = []
        self._key = key
        self._token = token
        self._lock = threading.Lock()

    def answer(self, request: Received) -> Answer:
        if self._token and request.headers.get("authorization") != f"Bearer {self._token}":
            return Answer(401, b"no")
        if not self._is_signed(request):
            return Answer(403, b"the signature is wrong")
        items = json.loads(request.body)["items"]
        if len(items) > MOST_ITEMS or (len(request.body) > MOST_BYTES * 2 and len(items) > 1):
            return Answer(413, b"too much")
        with self._lock:
            for item in items:
                if item["key"] in self.items:
                    self.repeated.append(item["key"])
                self.items.setdefault(item["key"], item)
        return Answer(202)

    def _is_signed(self, request: Received) -> bool:
        sent, name = request.headers["webhook-timestamp"], request.headers["webhook-id"]
        if abs(time.time() - int(sent)) > OLDEST:
            return False
        signed = hmac.digest(self._key, f"{name}.{sent}.".encode() + request.body, hashlib.sha256)
        own = "v1," + base64.b64encode(signed).decode()
        return hmac.compare_digest(own, request.headers.get("webhook-signature", ""))
