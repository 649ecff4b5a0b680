# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One push in a process of its own, as the module does it: options as JSON on stdin, a line when it begins, the result as JSON on
stdout. The waits between attempts are short."""

from __future__ import annotations

import functools
import json
import os
import sys

from ansible_collections.securescan.kubernetes.plugins.module_utils.options import push
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.push import run_scan_push

push.Policy = functools.partial(push.Policy, first_wait=0.01)  # type: ignore[misc, assignment]
params = {name: rule.get("default") for name, rule in push.scan_push_spec().items()}
params.update(json.load(sys.stdin))
print("begun", flush=True)
print(json.dumps(run_scan_push(params, TaskContext(check_mode=False, environ=dict(os.environ)))), flush=True)
