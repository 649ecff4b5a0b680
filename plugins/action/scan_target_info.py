# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ..module_utils.options.spec import Params
from ..module_utils.options.target_info import scan_target_info_spec
from ..module_utils.tasks.target_info import run_scan_target_info
from ..plugin_utils.profile_and_amendment_files import read_teams_file
from ..plugin_utils.scan_action import ScanAction


class ActionModule(ScanAction):
    module_name = "scan_target_info"
    spec = staticmethod(scan_target_info_spec)
    task = staticmethod(run_scan_target_info)

    def prepare(self, params: Params) -> dict[str, Any]:
        return read_teams_file(params, self.files())
