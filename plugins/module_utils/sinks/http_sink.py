# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sinks have in common that send everything by one HttpSender."""

from __future__ import annotations

from .http_sender import HttpSender
from .sink import Sink


class HttpSink(Sink):
    """A system that is reached by HTTP. The sink makes `_http`, with the credential in it."""

    _http: HttpSender

    @property
    def requests(self) -> int:
        return self._http.requests

    def close(self) -> None:
        self._http.close()
