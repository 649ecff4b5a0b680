# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML for files in which a slip would open a gate: a number of two readings is an error, as is all that the one reader
of YAML refuses."""

from __future__ import annotations

import re
from typing import Any

from ..counted_yaml import YamlError, compose_yaml, plain_data
from ..errors import ScanError

_INT_TAG = "tag:yaml.org,2002:int"
_PLAIN_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")


def load_yaml(text: str, source: str, reason: str) -> Any:
    """The one YAML (or JSON) document in `text`; None when there is none.

    :param source: names the text in errors
    :param reason: the reason of the ScanError that is raised for a text that cannot be accepted
    :raises ScanError: `reason`, naming the line; `missing_library` without PyYAML
    """
    try:
        root = compose_yaml(text, source, quick=True)
        _check_numbers(root)
        return plain_data(root)
    except YamlError as problem:
        raise ScanError(reason, f"{source}, line {problem.line}: {problem}") from None


def _check_numbers(root: Any) -> None:
    """Whole numbers that YAML 1.1 and 1.2 read differently are refused, the first in the text first."""
    problems: list[tuple[int, str]] = []
    visited: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):  # a key and its value
            waiting += node
        elif node is not None and id(node) not in visited:
            visited.add(id(node))
            if isinstance(node.value, list):
                waiting += node.value
            elif node.tag == _INT_TAG and not _PLAIN_INT.fullmatch(node.value):
                problems.append((node.start_mark.line + 1, node.value))
    if problems:
        line, number = min(problems)
        raise YamlError(
            line,
            "a number of two readings",
            f"write {number[:60]} as a plain decimal number of at most 18 digits",
        )
