# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The YAML of a profile file as plain data, with the line of each part.

Scalars are read by the core rules of YAML 1.2, not by PyYAML's older ones: 0640, 22:22, no and 2026-01-01 are
texts, and only true and false are booleans. So a mode does not become another number, and a user "no" is not
false.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from ..counted_yaml import YamlError, compose_yaml
from ..errors import ScanError

try:
    import yaml
except ImportError:  # only the machine that loads profiles needs it
    yaml = None  # type: ignore[assignment,unused-ignore]

Path = tuple[Any, ...]

_NULL = re.compile(r"(~|null|Null|NULL|)\Z")
_BOOLEAN = re.compile(r"(true|True|TRUE|false|False|FALSE)\Z")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\Z")
_NUMBER = re.compile(
    r"[-+]?((0|[1-9][0-9]*)?\.[0-9]+([eE][-+]?[0-9]{1,2})?|(0|[1-9][0-9]*)[eE][-+]?[0-9]{1,2})\Z"
)


@dataclass
class Document:
    """A file's data (dict, list, str, int, float, bool, None), its text, and the place of each part.

    A path is the keys and list positions from the top: `lines` maps it to a line number, `spans` to offsets
    in `text`.
    """

    file: str
    text: str
    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    spans: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def line_of(self, path: Path) -> int:
        """The line of the part at `path`, else of the nearest part around it that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def code_of(self, path: Path) -> str:
        """The source text of the part at `path`, without its indentation and without what follows."""
        start, end = self.spans[path]
        indent = " " * (start - (self.text.rfind("\n", 0, start) + 1))
        lines = [
            line[len(indent) :] if line.startswith(indent) else line.lstrip(" ")
            for line in (indent + self.text[start:end]).split("\n")
        ]
        while lines and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
            lines.pop()
        return "\n".join(lines) + "\n"


def read_document(file: str, text: str, of_controller: bool = False) -> Document:
    """Read `text`, the content of `file`.

    :param of_controller: libyaml may be used: the text is a file of the controller, and not from a container
    :raises ScanError: bad_profile; missing_library without PyYAML
    """
    document = Document(file, text)
    try:
        root = compose_yaml(text, file, quick=of_controller)
    except YamlError as problem:
        raise syntax_error(file, problem.line, str(problem)) from None
    if root is None:
        raise syntax_error(file, 1, "the file is empty; expected a profile: a mapping with name and controls")
    document.data = _Reader(document).convert(root, ())
    return document


def syntax_error(file: str, line: int, problem: str) -> ScanError:
    """A bad_profile error at a line of a file."""
    return ScanError("bad_profile", f"{file}:{line}: {problem}")


def _below(path: Path, key: Any) -> Path:
    return (*path, key)


class _Reader:
    """Makes plain data of YAML nodes, and notes their lines."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def convert(self, node: Any, path: Path) -> Any:
        self._document.lines.setdefault(path, node.start_mark.line + 1)
        self._document.spans[path] = (node.start_mark.index, node.end_mark.index)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        self._check_tag(node)
        return self._mapping(node, path) if isinstance(node, yaml.MappingNode) else self._list(node, path)

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str):
                raise self._error(
                    key_node, "found a key that is no text; expected a text (put numbers in quotes)"
                )
            if key == "<<" and not key_node.style:
                raise self._error(key_node, "found the merge key <<; expected each key to be written out")
            self._document.lines[_below(path, key)] = key_node.start_mark.line + 1
            data[key] = self.convert(value_node, _below(path, key))
        return data

    def _list(self, node: Any, path: Path) -> list[Any]:
        return [self.convert(item, _below(path, number)) for number, item in enumerate(node.value)]

    def _scalar(self, node: Any) -> Any:
        text: str = node.value
        if node.style:  # quoted or a block: always a text
            self._check_tag(node)
            return text
        if node.tag not in _PLAIN_TAGS:
            raise self._error(node, f"found the tag {node.tag}; expected plain data without tags")
        if _NULL.match(text):
            return None
        if _BOOLEAN.match(text):
            return text.lower() == "true"
        if _INTEGER.match(text):
            return int(text)
        if not _NUMBER.match(text):
            return text
        number = float(text)
        if not math.isfinite(number):
            raise self._error(node, "found a number that is too large")
        return number

    def _check_tag(self, node: Any) -> None:
        if node.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            raise self._error(node, f"found the tag {node.tag}; expected plain data without tags")

    def _error(self, node: Any, problem: str) -> ScanError:
        return syntax_error(self._document.file, node.start_mark.line + 1, problem)


# PyYAML's own rules perhaps made something else of a plain scalar; its text is read again by ours.
_PLAIN_TAGS = frozenset(
    "tag:yaml.org,2002:" + name
    for name in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)
