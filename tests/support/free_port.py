# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A port for a server of a test that must be told one."""

from __future__ import annotations

import random
import socket

# Below those that the kernel gives to whoever asks for any, and below those of the test clusters: nobody gets one of these
# between the moment in which it is found free and the one in which it is taken.
_PORTS = range(20000, 26000)


def free_port() -> int:
    """A port of 127.0.0.1 at which nobody listens."""
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")
