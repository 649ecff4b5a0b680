# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action plugins share. With a local connection the engine runs in the controller process.

There it is imported once for all clusters of a play, and its progress lines are shown while it works. With
any other connection, the module of the same name does the same work on the host that the play names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ..module_utils.errors import ScanError
from ..module_utils.module_run import Task
from ..module_utils.options.spec import Params, Spec, bad_option
from ..module_utils.options.values import read_values
from ..module_utils.tasks.context import TaskContext
from .controller_files import ControllerFiles, looks_like_content
from .host_display import HostDisplay, terminal_columns
from .role_variables import variable_of

# Options that name files of the machine where the task runs.
_CONNECTION_FILES = ("kubeconfig", "hub_kubeconfig", "ca_cert", "client_cert", "client_key")
_LISTS_OF_FILES = ("kubeconfig", "hub_kubeconfig")
# Options that say which cluster is meant.
_CHOOSING = ("context", "host", "kubeconfig", "kubeconfig_secret")
_OPTION = re.compile(r"reading the option (?P<option>\w+)(?P<item>\S*)")
_OUR_ROLES = {f"securescan.kubernetes.{role}": role for role in ("access", "fleet", "scan")}
_LONG_OPTIONS = frozenset(
    {"access", "compiled_profiles", "waivers", "attestations", "exception_policy", "teams", "deadlines"}
)


class ScanAction(ActionBase):
    """A subclass names its module, its options and its task."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    module_name = ""
    always_here = False
    # whether "unreachable" is about the host, which is a cluster; a task that speaks to another system fails instead
    asks_cluster = True
    # at the head of what it shows, where it is about no single host
    speaker = ""
    # said with every error of a task that is there to find it before the cluster is asked
    assurance = ""
    spec: Callable[[], Spec]
    task: Task

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        environ = self._environment()
        params: dict[str, Any] = {}
        host = type(self).speaker or str((task_vars or {}).get("inventory_hostname", ""))
        display = HostDisplay(host, no_log=bool(self._task.no_log))
        context = self._context(environ, display)
        try:
            given = self.given()
            params = self._validated(given)
            named = _cluster_name(params, task_vars or {})
            context.warnings += _many_in_one(named.get("cluster_name", ""), given)
            extra = {**named, **self.prepare(params)}
            context.warnings += self.files().warnings
            if self._runs_here():
                extra.update(self._connection_files(params))
                result.update(type(self).task({**params, **extra}, context))
            else:
                result.update(
                    self._execute_module(
                        module_name=f"securescan.kubernetes.{self.module_name}",
                        module_args={**given, **extra},
                        task_vars=task_vars,
                    )
                )
        except ScanError as error:
            error = self._completed(error)
            result.update(failed=True, msg=str(error), error=error.record())
        except KeyboardInterrupt as interruption:
            display.last_words(context.last_words(interruption))
            raise
        display.sums(context.log.sums())
        if context.warnings:
            result["warnings"] = [*result.get("warnings", []), *context.warnings]
        reason = (result.get("error") or {}).get("reason")
        if self.asks_cluster and result.get("failed") and reason == "unreachable":
            # Ansible calls a host that does not answer unreachable
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

    def files(self) -> ControllerFiles:
        """Where the files are looked for that the task's options name."""
        return self._files

    @cached_property
    def _files(self) -> ControllerFiles:
        return ControllerFiles(self._task.get_search_path(), self._loader)

    def _connection_files(self, params: Params) -> dict[str, Any]:
        """The files of the connection by their absolute paths, looked for as kubernetes.core does it."""
        found: dict[str, Any] = {}
        for option in _CONNECTION_FILES:
            path = params.get(option)
            if isinstance(path, str) and not looks_like_content(path):
                parts = (
                    [part for part in path.split(os.pathsep) if part] if option in _LISTS_OF_FILES else [path]
                )
                found[option] = os.pathsep.join(
                    self.files().find(part, option)
                    if len(parts) == 1
                    # as in KUBECONFIG, some of several can be missing
                    else self.files().look_for(part)[0] or part
                    for part in parts
                )
        return found

    def given(self) -> dict[str, Any]:
        """The values of the options that are given.

        :raises ScanError: bad_option, for a value that cannot be what the option wants
        """
        read = read_values(type(self).spec(), self._task.args)
        if len(read.problems) == 1:
            problem = read.problems[0]
            raise bad_option(problem.option, problem.text)
        if read.problems:
            raise ScanError(
                "bad_option", "; ".join(each.text for each in read.problems), tried="reading the options"
            )
        return dict(read.values)

    def _completed(self, error: ScanError) -> ScanError:
        """The error with the assurance, and of an option's value with the variable of our role by which it was given."""
        advice = f"{error.advice.rstrip('.')}. {self.assurance}" if self.assurance else error.advice
        tried = self._with_variable(error.tried)
        return ScanError(error.reason, error.message, tried=tried, cause=error.cause, advice=advice)

    def _with_variable(self, tried: str) -> str:
        role = getattr(self._task, "_role", None)
        name = role.get_name() if role else ""
        found = _OPTION.fullmatch(tried)
        if found is None or name not in _OUR_ROLES:
            return tried
        variable = variable_of(_OUR_ROLES[name], found["option"])
        return f"{tried}, of the variable {variable}" if variable else tried

    def _validated(self, given: Mapping[str, Any]) -> dict[str, Any]:
        validation = ArgumentSpecValidator(type(self).spec()).validate(dict(given))
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
            tell=display.teller(),
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


def _many_in_one(name: str, given: Mapping[str, Any]) -> list[str]:
    """A warning where the inventory has no host for the cluster. `name`: empty where the task names the cluster itself."""
    chosen = [option for option in _CHOOSING if option in given]
    if name != "localhost" or not chosen:
        return []
    return [
        f"the cluster of the option {chosen[0]} is called localhost in all results, as is every other one that a play on "
        "localhost scans: they share a folder, the link latest and baselines. Give each cluster a host in the inventory, or a "
        "cluster_name (scan_cluster_name of the role)"
    ]
