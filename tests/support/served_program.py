# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program of a test that serves at a port of 127.0.0.1, started and ended; its output is kept."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence

_SECONDS = 60.0
# of Linux's enum of TCP states
_LISTEN = "0A"


@contextlib.contextmanager
def served(
    command: Sequence[str | pathlib.Path],
    port: int,
    log: pathlib.Path,
    environment: Mapping[str, str] | None = None,
    seconds: float = _SECONDS,
) -> Iterator[subprocess.Popen[bytes]]:
    """The process, from when it takes connections; it is killed at the end."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environment) if environment is not None else None,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + seconds
        while not listens(port):
            if process.poll() is not None or time.monotonic() > end:
                raise AssertionError(log.read_text(errors="replace")[-3000:])
            time.sleep(0.02)
        yield process
    finally:
        # its children, too: some servers have many
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def listens(port: int) -> bool:
    """Whether somebody listens at the port. Nobody connects to see it: a TLS server takes a connection that
    says nothing for a failure, and not each one gets over it."""
    for table in (pathlib.Path("/proc/net/tcp"), pathlib.Path("/proc/net/tcp6")):
        if not table.exists():
            continue  # no IPv6
        for line in table.read_text(encoding="ascii").splitlines()[1:]:
            _slot, local, _remote, state = line.split()[:4]
            if state == _LISTEN and int(local.rpartition(":")[2], 16) == port:
                return True
    return False
