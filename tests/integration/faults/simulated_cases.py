# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults of the simulated cluster: what each is, how it is made, and as which record it must end."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Callable

from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import (
    PING,
    STDERR,
    ExecStreams,
    frame,
    no_shell,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.integration.faults.fault_table import Row
from ansible_collections.securescan.kubernetes.tests.integration.faults.simulated_collector import read_script

EXEC, POD, NAMESPACE = "GET .*/pods/%s/exec", r"GET .*/pods/%s(\?|$)", " .*/namespaces/%s/"
TOO_LONG = 61  # more seconds than a request is tried again


@dataclass(frozen=True)
class Case:
    """A row, and what makes it: a switch of the server, a program in the container, a change made beforehand; or its
    name, which `Simulation.run` looks at."""

    row: Row
    fault: Fault | None = None
    program: Callable[[list[str], ExecStreams], int] | None = None
    change: Callable[[FakeApiServer], Any] | None = None


def case(
    name: str,
    what: str,
    reason: str = "",
    *,
    on: str = "",
    reach: str = "target",
    program: Any = None,
    change: Any = None,
    kind: str = "",
    **fault: Any,
) -> Case:
    made = Fault(kind, on=on % name if "%s" in on else on, **fault) if kind else None
    return Case(Row(name, what, (reason,) if reason else (), reach), made, program, change)


def oci_message(_argv: list[str], streams: ExecStreams) -> int:
    read_script(streams)
    streams.write(
        STDERR,
        b'level=error msg="exec failed: unable to start container process: exec: \\"sh\\": executable '
        b'file not found in $PATH"',
    )
    return 127


def pings_for_ever(_argv: list[str], streams: ExecStreams) -> int:
    while not streams.closed.wait(0.002):
        streams.raw(frame(PING, b"are you there"))
    return 0


def windows_pod(server: FakeApiServer) -> None:
    path = "/api/v1/namespaces/shop/pods/windows-node"
    pod = copy.deepcopy(server.objects.find(path))
    pod["spec"]["os"] = {"name": "windows"}
    server.objects.put(path, pod)


# One target each, all in one namespace and one run.
TARGETS = [
    case(
        "check-401",
        "401 on the request for the pod",
        "not_authenticated",
        on=POD,
        kind="status",
        status=401,
    ),
    case(
        "check-403",
        "403 on the request for the pod",
        "not_permitted",
        on=POD,
        kind="status",
        status=403,
    ),
    case(
        "check-404",
        "404 on the request for the pod",
        "pod_gone",
        on=POD,
        kind="status",
        status=404,
    ),
    case(
        "check-500",
        "500 on each request for the pod",
        "server_error",
        on=POD,
        kind="status",
        status=500,
    ),
    case(
        "check-503",
        "503 on the request for the pod, twice",
        on=POD,
        kind="status",
        status=503,
        times=2,
    ),
    case(
        "check-lost",
        "the connection is cut within the answer with the pod, once",
        on=POD,
        kind="cut",
        after=90,
        times=1,
    ),
    case("exec-401", "401 on exec", "not_authenticated", on=EXEC, kind="status", status=401),
    case("exec-403", "403 on exec", "not_permitted", on=EXEC, kind="status", status=403),
    case(
        "exec-404",
        "404 on exec: the pod went between the check and the exec",
        "pod_gone",
        on=EXEC,
        kind="status",
        status=404,
        text='pods "exec-404" not found',
    ),
    case("exec-409", "409 on exec", "conflict", on=EXEC, kind="status", status=409),
    case(
        "exec-429",
        "429 with Retry-After on exec, once",
        on=EXEC,
        kind="status",
        status=429,
        retry_after=1,
        times=1,
    ),
    case(
        "exec-429-on",
        "429 with Retry-After on each exec",
        "throttled",
        on=EXEC,
        kind="status",
        status=429,
        retry_after=2,
    ),
    case(
        "exec-500",
        "500 on exec, with the API server's own Status",
        "exec_failed",
        on=EXEC,
        kind="status",
        status=500,
    ),
    case("exec-503", "503 on exec", "server_error", on=EXEC, kind="status", status=503),
    case(
        "exec-502",
        "502 by a proxy on exec, in plain text",
        "server_error",
        on=EXEC,
        kind="plain_status",
        status=502,
        text="Bad Gateway",
    ),
    case("exec-html", "an HTML page instead of a WebSocket", "protocol_refused", on=EXEC, kind="html"),
    case("exec-302", "a redirect instead of a WebSocket", "protocol_refused", on=EXEC, kind="redirect"),
    case(
        "exec-spdy",
        "SPDY only: 400 on the upgrade to a WebSocket",
        "protocol_refused",
        on=EXEC,
        kind="spdy_only",
    ),
    case(
        "exec-no-protocol",
        "a WebSocket without a subprotocol",
        "protocol_refused",
        on=EXEC,
        kind="no_subprotocol",
    ),
    case(
        "exec-protocol",
        "a subprotocol that was not offered",
        "protocol_refused",
        on=EXEC,
        kind="other_subprotocol",
    ),
    case("exec-accept", "a handshake with the wrong key", "protocol_refused", on=EXEC, kind="wrong_accept"),
    case("exec-v4", "v4.channel.k8s.io only", on=EXEC, kind="v4_only"),
    case("exec-slow", "exec answered after half a second", on=EXEC, kind="slow", seconds=0.5),
    case("exec-too-slow", "exec answered after the deadline", "timed_out", on=EXEC, kind="slow", seconds=60),
    case(
        "cut-handshake",
        "cut within the WebSocket handshake",
        "connection_lost",
        on=EXEC,
        kind="cut_handshake",
        after=60,
    ),
    case("cut-0", "cut right after the handshake", "connection_lost", on=EXEC, kind="cut", after=0),
    case("cut-3", "cut within the first frame's head", "connection_lost", on=EXEC, kind="cut", after=3),
    case("cut-5000", "cut within the reply", "connection_lost", on=EXEC, kind="cut", after=5000),
    case("no-status", "closed without the program's status", "connection_lost", on=EXEC, kind="no_status"),
    case(
        "status-garbage", "the status is not JSON", "bad_reply", on=EXEC, kind="final_status", text="\x00what"
    ),
    case(
        "status-cut",
        "the status is half of one",
        "bad_reply",
        on=EXEC,
        kind="final_status",
        text='{"status":"Succ',
    ),
    case(
        "status-other",
        "the status says neither Success nor Failure",
        "bad_reply",
        on=EXEC,
        kind="final_status",
        text='{"kind":"Status","status":"Maybe"}',
    ),
    case("no-close", "no close frame after the status", on=EXEC, kind="no_close_frame"),
    case("fragments", "messages in fragments of three bytes, pings between them", on=EXEC, kind="fragments"),
    case("garbage", "frames of garbage", "bad_reply", on=EXEC, kind="garbage"),
    case("text", "text frames", "bad_reply", on=EXEC, kind="garbage", text="\x81\x05hello"),
    case("masked", "masked frames, which only clients may send", "bad_reply", on=EXEC, kind="masked_frame"),
    case("huge", "a frame that is announced with 2^62 bytes", "bad_reply", on=EXEC, kind="huge_frame"),
    case("channel", "data on a channel that does not exist", "bad_reply", on=EXEC, kind="wrong_channel"),
    case("flood", "output without end", "too_much_output", on=EXEC, kind="flood"),
    case("pings", "pings without end and nothing else", "timed_out", program=pings_for_ever),
    case("silence", "silence, pings answered", "timed_out", on=EXEC, kind="silence"),
    case(
        "half-open",
        "silence, pings not answered: a half-open connection",
        "connection_lost",
        on=EXEC,
        kind="deaf",
    ),
    case("no-shell", "no shell, as containerd says it", "no_such_program", program=no_shell),
    case(
        "no-shell-127",
        "no shell, as CRI-O and Docker say it: exit status 127",
        "no_such_program",
        program=oci_message,
    ),
    case("windows-node", "a pod of a Windows node", "platform_unsupported", change=windows_pod),
]

# One namespace each, all in one run; the pod has the namespace's name.
NAMESPACES = [
    case(
        "account-409",
        "409 on the ServiceAccount",
        "access_incomplete",
        on="POST" + NAMESPACE + "serviceaccounts[?]",
        reach="namespace",
        kind="status",
        status=409,
    ),
    case(
        "role-403",
        "403 on the Role: the grantor hands out what it does not hold",
        "access_incomplete",
        on="POST" + NAMESPACE + "roles[?]",
        reach="namespace",
        kind="status",
        status=403,
        text='roles "x" is forbidden: user "admin" (groups=["testers"]) is attempting to grant RBAC permissions not '
        'currently held:\n{APIGroups:[""], Resources:["pods/exec"], Verbs:["get" "create"]}',
    ),
    case(
        "binding-500",
        "500 on the RoleBinding",
        "access_incomplete",
        on="POST" + NAMESPACE + "rolebindings[?]",
        reach="namespace",
        kind="status",
        status=500,
    ),
    case(
        "token-404",
        "404 on the token request: somebody removed the ServiceAccount",
        "not_found",
        on="POST" + NAMESPACE + "serviceaccounts/.*/token",
        reach="namespace",
        kind="status",
        status=404,
    ),
    case(
        "token-429",
        "429 on the token request for longer than we wait",
        "throttled",
        reach="namespace",
        on="POST" + NAMESPACE + "serviceaccounts/.*/token",
        kind="status",
        status=429,
        retry_after=TOO_LONG,
    ),
    case(
        "token-500",
        "500 on the token request",
        "server_error",
        on="POST" + NAMESPACE + "serviceaccounts/.*/token",
        reach="namespace",
        kind="status",
        status=500,
    ),
    case(
        "list-429",
        "429 with Retry-After on the list of pods, once",
        on="GET" + NAMESPACE + "pods[?]",
        reach="namespace",
        kind="status",
        status=429,
        retry_after=1,
        times=1,
    ),
    case(
        "list-503",
        "503 on the list of pods, twice",
        on="GET" + NAMESPACE + "pods[?]",
        reach="namespace",
        kind="status",
        status=503,
        times=2,
    ),
    case(
        "list-slow",
        "the list of pods after one second",
        on="GET" + NAMESPACE + "pods[?]",
        reach="namespace",
        kind="slow",
        seconds=1,
    ),
    case(
        "list-cut",
        "the connection is cut within the list of pods, once",
        on="GET" + NAMESPACE + "pods[?]",
        reach="namespace",
        kind="cut",
        after=300,
        times=1,
    ),
]


def not_listening(server: FakeApiServer) -> None:
    server.__exit__()


def many_pods(server: FakeApiServer) -> None:
    """More than one page of them; the first token to go on has expired."""
    for number in range(600):
        server.add_pod("shop", f"filler-{number:03d}", {})
    server.faults.append(
        Fault("status", on="GET .*/pods[?].*continue=", status=410, reason="Expired", times=1)
    )


LIST = "GET .*/namespaces/shop/pods[?]"
# The whole run each: nothing can be selected, or nothing removed.
RUNS = [
    case(
        "run-401",
        "401: the operator's credential has expired",
        "not_authenticated",
        on=".",
        kind="status",
        status=401,
        reach="run",
    ),
    case(
        "run-403",
        "403 on the list of pods",
        "not_permitted",
        on=LIST,
        kind="status",
        status=403,
        reach="run",
        text='pods is forbidden: User "admin" cannot list resource "pods" in API group "" in the namespace "shop"',
    ),
    case("run-404", "404 on the list of pods", "not_found", on=LIST, kind="status", status=404, reach="run"),
    case(
        "run-429",
        "429 on the list of pods for longer than we wait",
        "throttled",
        on=LIST,
        kind="status",
        status=429,
        retry_after=TOO_LONG,
        reach="run",
    ),
    case(
        "run-500", "500 on each list of pods", "server_error", on=LIST, kind="status", status=500, reach="run"
    ),
    case(
        "run-410",
        "410 in the middle of a list in pages: the token to go on has expired",
        reach="run",
        change=many_pods,
    ),
    case("run-html", "an HTML page: not an API server", "bad_reply", on=LIST, kind="html", reach="run"),
    case("run-302", "a redirect to a login page", "bad_reply", on=LIST, kind="redirect", reach="run"),
    case("run-garbage", "bytes that are no HTTP", "bad_reply", on=LIST, kind="garbage", reach="run"),
    case("run-flood", "a reply without end", "bad_reply", on=LIST, kind="flood", reach="run"),
    case(
        "run-cut", "each list of pods is cut", "connection_lost", on=LIST, kind="cut", after=300, reach="run"
    ),
    case("run-name", "a TLS certificate for another name", "tls_failed", reach="run"),
    case("run-expired", "an expired TLS certificate", "tls_failed", reach="run"),
    case("run-ca", "a TLS certificate of an unknown CA", "tls_failed", reach="run"),
    case("run-http", "plain HTTP where TLS should be", "tls_failed", reach="run"),
    case("run-refused", "nobody listens", "unreachable", reach="run", change=not_listening),
    case(
        "remove-500",
        "500 on each removal",
        "access_remains",
        on="DELETE ",
        kind="status",
        status=500,
        reach="run",
    ),
    case(
        "remove-403",
        "403 on the removal of the ServiceAccount",
        "access_remains",
        on="DELETE .*/serviceaccounts/",
        kind="status",
        status=403,
        reach="run",
    ),
    case(
        "remove-503",
        "503 on the removal of the Role, twice",
        on="DELETE .*/roles/",
        kind="status",
        status=503,
        times=2,
        reach="run",
    ),
    case("server-dies", "the API server dies in the middle and stays dead", "access_remains", reach="run"),
]
