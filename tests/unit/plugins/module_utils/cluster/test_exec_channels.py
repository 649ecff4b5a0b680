# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The channel protocol of exec, and what servers and runtimes say when a program does not run."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster import exec_channels as channels
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError

SUCCESS = b'{"metadata":{},"status":"Success"}'
# What Kubernetes 1.37 with containerd sends for exit code 3.
EXIT_3 = (
    b'{"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code: exit status 3",'
    b'"reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}'
)


def failure(message: str) -> bytes:
    return json.dumps(
        {"status": "Failure", "reason": "InternalError", "message": message, "code": 500}
    ).encode()


def exit_code(text: Any) -> bytes:
    status: dict[str, Any] = json.loads(EXIT_3)
    status["details"]["causes"][0]["message"] = text
    return json.dumps(status).encode()


def test_messages_of_a_client() -> None:
    assert channels.stdin_message(b"id\n") == b"\x00id\n"
    assert channels.close_stdin_message() == b"\xff\x00"


def test_output_is_sorted_by_channel_and_stays_binary() -> None:
    reader = channels.ChannelReader(100)
    for message in (
        b"",
        b"\x01",
        b"\x02",
        b"\x01a\x00\xff",
        b"\x02err",
        b"\x01b",
        b"\xff\x01",
        b"\x03" + EXIT_3,
    ):
        reader.feed(message)
    assert (bytes(reader.stdout), bytes(reader.stderr)) == (b"a\x00\xffb", b"err")
    assert reader.has_status
    assert reader.exit_code("sh") == 3


def test_output_beyond_the_limit() -> None:
    reader = channels.ChannelReader(5)
    reader.feed(b"\x01abc")
    reader.feed(b"\x02de")
    with pytest.raises(ScanError) as caught:
        reader.feed(b"\x02f")
    assert caught.value.reason == "too_much_output"


@pytest.mark.parametrize("message", [b"\x09data", b"\x00stdin for a client?", b"\x04resize"])
def test_channels_that_are_not_for_clients(message: bytes) -> None:
    with pytest.raises(ScanError) as caught:
        channels.ChannelReader(100).feed(message)
    assert caught.value.reason == "bad_reply"


def test_a_status_without_end() -> None:
    reader = channels.ChannelReader(100)
    with pytest.raises(ScanError) as caught:
        for _number in range(100):
            reader.feed(b"\x03" + b"x" * 1000)
    assert caught.value.reason == "bad_reply"


@pytest.mark.parametrize(
    ("raw", "code"), [(SUCCESS, 0), (EXIT_3, 3), (exit_code("1"), 1), (exit_code("255"), 255)]
)
def test_the_status_of_an_exec_gives_its_exit_code(raw: bytes, code: int) -> None:
    assert channels.parse_status(raw) == code


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"3",
        b"{",
        b"{}",
        b'{"status":"success"}',
        b'{"status":true}',
        b'{"status":["Success"]}',
        b"[" * 50000,
        b'{"status":"Failure","reason":"NonZeroExitCode"}',
        b'{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode"}]}}',
        b'{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":"ExitCode"}}',
        exit_code("0"),
        exit_code("256"),
        exit_code("-1"),
        exit_code("3 "),
        exit_code("x"),
        exit_code(3),
        exit_code(None),
        exit_code("\u0663"),
        b"\xff\xfe",
    ],
)
def test_a_status_that_says_nothing_is_never_an_exit_code(raw: bytes) -> None:
    with pytest.raises(ScanError) as caught:
        channels.parse_status(raw)
    assert caught.value.reason == "bad_reply"


