# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ..module_utils.options.push import flat_options, scan_push_spec
from ..module_utils.options.spec import Params
from ..module_utils.tasks.push import run_scan_push
from ..plugin_utils.key_files import read_trusted_key_files
from ..plugin_utils.scan_action import ScanAction


class ActionModule(ScanAction):
    module_name = "scan_push"
    spec = staticmethod(scan_push_spec)
    task = staticmethod(run_scan_push)

    def given(self) -> dict[str, Any]:
        return flat_options(super().given())

    def prepare(self, params: Params) -> dict[str, Any]:
        return read_trusted_key_files(params, self.files())
