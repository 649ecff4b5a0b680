# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which file of plugins/ imports which, read from the sources."""

from __future__ import annotations

import ast
import pathlib
from collections.abc import Iterator

PLUGINS = pathlib.Path(__file__).resolve().parents[3] / "plugins"
_PREFIX = "ansible_collections.securescan.kubernetes.plugins"


def file_imports(root: pathlib.Path = PLUGINS) -> dict[str, set[str]]:
    """Each file of plugins/ (as "module_utils/errors.py") with those of the same tree that it imports."""
    files = {path.relative_to(root).as_posix() for path in root.rglob("*.py")}
    return {
        name: {found for module in _modules(root / name, name) for found in _files_of(module, files)}
        for name in sorted(files)
    }


def _modules(path: pathlib.Path, name: str) -> Iterator[tuple[str, ...]]:
    """The modules that a file imports from, as parts of a path; with and without each imported name, which may be a module."""
    folder = name.split("/")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith(_PREFIX + "."):
                    yield tuple(alias.name[len(_PREFIX) + 1 :].split("."))
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                base = [*folder[: len(folder) - node.level + 1], *module.split(".")]
            elif module == _PREFIX or module.startswith(_PREFIX + "."):
                base = module[len(_PREFIX) :].split(".")
            else:
                continue
            parts = tuple(part for part in base if part)
            yield parts
            yield from ((*parts, alias.name) for alias in node.names)


def _files_of(module: tuple[str, ...], files: set[str]) -> Iterator[str]:
    name = "/".join(module) + ".py"
    if name in files:
        yield name


def room_of(name: str) -> str:
    """The path of the room, below plugins/, that a file is in: module_utils/results, or modules."""
    parts = name.split("/")
    return "/".join(parts[: 2 if parts[0] == "module_utils" else 1])
