# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ..module_utils.options.spec import Params
from ..module_utils.options.waiver_info import scan_waiver_info_spec
from ..module_utils.tasks.waiver_info import run_scan_waiver_info
from ..plugin_utils.profile_and_amendment_files import read_amendment_files
from ..plugin_utils.scan_action import ScanAction


class ActionModule(ScanAction):
    module_name = "scan_waiver_info"
    spec = staticmethod(scan_waiver_info_spec)
    task = staticmethod(run_scan_waiver_info)

    def prepare(self, params: Params) -> dict[str, Any]:
        return read_amendment_files(params, self.files())
