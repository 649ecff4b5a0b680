# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ..module_utils.options.spec import Params
from ..module_utils.options.threshold import scan_threshold_spec
from ..module_utils.tasks.threshold import run_scan_threshold
from ..plugin_utils.key_files import read_trusted_key_files
from ..plugin_utils.profile_and_amendment_files import read_threshold_file
from ..plugin_utils.scan_action import ScanAction


class ActionModule(ScanAction):
    module_name = "scan_threshold"
    spec = staticmethod(scan_threshold_spec)
    task = staticmethod(run_scan_threshold)

    def prepare(self, params: Params) -> dict[str, Any]:
        return {**read_threshold_file(params, self.files()), **read_trusted_key_files(params, self.files())}
