# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one program in a container: pods/exec over a WebSocket, with one clear outcome or one named
failure."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ..network.deadline import Deadline
from .connection import ClusterConnection
from .open_exec import ExecPlace, open_exec


@dataclass(frozen=True)
class ExecOutcome:
    """A program that ran to its end. `seconds` is the wall time of the whole call."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    protocol: str
    seconds: float


def exec_in_container(  # noqa: PLR0917
    connection: ClusterConnection,
    namespace: str,
    pod: str,
    container: str,
    argv: Sequence[str],
    stdin: bytes,
    *,
    timeout: float,
    output_limit: int,
    cancel: threading.Event | None = None,
) -> ExecOutcome:
    """Run `argv` in a container, give it `stdin`, and read its output until it ends.

    With v5 standard input is closed after `stdin`; v4 cannot do that, so the program has to end by itself. A
    program that leaves more than a pipe's fill (64 KiB) of `stdin` unread never gets its status through
    Kubernetes 1.37, by kubectl neither: it ends as timed_out.

    :param timeout: seconds for everything from the connection to the last byte
    :param output_limit: bytes of standard output and standard error together
    :param cancel: ends the call within about 0.2 s
    :raises ScanError: no_such_program, container_not_running, pod_gone, not_found (no such container),
        exec_failed, not_authenticated, not_permitted, throttled, protocol_refused, connection_lost,
        timed_out, too_much_output, cancelled, bad_reply, server_error, invalid_request, unreachable,
        tls_failed, no_credential, bad_file
    """
    started = time.monotonic()
    place = ExecPlace(namespace, pod, container, tuple(argv))
    deadline = Deadline(timeout, cancel, f"exec into {place.path}")
    has_stdin = bool(stdin)
    with open_exec(
        connection, place, deadline=deadline, output_limit=output_limit, has_stdin=has_stdin
    ) as running:
        exit_code = running.finish(stdin, is_input_open=has_stdin)
    return ExecOutcome(
        exit_code, running.stdout, running.stderr, running.protocol, time.monotonic() - started
    )
