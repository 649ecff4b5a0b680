# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ..module_utils.options.profile import ProfileOptions, scan_profile_spec
from ..module_utils.options.spec import Params
from ..module_utils.tasks.profile import compile_shipped_profiles, run_scan_profile
from ..plugin_utils.profile_and_amendment_files import found_profiles
from ..plugin_utils.scan_action import ScanAction

# Ansible loads action plugins before it forks a worker for each host.
compile_shipped_profiles()


class ActionModule(ScanAction):
    # profiles are files of the controller
    always_here = True
    module_name = "scan_profile"
    spec = staticmethod(scan_profile_spec)
    task = staticmethod(run_scan_profile)

    def prepare(self, params: Params) -> dict[str, Any]:
        options = ProfileOptions.from_params(params)
        return {"profiles": found_profiles(options.names, self.files())}
