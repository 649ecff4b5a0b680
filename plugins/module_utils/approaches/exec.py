# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The approach `exec`: a shell that the target's own image brings, entered once, as the container's own user."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from typing import Tuple

from ..access.scanner import NamespaceScanner, ScannerAccess
from ..cluster.limiter import Limiter
from ..cluster.websocket_exec import ExecOutcome, exec_in_container
from ..collector.collect import read_facts
from ..collector.facts import Facts
from ..collector.request import CollectionRequest
from ..collector.script import build_script
from ..errors import ScanError
from ..targets.selection import SelectedTarget

NAME = "exec"
# Without a path: images may keep their shell elsewhere than in /bin, and the runtime searches the container's PATH.
_SHELL = ("sh",)
_STDERR_SHOWN = 300
_KILLED = 128 + 9
_KILLED_CAUSE = "It was killed (signal 9): its container was stopped, or ran into its memory limit."
_KILLED_ADVICE = "Look at the container's restarts and its memory limit, then run again."
# What it looks like from outside when a pod is deleted while its container is entered.
_PERHAPS_GONE = frozenset({"connection_lost", "collector_failed", "incomplete_reply", "exec_failed",
                           "container_not_running"})


@dataclass(frozen=True)
class ExecLimits:
    """`timeout` in seconds for one target's exec, `output` in bytes of its reply."""

    timeout: float
    output: int


class ExecApproach:
    """Collects facts by one exec per target, with the scanner's token only. `execs` is the number begun so far."""

    name = NAME

    def __init__(self, access: ScannerAccess, limiter: Limiter, limits: ExecLimits, cancel: threading.Event) -> None:
        self._access = access
        self._limiter = limiter
        self._limits = limits
        self._cancel = cancel
        self._lock = threading.Lock()
        self.execs = 0

    def collect(self, selected: SelectedTarget, request: CollectionRequest) -> Facts:
        """The facts of one target; ScanError where it could not be reached or its reply is not whole."""
        target = selected.target
        _check_state(selected)
        scanner = self._access.for_target(target)
        with self._limiter.slot(node=target.node, namespace=target.namespace):
            _check_same_pod(scanner, selected)
            nonce = secrets.token_hex(16)
            self._count_exec()
            try:
                outcome = exec_in_container(
                    scanner.connection, target.namespace, target.pod, target.container, _SHELL,
                    build_script(request, nonce), timeout=self._limits.timeout, output_limit=self._limits.output,
                    cancel=self._cancel)
                return _facts_of(outcome, request, nonce, "collecting facts in %s" % target.path)
            except ScanError as error:
                if error.reason in _PERHAPS_GONE:
                    _check_still_there(scanner, selected)
                raise

    def _count_exec(self) -> None:
        with self._lock:
            self.execs += 1


def _check_state(selected: SelectedTarget) -> None:
    target = selected.target
    tried = "scanning %s by %s" % (target.path, NAME)
    if selected.operating_system != "linux":
        raise ScanError("platform_unsupported", "the pod runs on %s" % selected.operating_system, tried=tried)
    if target.state != "running":
        reason = " (%s)" % target.state_reason if target.state_reason else ""
        raise ScanError("container_not_running", "the container is %s%s" % (target.state, reason), tried=tried)


def _check_same_pod(scanner: NamespaceScanner, selected: SelectedTarget) -> None:
    """A pod of the same name may have taken the place of the one that was selected: a StatefulSet's always has it."""
    target = selected.target
    tried = "checking pod %s/%s" % (target.namespace, target.pod)
    try:
        found = scanner.client.get_metadata("/api/v1/namespaces/%s/pods/%s" % (target.namespace, target.pod))
    except ScanError as error:
        if error.reason == "not_found":
            raise ScanError("pod_gone", "the pod is not there any more", tried=tried) from error
        raise
    uid = found["metadata"]["uid"]
    if uid != target.pod_uid:
        raise ScanError("pod_replaced", "it had uid %s, now it has %s" % (target.pod_uid, uid), tried=tried)


def _check_still_there(scanner: NamespaceScanner, selected: SelectedTarget) -> None:
    """Raises pod_gone or pod_replaced, where that explains why an exec has failed."""
    try:
        _check_same_pod(scanner, selected)
    except ScanError as error:
        if error.reason in ("pod_gone", "pod_replaced"):
            raise


def _facts_of(outcome: ExecOutcome, request: CollectionRequest, nonce: str, tried: str) -> Facts:
    try:
        return read_facts(request, outcome.stdout, nonce)
    except ScanError as error:
        if outcome.exit_code == 0:
            raise ScanError(error.reason, error.message, tried=tried) from error
        killed = outcome.exit_code == _KILLED
        raise ScanError("collector_failed", "exit status %d%s" % _shown(outcome), tried=tried,
                        cause=_KILLED_CAUSE if killed else "", advice=_KILLED_ADVICE if killed else "") from error


def _shown(outcome: ExecOutcome) -> Tuple[int, str]:
    text = outcome.stderr[:_STDERR_SHOWN].decode("utf-8", "backslashreplace").strip()
    return outcome.exit_code, ": %r" % text if text else ""
