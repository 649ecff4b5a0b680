# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ..module_utils.options.spec import Params
from ..module_utils.options.store import scan_store_spec
from ..module_utils.tasks.store import run_scan_store
from ..plugin_utils.key_files import read_trusted_key_files
from ..plugin_utils.profile_and_amendment_files import read_ownership_files
from ..plugin_utils.scan_action import ScanAction


class ActionModule(ScanAction):
    module_name = "scan_store"
    spec = staticmethod(scan_store_spec)
    task = staticmethod(run_scan_store)

    def prepare(self, params: Params) -> dict[str, Any]:
        return {
            **read_ownership_files({**params, "teams": None}, self.files()),
            **read_trusted_key_files(params, self.files()),
        }
