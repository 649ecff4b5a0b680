# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The YAML of a profile file as plain data, with the line of each part.

Scalars are read by the core rules of YAML 1.2, not by PyYAML's older ones: 0640, 22:22, no and 2026-01-01 are
texts, and only true and false are booleans. So a mode does not become another number, and a user "no" is not
false.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ..errors import ScanError
from .quick_yaml import compose

try:
    import yaml
except ImportError:  # only the machine that loads profiles needs it
    yaml = None  # type: ignore[assignment,unused-ignore]

Path = tuple[Any, ...]

# The largest number of nodes. A reference to an anchor counts as what it refers to, so that a file cannot
# grow by them.
_NODE_LIMIT = 200_000
_DEPTH_LIMIT = 40

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
    if yaml is None:
        raise ScanError("missing_library", "The Python package PyYAML is not installed", tried=f"load {file}")
    document = Document(file, text)
    try:
        root = compose(text) if of_controller else yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(part for part in (error.context, error.problem) if part)
        raise syntax_error(file, mark.line + 1 if mark else 1, f"this is no YAML: {problem}") from error
    except RecursionError as error:
        raise syntax_error(file, 1, "the file is nested too deeply") from error
    except yaml.YAMLError as error:
        raise syntax_error(file, 1, f"this is no YAML: {str(error).splitlines()[0]}") from error
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
        self._nodes = 0
        self._open: set[int] = set()

    def convert(self, node: Any, path: Path) -> Any:
        self._document.lines.setdefault(path, node.start_mark.line + 1)
        self._document.spans[path] = (node.start_mark.index, node.end_mark.index)
        self._nodes += 1
        if self._nodes > _NODE_LIMIT or len(path) > _DEPTH_LIMIT:
            raise self._error(
                node, f"the file holds more than {_NODE_LIMIT} parts or is nested deeper than {_DEPTH_LIMIT}"
            )
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            raise self._error(node, "an anchor that holds a reference to itself")
        self._open.add(id(node))
        self._check_tag(node)
        data = self._mapping(node, path) if isinstance(node, yaml.MappingNode) else self._list(node, path)
        self._open.discard(id(node))
        return data

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
            if key in data:
                raise self._error(
                    key_node,
                    f"found the key '{key}' twice in one mapping (first in line "
                    f"{self._document.lines[_below(path, key)]}); expected it "
                    "once",
                )
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
        return float(text) if _NUMBER.match(text) else text

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
