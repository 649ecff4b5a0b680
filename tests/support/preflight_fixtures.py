# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests share that ask before a scan what it will meet."""

from __future__ import annotations

import os

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.target_info import (
    scan_target_info_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.target_info import (
    run_scan_target_info,
)
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import BUSYBOX


@pytest.fixture
def explain(debug_operator_kubeconfig):
    """Runs the task with the operator's credential; `warnings` are those of the last call."""

    def run(namespace, kubeconfig=debug_operator_kubeconfig, check_mode=False, **changes):
        params = {name: rule.get("default") for name, rule in scan_target_info_spec().items()}
        params.update(
            {
                "kubeconfig": str(kubeconfig),
                "namespaces": [namespace],
                "explain": True,
                "approach": "auto",
                "scanner_image": BUSYBOX,
            },
            **changes,
        )
        context = TaskContext(check_mode=check_mode, environ=dict(os.environ))
        result = run_scan_target_info(params, context)
        run.warnings = context.warnings
        return result

    return run
