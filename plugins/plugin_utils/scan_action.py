# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action plugins share. With a local connection the engine runs in the controller process.

There it is imported once for all clusters of a play, and its progress lines are shown while it works. With
any other connection, the module of the same name does the same work on the host that the play names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ..module_utils.errors import ScanError
from ..module_utils.module_run import Task
from ..module_utils.options.spec import Params, Spec
from ..module_utils.tasks.context import TaskContext
from .host_display import HostDisplay, terminal_columns

_LONG_OPTIONS = frozenset({"access", "compiled_profiles", "waivers", "attestations"})


class ScanAction(ActionBase):
    """A subclass names its module, its options and its task."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    module_name = ""
    always_here = False
    spec: Callable[[], Spec]
    task: Task

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        environ = self._environment()
        params = self._validated()
        display = HostDisplay(
            str((task_vars or {}).get("inventory_hostname", "")), no_log=bool(self._task.no_log)
        )
        context = self._context(environ, display)
        try:
            extra = {**_cluster_name(params, task_vars or {}), **self.prepare(params)}
            if self._runs_here():
                result.update(type(self).task({**params, **extra}, context))
            else:
                result.update(
                    self._execute_module(
                        module_name=f"securescan.kubernetes.{self.module_name}",
                        module_args={**self._task.args, **extra},
                        task_vars=task_vars,
                    )
                )
        except ScanError as error:
            result.update(failed=True, msg=str(error), error=error.record())
        if context.warnings:
            result["warnings"] = [*result.get("warnings", []), *context.warnings]
        if result.get("failed") and (result.get("error") or {}).get("reason") == "unreachable":
            # a host is a cluster, and Ansible calls a host that does not answer unreachable
            del result["failed"]
            result["unreachable"] = True
        display.block(result.pop("table", []), str(params.get("cluster_name") or ""))
        self._shorten(result)
        return result

    def prepare(self, params: Params) -> dict[str, Any]:
        """Options that are filled in on the controller, wherever the task runs, such as the content of
        files."""
        return {}

    def _shorten(self, result: dict[str, Any]) -> None:
        """Leaves out what nobody asked for, because job systems keep every result: a diff without --diff, and
        long options (whole profiles, accesses), which a module's result repeats."""
        if not self._task.diff:
            result.pop("diff", None)
        options = result.get("invocation", {}).get("module_args", {})
        for name in _LONG_OPTIONS & set(options):
            options[name] = None if options[name] is None else "(left out)"

    def _runs_here(self) -> bool:
        return self.always_here or (self._connection.transport == "local" and not self._play_context.become)

    def _validated(self) -> dict[str, Any]:
        validation = ArgumentSpecValidator(type(self).spec()).validate(self._task.args)
        if validation.error_messages:
            raise AnsibleActionFail("; ".join(validation.error_messages))
        validated: dict[str, Any] = validation.validated_parameters
        return validated

    def _context(self, environ: Mapping[str, str], display: HostDisplay) -> TaskContext:
        return TaskContext(
            check_mode=self._task.check_mode,
            environ=environ,
            say=display.say,
            columns=terminal_columns(),
        )

    def _environment(self) -> dict[str, str]:
        """The controller's environment variables, overridden by those of the task's `environment:`."""
        environ = dict(os.environ)
        layers = self._task.environment
        for layer in layers if isinstance(layers, list) else [layers]:
            environ.update(
                {str(key): str(value) for key, value in (self._templar.template(layer) or {}).items()}
            )
        return environ


def _cluster_name(params: Params, task_vars: Mapping[str, Any]) -> dict[str, Any]:
    """A host of the inventory is a cluster: its name is the cluster's, unless the task names another, and wherever the
    task runs. Empty for a module without that option."""
    if "cluster_name" not in params or params["cluster_name"]:
        return {}
    return {"cluster_name": str(task_vars.get("inventory_hostname", ""))}
