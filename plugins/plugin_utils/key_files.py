# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public keys are files of the controller: a task elsewhere gets their content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..module_utils.evidence.keys import PEM_MARK, read_key_file, refuse_private
from ..module_utils.options.sign import check_key_path
from ..module_utils.options.spec import Params
from ..module_utils.path_owners import who_can_change
from .controller_files import ControllerFiles


def read_trusted_key_files(params: Params, files: ControllerFiles) -> dict[str, Any]:
    """:raises ScanError: bad_file, bad_key"""
    given = params["trusted_keys"]
    return {"trusted_keys": [_trusted(one, files) for one in given]} if given else {}


def _trusted(given: str, files: ControllerFiles) -> str:
    pem = _content(given, "trusted_keys", files)
    if pem != given:
        path = files.find(given, "trusted_keys")
        changers = who_can_change(Path(path))
        if changers:
            files.warnings.append(
                f"{changers} can change the trusted key {path}, and so choose whose results are taken. Let only its owner write "
                "to it and to its folder."
            )
    return pem


def _public_key(params: Params, files: ControllerFiles) -> dict[str, Any]:
    """:raises ScanError: bad_file, bad_key"""
    given = params["public_key"]
    return {"public_key": _content(given, "public_key", files)} if given else {}


def read_signer_files(params: Params, files: ControllerFiles, is_here: bool) -> dict[str, Any]:
    """What signs. A private key stays where it is. :raises ScanError: bad_file, bad_key, bad_option"""
    check_key_path(params["private_key_path"])
    found = _public_key(params, files)
    if params["private_key_path"] and is_here:
        found["private_key_path"] = files.find(params["private_key_path"], "private_key_path")
    return found


def _content(given: str, option: str, files: ControllerFiles) -> str:
    """A private key that was named by mistake is not sent on: Ansible shows these options."""
    if not given.strip():
        return given
    pem = given.encode("utf-8") if PEM_MARK in given else read_key_file(files.find(given, option))
    refuse_private(pem, option)
    return pem.decode("utf-8", "replace")
