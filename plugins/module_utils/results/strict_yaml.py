# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML for files in which a slip would open a gate: a key that stands twice and a number of two readings are errors."""

from __future__ import annotations

import re
from typing import Any

from ..errors import ScanError

try:
    import yaml
except ImportError:
    yaml = None  # type: ignore[assignment, unused-ignore]

MAX_TEXT_CHARACTERS = 1024 * 1024
_INT_TAG = "tag:yaml.org,2002:int"
_PLAIN_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")


def load_yaml(text: str, source: str, reason: str) -> Any:
    """The one YAML (or JSON) document in `text`; None when there is none.

    :param source: names the text in errors
    :param reason: the reason of the ScanError that is raised for a text that cannot be accepted
    :raises ScanError: `reason`, naming the line; `missing_library` without PyYAML
    """
    if yaml is None:
        raise ScanError(
            "missing_library", "the Python package PyYAML is not installed", tried=f"read {source}"
        )
    if len(text) > MAX_TEXT_CHARACTERS:
        raise ScanError(reason, f"{source} has more than {MAX_TEXT_CHARACTERS} characters")
    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            for line, problem in _problems(node):
                raise ScanError(reason, f"{source}, line {line}: {problem}")
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ScanError(reason, f"{source}, line {line}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ScanError(reason, f"{source}: not valid YAML: {error}") from None


def _problems(root: Any) -> list[tuple[int, str]]:
    """(line, problem) of keys that stand twice, and of whole numbers that YAML 1.1 and 1.2 read differently."""
    problems: list[tuple[int, str]] = []
    visited: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in visited:
            continue
        visited.add(id(node))
        if isinstance(node, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if key.value in keys:
                        problems.append((key.start_mark.line + 1, f"the key {key.value} stands twice"))
                    keys.add(key.value)
                waiting += [key, value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif node.tag == _INT_TAG and not _PLAIN_INT.fullmatch(node.value):
            problems.append((node.start_mark.line + 1, f"write {node.value} as a plain decimal number"))
    return sorted(problems)
