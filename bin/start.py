# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the command from the collection's folder, wherever that is. Ansible is not needed."""

from __future__ import annotations

import importlib
import importlib.util
import pathlib
import sys

_ENGINE = pathlib.Path(__file__).resolve().parents[1] / "plugins" / "module_utils"
# The engine's files name each other relative to their package; what that is called does not matter to them.
_NAME = "securescan_engine"

spec = importlib.util.spec_from_file_location(
    _NAME, _ENGINE / "__init__.py", submodule_search_locations=[str(_ENGINE)]
)
if spec is None or spec.loader is None:
    sys.exit(f"securescan: {_ENGINE} is not there: this is no whole copy of the collection")
engine = importlib.util.module_from_spec(spec)
sys.modules[_NAME] = engine
spec.loader.exec_module(engine)
importlib.import_module(f"{_NAME}.command.main").start()
