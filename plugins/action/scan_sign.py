# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ..module_utils.options.sign import scan_sign_spec
from ..module_utils.options.spec import Params
from ..module_utils.tasks.sign import run_scan_sign
from ..plugin_utils.key_files import read_signer_files, read_trusted_key_files
from ..plugin_utils.scan_action import ScanAction


class ActionModule(ScanAction):
    module_name = "scan_sign"
    spec = staticmethod(scan_sign_spec)
    task = staticmethod(run_scan_sign)

    def prepare(self, params: Params) -> dict[str, Any]:
        files = self.files()
        return {
            **read_trusted_key_files(params, files),
            **read_signer_files(params, files, self._runs_here()),
        }
