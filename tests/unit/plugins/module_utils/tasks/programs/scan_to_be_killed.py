# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One scan in a process of its own: options as JSON on stdin, a line when it begins, the result as JSON on stdout."""

from __future__ import annotations

import json
import sys

from ansible_collections.securescan.kubernetes.plugins.module_utils.options.scan import scan_container_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.container import run_scan_container
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext

params = {name: rule.get("default") for name, rule in scan_container_spec().items()}
params.update(json.load(sys.stdin))
print("begun", flush=True)
print(json.dumps(run_scan_container(params, TaskContext(check_mode=False, environ={}))), flush=True)