RUNTIME = (
    'error executing command in container: failed to exec in container: failed to start exec "ab12": '
    "OCI runtime exec failed: exec failed: unable to start container process: "
)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        # containerd with runc, seen on Kubernetes 1.37
        (RUNTIME + 'exec: "sh": executable file not found in $PATH', "no_such_program"),
        (RUNTIME + 'exec: "/bin/sh": stat /bin/sh: no such file or directory', "no_such_program"),
        # containerd with runc of 2019 escapes its quotes
        (
            'OCI runtime exec failed: exec failed: container_linux.go:345: starting container process caused "exec: \\"sh\\": '
            'executable file not found in $PATH": unknown',
            "no_such_program",
        ),
        # crun
        (
            "executable file `sh` not found in $PATH: No such file or directory: OCI runtime attempted to "
            "invoke a command "
            "that was not found",
            "no_such_program",
        ),
        # gVisor, Kata
        ('error finding executable "sh" in PATH []: no such file or directory', "no_such_program"),
        ('rpc status: code: INTERNAL message: "the file /bin/bash was not found"', "no_such_program"),
        # The program is there, something else is not
        (RUNTIME + 'exec: "/bin/sh": permission denied', "exec_failed"),
        (
            RUNTIME + 'chdir to cwd ("/app") set in config.json failed: no such file or directory',
            "exec_failed",
        ),
        (RUNTIME + "error executing setns process: exit status 1", "exec_failed"),
        # kubelet, containerd, CRI-O
        ('unable to upgrade connection: container not found ("app")', "container_not_running"),
        ("failed to exec in container: container is in CONTAINER_EXITED state", "container_not_running"),
        ("container is not created or running", "container_not_running"),
        ("cannot exec in a stopped container", "container_not_running"),
        ("pod api-1 does not have a host assigned", "container_not_running"),
        (
            "cannot exec into a container in a completed pod; current phase is Succeeded",
            "container_not_running",
        ),
        ("pod does not exist", "pod_gone"),
        ('pods "api-1" not found', "pod_gone"),
        ("container nope is not valid for pod api-1", "not_found"),
        ("error dialing backend: dial tcp 10.0.0.1:10250: connect: connection refused", "exec_failed"),
        ("something new", "exec_failed"),
        ("", "exec_failed"),
    ],
)
def test_reasons_why_a_program_did_not_run(message: str, reason: str) -> None:
    for text in (message, "Internal error occurred: " + message):
        with pytest.raises(ScanError) as caught:
            channels.parse_status(failure(text))
        assert caught.value.reason == reason


def test_a_node_that_is_not_reached_is_named_as_the_cause() -> None:
    error = channels.exec_failure("error dialing backend: dial tcp 10.0.0.1:10250: i/o timeout")
    assert "node" in error.cause


def test_messages_are_the_same_for_every_attempt() -> None:
    text = 'failed to start exec "%s": OCI runtime exec failed'
    assert (
        channels.exec_failure("Internal error occurred: " + text % ("a1" * 32)).message
        == channels.exec_failure(text % ("b2" * 32)).message
    )


def with_output(code: int, stdout: bytes, stderr: bytes = b"") -> int:
    reader = channels.ChannelReader(10**6)
    reader.feed(b"\x01" + stdout)
    reader.feed(b"\x02" + stderr)
    reader.feed(b"\x03" + exit_code(str(code)))
    return reader.exit_code("sh")


def test_a_missing_program_that_comes_as_an_exit_code() -> None:
    """Docker says it on standard output with 126, CRI-O with 127 or 1 on standard error."""
    text = (RUNTIME + 'exec: "sh": executable file not found in $PATH').encode()
    for output in ((126, text), (127, b"", text)):
        with pytest.raises(ScanError) as caught:
            with_output(*output)  # type: ignore[misc]
        assert caught.value.reason == "no_such_program"


def test_a_script_of_ours_that_ends_with_127_is_an_exit_code() -> None:
    assert with_output(127, b"frame\n", b"sh: 1: foo: not found\n") == 127
    assert with_output(126, b"") == 126
    assert with_output(1, b"OCI runtime exec failed: executable file not found") == 1


def test_mutated_statuses_never_turn_into_success() -> None:
    """10,000 mutations of failures: an exit code of 0 comes from a Success only, and all else is named."""
    seeds = [
        EXIT_3,
        failure('exec: "sh": executable file not found in $PATH'),
        failure("x"),
        exit_code("127"),
    ]
    reasons: dict[str, int] = {}
    for number in range(10000):
        rng = random.Random(number)
        data = bytearray(rng.choice(seeds))
        for _number in range(rng.randint(1, 6)):
            where = rng.randrange(len(data))
            kind = rng.randrange(4)
            if kind == 0:
                data[where] = rng.randrange(256)
            elif kind == 1:
                del data[where : where + rng.randint(1, 8)]
            elif kind == 2:
                data[where:where] = rng.randbytes(rng.randint(1, 4))
            else:
                data[where:where] = rng.choice((b'"', b"{", b"}", b"null", b"1e999", b"\\u0000", b"[" * 2000))
            if not data:
                data = bytearray(b" ")
        try:
            assert 0 < channels.parse_status(bytes(data)) < 256
            reason = "exit code"
        except ScanError as error:
            reason = error.reason
        reasons[reason] = reasons.get(reason, 0) + 1
    assert set(reasons) == {"exit code", "bad_reply", "exec_failed", "no_such_program"}
    assert min(reasons.values()) > 100, reasons
