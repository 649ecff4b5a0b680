# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few calls to the API server and to the daemons' health addresses that bringing up a cluster needs."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from typing import Any

from .state import State

_SECONDS = 3.0


class Api:
    """The API server of one cluster, for the eyes of who watches over it."""

    def __init__(self, state: State) -> None:
        self._server = state.server
        self._context = ssl.create_default_context(cafile=str(state.certificates / "ca.crt"))
        self._context.load_cert_chain(state.certificates / "health.crt", state.certificates / "health.key")

    def get(self, path: str) -> dict[str, Any] | None:
        """The object at a path; None where there is none or the server does not answer."""
        answer = _answer(self._server + path, self._context)
        return None if answer is None else json.loads(answer)

    def answers(self, address: str) -> bool:
        """Whether the health address of a daemon says 200 within seconds."""
        if address.startswith(self._server):
            return _answer(address, self._context) is not None
        # controller manager and scheduler serve under a certificate that they make themselves
        return _answer(address, ssl._create_unverified_context()) is not None


def _answer(address: str, context: ssl.SSLContext) -> bytes | None:
    # an empty ProxyHandler: nothing here is for a proxy, whatever the environment says
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        with opener.open(address, timeout=_SECONDS) as response:
            body: bytes = response.read()
            return body
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return None
