# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..module_utils.options import scan_container_spec
from ..module_utils.results.waivers import load_waivers
from ..module_utils.tasks.container import run_scan_container
from ..module_utils.tasks.profile import chosen_profiles
from ..plugin_utils.controller_files import read_yaml_file
from ..plugin_utils.scan_action import ScanAction


class ActionModule(ScanAction):
    module_name = "scan_container"
    spec = staticmethod(scan_container_spec)
    task = staticmethod(run_scan_container)

    def prepare(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Profiles and waivers are files of the controller; a task elsewhere gets their content."""
        filled: dict[str, Any] = {"compiled_profiles": [profile.as_dict() for profile in chosen_profiles(params)]}
        path = params["waivers"]
        if isinstance(path, str) and path:
            filled["waivers"] = read_yaml_file(path, "bad_waivers")
            load_waivers(filled["waivers"], path)  # so that an error names the file
        return filled
