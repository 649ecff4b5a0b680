# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a task's engine as an Ansible module, on whatever machine the play says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Callable
from urllib.parse import unquote, urlsplit

from ansible.module_utils.basic import AnsibleModule

from .errors import ScanError
from .options.spec import Params, Spec
from .tasks.context import TaskContext

Task = Callable[[Params, TaskContext], dict[str, Any]]
# The keys of secrets in a kubeconfig (client-go's v1 AuthInfo), for one that is given as a dictionary.
_SECRET_KEYS = frozenset({"token", "password", "client-key-data", "client-certificate-data"})


def run_as_module(spec: Spec, task: Task) -> None:
    """Validates the options, runs the task, and ends the process with its result or its error."""
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    if isinstance(module.params.get("kubeconfig"), dict):
        module.no_log_values.update(_secrets_of(module.params["kubeconfig"]))
    if isinstance(module.params.get("store"), str):
        module.no_log_values.update(_password_of(module.params["store"]))
    context = TaskContext(check_mode=module.check_mode, environ=os.environ)
    try:
        result = task(module.params, context)
    except ScanError as error:
        module.fail_json(msg=str(error), error=error.record(), warnings=context.warnings)
    for warning in context.warnings:
        module.warn(warning)
    if not module._diff:
        result.pop("diff", None)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


def _secrets_of(value: Any) -> Iterator[str]:
    """Every secret text of a kubeconfig, however deep it lies."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in _SECRET_KEYS and isinstance(item, str):
                yield item
            else:
                yield from _secrets_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from _secrets_of(item)


def _password_of(address: str) -> Iterator[str]:
    """The password in a URL, as it is written there and as it is meant."""
    try:
        password = urlsplit(address).password
    except ValueError:
        return
    if password:
        yield from (password, unquote(password))
