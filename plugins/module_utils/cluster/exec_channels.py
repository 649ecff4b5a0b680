# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The channel protocol of exec, without any I/O: messages of one channel byte and data, and the final status.

Source: Kubernetes' remotecommand constants and KEP-4006. v5 differs from v4 in one thing: a message of two
bytes, 255 and a channel, closes that channel.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ..errors import ScanError
from ..safe_text import server_text

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
V5 = "v5.channel.k8s.io"
V4 = "v4.channel.k8s.io"
PROTOCOLS = (V5, V4)

# What servers put before the cause: their own words, once for each layer, and the number of the attempt.
_PREAMBLE = re.compile(r'^(Internal error occurred: )+|failed to start exec "[0-9a-f]+": ')
_STATUS_LIMIT = 64 * 1024
# A program cannot end with another code; servers read the text as an unsigned byte, too.
_EXIT_CODE = re.compile(r"\d{1,3}", re.ASCII)

# How container runtimes say that there is no such program. runc: exec: "sh": executable file not found in
# $PATH, or exec: "/bin/sh": stat /bin/sh: no such file or directory. crun: executable file `sh` not found in
# $PATH. gVisor: error finding executable "sh". Kata: the file /bin/sh was not found.
_NO_PROGRAM = re.compile(
    r"executable file (`[^`]{0,300}` )?not found|"
    r'exec: \\*"[^"]{0,300}": (stat [^:]{0,300}: )?no such file or directory|'
    r"error finding executable|the file \S{1,300} was not found",
    re.IGNORECASE,
)
_NOT_RUNNING = re.compile(
    r"container not found \(|container is in \S{1,40} state|container is not created or running|"
    r"cannot exec in a stopped|cannot exec a container that has|container \S{1,300} is not running|"
    r"does not have a host assigned|completed pod|no running task found|task \S{1,300} not found",
    re.IGNORECASE,
)
_POD_GONE = re.compile(r"pod does not exist|pods? \S{1,300} not found", re.IGNORECASE)
_NO_CONTAINER = re.compile(r"container \S{1,300} is not valid for pod", re.IGNORECASE)
_NO_NODE = re.compile(r"error dialing backend|no preferred addresses found|dial tcp", re.IGNORECASE)
_NO_RUNTIME = re.compile(r"rpc error: code = Unavailable", re.IGNORECASE)
_RUNTIME_SPEAKS = re.compile(
    r"OCI runtime|exec failed|unable to start container process|starting container process", re.IGNORECASE
)


def stdin_message(chunk: bytes) -> bytes:
    """`chunk` for the program's standard input."""
    return bytes((STDIN,)) + chunk


def close_stdin_message() -> bytes:
    """The end of standard input. v5 only: with v4 it cannot be said."""
    return bytes((CLOSE, STDIN))


class ChannelReader:
    """Sorts incoming messages by channel and keeps what they hold, up to a limit.

    :param output_limit: bytes that standard output and standard error may have together
    """

    def __init__(self, output_limit: int, tried: str = "") -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self._limit = output_limit
        self._tried = tried
        self._error = bytearray()

    @property
    def has_status(self) -> bool:
        return bool(self._error)

    def forget_output(self) -> None:
        """The output so far was dealt with; the limit counts anew."""
        self.stdout.clear()
        self.stderr.clear()

    def feed(self, message: bytes) -> None:
        """Take one message.

        :raises ScanError: too_much_output, bad_reply
        """
        if not message:
            return
        channel = message[0]
        if channel == STDOUT:
            self.stdout += message[1:]
        elif channel == STDERR:
            self.stderr += message[1:]
        elif channel == ERROR:
            self._error += message[1:]
        elif channel not in (STDIN, RESIZE, CLOSE) or len(message) > 2:
            raise ScanError(
                "bad_reply",
                f"the server sent data on channel {channel}, which is not for a client",
                tried=self._tried,
            )
        if len(self.stdout) + len(self.stderr) > self._limit:
            raise ScanError("too_much_output", f"more than {self._limit} bytes of output", tried=self._tried)
        if len(self._error) > _STATUS_LIMIT:
            raise ScanError("bad_reply", f"a status of more than {_STATUS_LIMIT} bytes", tried=self._tried)

    def exit_code(self, program: str) -> int:
        """How it ended, once `has_status`; `program` is the first word of what was to be run.

        :raises ScanError: as parse_status
        """
        code = parse_status(bytes(self._error), self._tried)
        if code in (126, 127) and _is_runtime_message(bytes(self.stdout) + bytes(self.stderr)):
            # Docker and CRI-O report the missing program by exit code and leave the runtime's words in the
            # output.
            raise ScanError(
                "no_such_program", f"there is no program {server_text(program)}", tried=self._tried
            )
        return code


def parse_status(raw: bytes, tried: str = "") -> int:
    """The exit code in the v1 Status that ends an exec.

    Success is exit code 0; Failure with reason NonZeroExitCode has the code as text in the cause of type
    ExitCode; any other Failure says, by its message, why the program did not run.

    :raises ScanError: bad_reply; no_such_program, container_not_running, pod_gone, not_found, exec_failed
    """
    try:
        status: Any = json.loads(raw)
    except (ValueError, RecursionError):
        raise ScanError("bad_reply", "the status of the program is not JSON", tried=tried) from None
    outcome = status.get("status") if isinstance(status, dict) else None
    if outcome == "Success":
        return 0
    if outcome != "Failure":
        raise ScanError("bad_reply", "the status of the program is neither Success nor Failure", tried=tried)
    if status.get("reason") != "NonZeroExitCode":
        raise exec_failure(str(status.get("message") or status.get("reason") or ""), tried)
    details = status.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    for cause in causes if isinstance(causes, list) else ():
        if isinstance(cause, dict) and cause.get("reason") == "ExitCode":
            text = cause.get("message")
            if isinstance(text, str) and _EXIT_CODE.fullmatch(text) and 0 < int(text) < 256:
                return int(text)
    raise ScanError("bad_reply", "the status of the program has no valid exit code", tried=tried)


def exec_failure(message: str, tried: str = "") -> ScanError:
    """Why the server, the node or its container runtime could not run a program, from what they say about
    it."""
    text = server_text(_PREAMBLE.sub("", message)) or "the server gave no reason"
    if _NO_PROGRAM.search(message):
        return ScanError("no_such_program", text, tried=tried)
    if _NOT_RUNNING.search(message):
        return ScanError("container_not_running", text, tried=tried)
    if _POD_GONE.search(message):
        return ScanError("pod_gone", text, tried=tried)
    if _NO_CONTAINER.search(message):
        return ScanError(
            "not_found",
            text,
            tried=tried,
            cause="The pod has no container of that name.",
            advice="Check the container's name; the pod may have been replaced by one of another kind.",
        )
    if _NO_NODE.search(message):
        return ScanError(
            "exec_failed",
            text,
            tried=tried,
            cause="The API server could not reach the pod's node.",
            advice="Check the node and its kubelet, then run again.",
        )
    if _NO_RUNTIME.search(message):
        return ScanError(
            "exec_failed",
            text,
            tried=tried,
            cause="The pod's node does not reach its container runtime.",
            advice="Check the node's container runtime (containerd, CRI-O), then run again.",
        )
    return ScanError("exec_failed", text, tried=tried)


def _is_runtime_message(output: bytes) -> bool:
    if len(output) > 4096:
        return False
    text = output.decode("utf-8", "replace")
    return bool(_RUNTIME_SPEAKS.search(text) and _NO_PROGRAM.search(text))
