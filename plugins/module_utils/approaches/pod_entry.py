# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all approaches share that enter a pod: is the target there, is it still the same pod, what does the reply say."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Callable, TypeVar

from ..access.scanner import NamespaceScanner, ScannerAccess
from ..cluster.limiter import Limiter
from ..cluster.websocket_exec import ExecOutcome, exec_in_container
from ..collector.collect import read_facts
from ..collector.facts import Facts
from ..collector.request import CollectionRequest
from ..collector.script import build_script
from ..collector.view import INSIDE, TargetView
from ..errors import ScanError
from ..targets.identity import Target
from ..targets.selection import SelectedTarget
from .approach import Footprint

# Without a path: images may keep their shell elsewhere than in /bin, and the runtime searches the container's PATH.
SHELL = ("sh",)
Result = TypeVar("Result")
_STDERR_SHOWN = 300
_KILLED = 128 + 9
_KILLED_CAUSE = "It was killed (signal 9): its container was stopped, or ran into its memory limit."
_KILLED_ADVICE = "Look at the container's restarts and its memory limit, then run again."
# What it looks like from outside when a pod is deleted while its container is entered.
_PERHAPS_GONE = frozenset(
    {"connection_lost", "collector_failed", "incomplete_reply", "exec_failed", "container_not_running"}
)


@dataclass(frozen=True)
class ExecLimits:
    """`timeout` in seconds for one target, `output` in bytes of its reply."""

    timeout: float
    output: int


@dataclass(frozen=True)
class Means:
    """What every approach works with. `targets` are all of the run."""

    access: ScannerAccess
    limiter: Limiter
    limits: ExecLimits
    cancel: threading.Event
    targets: Sequence[SelectedTarget] = ()


class EnteringApproach:
    """What the approaches share that enter a container: their means, and an account of what they did."""

    def __init__(self, means: Means) -> None:
        self._access = means.access
        self._limiter = means.limiter
        self._limits = means.limits
        self._cancel = means.cancel
        self._lock = threading.Lock()
        self.execs = 0
        self.added: list[Footprint] = []

    def close(self) -> None:
        """Ends what serves several targets; here nothing does."""

    def _count_exec(self) -> None:
        with self._lock:
            self.execs += 1


def check_platform(selected: SelectedTarget, approach: str) -> None:
    """:raises ScanError: platform_unsupported"""
    if selected.operating_system != "linux":
        raise ScanError(
            "platform_unsupported",
            f"the pod runs on {selected.operating_system}",
            tried=f"scanning {selected.target.path} by {approach}",
        )


def check_state(selected: SelectedTarget, approach: str) -> None:
    """:raises ScanError: platform_unsupported, container_not_running"""
    check_platform(selected, approach)
    target = selected.target
    tried = f"scanning {target.path} by {approach}"
    if target.state != "running":
        reason = f" ({target.state_reason})" if target.state_reason else ""
        raise ScanError("container_not_running", f"the container is {target.state}{reason}", tried=tried)


def pod_path(target: Target) -> str:
    return f"/api/v1/namespaces/{target.namespace}/pods/{target.pod}"


def read_same_pod(scanner: NamespaceScanner, target: Target, *, whole: bool = False) -> dict[str, Any]:
    """The target's pod as it is now, its metadata only unless `whole`. A pod of the same name may have taken the place
    of the one that was selected: a StatefulSet's always has it.

    :raises ScanError: pod_gone, pod_replaced; as the client
    """
    tried = f"checking pod {target.namespace}/{target.pod}"
    try:
        found = (scanner.client.get if whole else scanner.client.get_metadata)(pod_path(target))
    except ScanError as error:
        if error.reason == "not_found":
            raise ScanError("pod_gone", "the pod is not there any more", tried=tried) from error
        raise
    uid = found["metadata"]["uid"]
    if uid != target.pod_uid:
        raise ScanError("pod_replaced", f"it had uid {target.pod_uid}, now it has {uid}", tried=tried)
    return found


def retry_while_rbac_spreads(access: ScannerAccess, target: Target, work: Callable[[], Result]) -> Result:
    """What `work` returns, tried once more where RBAC has refused what the access holds: an API server that has just
    restarted answers before it knows its Roles.

    :raises ScanError: as `work`; not_permitted, where the scanner is not let in within seconds
    """
    try:
        return work()
    except ScanError as error:
        if error.reason != "not_permitted" or not error.cause.startswith("RBAC "):
            raise
        access.wait_for_rbac(target.namespace)
        return work()


@contextmanager
def explained_by_absence(scanner: NamespaceScanner, target: Target) -> Iterator[None]:
    """Turns a failure within it into pod_gone or pod_replaced, where that explains it."""
    try:
        yield
    except ScanError as failure:
        if failure.reason in _PERHAPS_GONE:
            try:
                read_same_pod(scanner, target)
            except ScanError as error:
                if error.reason in ("pod_gone", "pod_replaced"):
                    raise error from failure
        raise


def collect_by_exec(
    scanner: NamespaceScanner,
    target: Target,
    request: CollectionRequest,
    limits: ExecLimits,
    cancel: threading.Event | None,
    *,
    container: str = "",
    view: TargetView = INSIDE,
) -> Facts:
    """The facts that a shell in `container` (the target itself, if none is named) of the target's pod collects.

    :raises ScanError: as exec_in_container and read_facts; collector_failed
    """
    nonce = secrets.token_hex(16)
    outcome = exec_in_container(
        scanner.connection,
        target.namespace,
        target.pod,
        container or target.container,
        SHELL,
        build_script(request, nonce, view),
        timeout=limits.timeout,
        output_limit=limits.output,
        cancel=cancel,
    )
    tried = f"collecting facts in {target.path}"
    try:
        return read_facts(request, outcome.stdout, nonce, view)
    except ScanError as error:
        if outcome.exit_code == 0:
            raise ScanError(error.reason, error.message, tried=tried) from error
        killed = outcome.exit_code == _KILLED
        raise ScanError(
            "collector_failed",
            "exit status {}{}".format(*_shown(outcome)),
            tried=tried,
            cause=_KILLED_CAUSE if killed else "",
            advice=_KILLED_ADVICE if killed else "",
        ) from error


def _shown(outcome: ExecOutcome) -> tuple[int, str]:
    text = outcome.stderr[:_STDERR_SHOWN].decode("utf-8", "backslashreplace").strip()
    return outcome.exit_code, f": {text!r}" if text else ""
