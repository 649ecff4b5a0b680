# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/evidence/compatibility.md: what was run on which version of ansible-core and Python, written by the runs themselves.

With SECURESCAN_WRITE_DOCS=1 a run writes its section. Without it, the section must be what the run would write.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence

_TREE = pathlib.Path(__file__).resolve().parents[2]
# The tests run in a copy of the checkout, which is kept in its folder build/.
_IN_COPY = ("build", "collections", "ansible_collections", "securescan", "kubernetes")
_CHECKOUT = _TREE.parents[4] if _TREE.parts[-5:] == _IN_COPY else _TREE
_HEAD = """<!-- Made by `make sanity` and test_installed_collection.py with SECURESCAN_WRITE_DOCS=1; changes here are lost. -->

# Compatibility

Each row is a run. The engine (`plugins/module_utils`) also has its unit tests run on Python 3.9 to 3.13 without Ansible.
"""
SANITY, INSTALLED = "ansible-test sanity", "Installed from its archive"
_ABOUT = {
    SANITY: "The whole of `ansible-test sanity`, without an ignore file. Modules and module_utils are compiled and imported on"
    " each Python from 3.9 on that the version of ansible-core knows, plugins on those of its controller.",
    INSTALLED: "`ansible-galaxy collection build` and `install` into an environment that has ansible-core alone, then the shipped"
    " playbook against a real cluster.",
}


def record(section: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Writes the section, where that is wanted; whether the page holds it."""
    table = "\n".join(
        "| {} |".format(" | ".join(cells)) for cells in (columns, ["---"] * len(columns), *rows)
    )
    page = _CHECKOUT / "docs" / "evidence" / "compatibility.md"
    found = _sections(page.read_text(encoding="utf-8")) if page.exists() else {}
    if os.environ.get("SECURESCAN_WRITE_DOCS") != "1":
        return found.get(section) == table
    found[section] = table
    text = _HEAD + "".join(
        f"\n## {name}\n\n{_ABOUT[name]}\n\n{found[name]}\n" for name in _ABOUT if name in found
    )
    page.write_text(text, encoding="utf-8")
    return True


def _sections(page: str) -> dict[str, str]:
    """The table of each section by its heading."""
    found = {}
    for part in page.split("\n## ")[1:]:
        heading, _newline, rest = part.partition("\n")
        found[heading] = "\n".join(line for line in rest.splitlines() if line.startswith("|"))
    return found
