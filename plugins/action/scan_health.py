# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ..module_utils.options.health import scan_health_spec
from ..module_utils.options.spec import Params
from ..module_utils.tasks.health import run_scan_health
from ..plugin_utils.profile_and_amendment_files import compiled_profiles
from ..plugin_utils.scan_action import ScanAction


class ActionModule(ScanAction):
    module_name = "scan_health"
    spec = staticmethod(scan_health_spec)
    task = staticmethod(run_scan_health)

    def prepare(self, params: Params) -> dict[str, Any]:
        return {"compiled_profiles": compiled_profiles(params, self.files())}
