# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of all modules and the variables of all roles, for tests that go over every one of them."""

from __future__ import annotations

import importlib
import pathlib
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = tuple(sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("scan_*.py")))
ROLES = ("access", "scan")
Rule = dict[str, Any]


def options_of(module: str) -> dict[str, Rule]:
    """The specification of a module's options, as its options class has it."""
    name = module.removeprefix("scan_")
    options = importlib.import_module(
        "ansible_collections.securescan.kubernetes.plugins.module_utils.options."
        + {"container": "scan"}.get(name, name)
    )
    specified: dict[str, Rule] = getattr(options, f"{module}_spec")()
    return specified


def variables_of(role: str) -> dict[str, Rule]:
    """The specification of a role's variables."""
    text = (ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    entries = yaml.safe_load(text)["argument_specs"].values()
    return {name: rule for entry in entries for name, rule in entry.get("options", {}).items()}


SPECIFICATIONS: dict[str, dict[str, Rule]] = {
    **{module: options_of(module) for module in MODULES},
    **{f"role {role}": variables_of(role) for role in ROLES},
}
# (where, option, its rule) of every one
EVERY_OPTION = [
    (where, option, rule) for where, spec in SPECIFICATIONS.items() for option, rule in spec.items()
]
