# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..module_utils.options.check import scan_check_spec
from ..module_utils.options.spec import Params
from ..module_utils.tasks.check import run_scan_check
from ..plugin_utils.key_files import read_signer_files
from ..plugin_utils.profile_and_amendment_files import (
    compiled_profiles,
    read_amendment_files,
    read_ownership_files,
    read_threshold_file,
)
from ..plugin_utils.role_variables import LEFT_FOR_OTHERS, check_variables
from ..plugin_utils.scan_action import ScanAction


class ActionModule(ScanAction):
    module_name = "scan_check"
    assurance = "No cluster was touched."
    spec = staticmethod(scan_check_spec)
    task = staticmethod(run_scan_check)

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        self._task_vars: Mapping[str, Any] = task_vars or {}
        return super().run(tmp, task_vars)

    def given(self) -> dict[str, Any]:
        """The variables first: a value that cannot be used is then told by the name of its variable."""
        role = self._task.args.get("role")
        if role in LEFT_FOR_OTHERS:
            check_variables(role, self._task_vars, self._templar.template)
        return super().given()

    def prepare(self, params: Params) -> dict[str, Any]:
        files = self.files()
        if params["profiles"]:
            compiled_profiles(params, files)
        return {
            **read_amendment_files(params, files),
            **read_ownership_files(params, files),
            **read_threshold_file(params, files),
            **read_signer_files(params, files, self._runs_here()),
        }
