# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The approach `exec`: a shell that the target's own image brings, entered once, as the container's own user."""

from __future__ import annotations

from ..access.scanner import NamespaceScanner
from ..collector.request import CollectionRequest
from ..targets.identity import Target
from ..targets.selection import SelectedTarget
from .approach import Collected
from .pod_entry import (
    EnteringApproach,
    check_state,
    collect_by_exec,
    explained_by_absence,
    read_same_pod,
    retry_while_rbac_spreads,
)

NAME = "exec"


class ExecApproach(EnteringApproach):
    """Collects facts by one exec per target, with the scanner's token only. It adds nothing to any pod."""

    name = NAME

    def collect(self, selected: SelectedTarget, request: CollectionRequest) -> Collected:
        """The facts of one target; ScanError where it could not be reached or its reply is not whole."""
        target = selected.target
        check_state(selected, NAME)
        scanner = self._access.for_target(target)
        with self._limiter.slot(node=target.node, namespace=target.namespace):
            return retry_while_rbac_spreads(
                self._access, target, lambda: self._enter(scanner, target, request)
            )

    def _enter(self, scanner: NamespaceScanner, target: Target, request: CollectionRequest) -> Collected:
        read_same_pod(scanner, target)
        self._count_exec()
        with explained_by_absence(scanner, target):
            return Collected(collect_by_exec(scanner, target, request, self._limits, self._cancel), NAME)
