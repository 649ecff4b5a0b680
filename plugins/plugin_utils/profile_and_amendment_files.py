# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task judges by: profiles, waivers and attestations, files of the controller of which it gets the
content."""

from __future__ import annotations

from typing import Any

from ..module_utils.options.profile import ProfileOptions
from ..module_utils.options.spec import Params
from ..module_utils.results.attestations import load_attestations
from ..module_utils.results.waivers import load_waivers
from ..module_utils.tasks.profile import chosen_profiles, compile_shipped_profiles
from .controller_files import read_yaml_file

# Ansible loads action plugins before it forks a worker for each host.
compile_shipped_profiles()


def read_judging_input(params: Params) -> dict[str, Any]:
    """Profiles, waivers and attestations are files of the controller; a task elsewhere gets their content.

    :raises ScanError: naming the file, where one breaks its format; bad_option, for a profile of an engine
        that does not exist
    """
    options = ProfileOptions.from_params(params)
    return {
        "compiled_profiles": [
            profile.as_dict() for profile in chosen_profiles(options.names, options.inputs)
        ],
        **_read_amendment_files(params),
    }


def _read_amendment_files(params: Params) -> dict[str, Any]:
    """The content of those of the two options that name a file. ScanError, naming the file, where it breaks
    its format."""
    read: dict[str, Any] = {}
    for option, reason, load in (
        ("waivers", "bad_waivers", load_waivers),
        ("attestations", "bad_attestations", load_attestations),
    ):
        path = params[option]
        if isinstance(path, str):
            read[option] = read_yaml_file(path, reason)
            load(read[option], path)
    return read
