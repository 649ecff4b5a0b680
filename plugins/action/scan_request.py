# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ..module_utils.options.request import scan_request_spec
from ..module_utils.tasks.request import run_scan_request
from ..plugin_utils.scan_action import ScanAction


class ActionModule(ScanAction):
    module_name = "scan_request"
    asks_cluster = False
    spec = staticmethod(scan_request_spec)
    task = staticmethod(run_scan_request)
