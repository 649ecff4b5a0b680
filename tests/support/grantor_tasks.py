# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task of the collection on the fake API server, from its options to its result, as an action plugin runs it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer


@dataclass
class TaskRunner:
    """Runs one task: runner(option=value, ...) gives its result. `warnings`, `said` and `told` (details) are those of the last
    run, `cancel` interrupts the one that is under way.

    :ivar task: such as run_scan_sidecar
    :ivar spec: its options, such as scan_sidecar_spec
    """

    server: FakeApiServer
    task: Callable[[Mapping[str, Any], TaskContext], dict[str, Any]]
    spec: Callable[[], Mapping[str, Mapping[str, Any]]]
    warnings: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    cancel: threading.Event = field(default_factory=threading.Event)

    def __call__(self, *, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        unknown = set(options) - set(self.spec())
        assert not unknown, f"no such options: {unknown}"
        params = {name: rule.get("default") for name, rule in self.spec().items()}
        params.update({"kubeconfig": self.server.kubeconfig()}, **options)
        self.said.clear()
        self.told.clear()
        context = TaskContext(
            check_mode=check_mode,
            environ={},
            say=self.said.append,
            cancel=self.cancel,
            tell=self.told.append,
        )
        self.warnings = context.warnings
        return self.task(params, context)
