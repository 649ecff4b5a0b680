# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..module_utils.options.fleet_run import BEGUN, CLUSTER_BEGUN, ENDED, scan_fleet_run_spec
from ..module_utils.options.spec import Params
from ..module_utils.tasks.fleet_run import run_scan_fleet_run
from ..plugin_utils.fleet_hosts import clusters_elsewhere, expected_clusters
from ..plugin_utils.fleet_terms import scan_terms
from ..plugin_utils.scan_action import ScanAction


class ActionModule(ScanAction):
    module_name = "scan_fleet_run"
    always_here = True
    speaker = "fleet"
    spec = staticmethod(scan_fleet_run_spec)
    task = staticmethod(run_scan_fleet_run)

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        self._task_vars: Mapping[str, Any] = task_vars or {}
        return super().run(tmp, task_vars)

    def prepare(self, params: Params) -> dict[str, Any]:
        """What only the controller knows: the hosts of the play, and those of the inventory that are not in it."""
        if params["state"] == BEGUN and params["clusters"] is None:
            return {"clusters": expected_clusters(self._task_vars)}
        if params["state"] == CLUSTER_BEGUN and params["terms"] is None:
            return {"terms": scan_terms(self._task_vars, self._templar.template, self._loader.path_dwim)}
        if params["state"] == ENDED and params["elsewhere"] is None:
            return {"elsewhere": clusters_elsewhere(self._task_vars)}
        return {}
