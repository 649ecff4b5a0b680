# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one reader of YAML, for files that people hand in and for those of containers. It counts while it reads. What is written
as YAML is written here, too.

A reference to an anchor counts as what it refers to, so that a short text cannot grow by references. A text that is
too large, too deep, refers to itself, or has a key twice in one mapping is refused.

libyaml reads seven times as fast as PyYAML alone. It is used where PyYAML has it and a person handed the text in. A
text that libyaml refuses, or that it would read differently, is read by PyYAML, so that it means the same everywhere.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import ScanError

try:
    import yaml
    from yaml.composer import Composer
    from yaml.constructor import SafeConstructor
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.resolver import Resolver
    from yaml.scanner import Scanner
except ImportError:  # only the machine that reads such files needs it
    yaml = None  # type: ignore[assignment, unused-ignore]
    Composer = object  # type: ignore[assignment, misc, unused-ignore]

try:
    from yaml.cyaml import CParser  # type: ignore[attr-defined, unused-ignore]

    HAS_LIBYAML = True
except ImportError:
    HAS_LIBYAML = False

# libyaml accepts tabs that PyYAML refuses, and does not count a byte order mark as a character.
_READ_DIFFERENTLY = ("\t", "\ufeff")


@dataclass(frozen=True)
class YamlLimits:
    """What a text can hold: `characters` and `parts` (scalars, lists and mappings) also with its references written
    out; `depth` is how many lists and mappings can stand within each other, `seconds` the processor time of reading."""

    characters: int = 1024 * 1024
    parts: int = 200_000
    depth: int = 40
    seconds: float = 10.0


FILE_LIMITS = YamlLimits()
NOT_YAML = "not valid YAML"
_TAG = "tag:yaml.org,2002:"


class YamlError(Exception):
    """Why a text is refused. `rule` quotes nothing of the text; the exception's own text can do so."""

    def __init__(self, line: int, rule: str, problem: str = "") -> None:
        super().__init__(problem or rule)
        self.line = line
        self.rule = rule


def compose_yaml(
    text: str,
    source: str,
    limits: YamlLimits = FILE_LIMITS,
    *,
    quick: bool = False,
    as_kubectl: bool = False,
) -> Any:
    """The root node of the one YAML (or JSON) document in `text`, with the marks of each node; None without one.

    :param source: names the text in errors
    :param quick: libyaml may be used: the text is not from a container
    :param as_kubectl: only the first document is read, and a key may stand twice in one mapping
    :raises YamlError: for a text that is no YAML, or not within the limits
    :raises ScanError: missing_library, without PyYAML
    """
    require_yaml(f"read {source}")
    if len(text) > limits.characters:
        raise YamlError(1, f"the text has more than {limits.characters} characters")
    if quick and HAS_LIBYAML and not any(character in text for character in _READ_DIFFERENTLY):
        try:
            return _root(_QuickLoader(text, limits, as_kubectl), as_kubectl)
        except yaml.YAMLError:
            pass  # said below in PyYAML's words
    try:
        return _root(_Loader(text, limits, as_kubectl), as_kubectl)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(part for part in (error.context, error.problem) if part)
        raise YamlError(mark.line + 1 if mark else 1, NOT_YAML, f"{NOT_YAML}: {problem}") from None
    except yaml.YAMLError as error:
        raise YamlError(1, NOT_YAML, f"{NOT_YAML}: {str(error).splitlines()[0]}") from None


def require_yaml(tried: str) -> None:
    """:raises ScanError: missing_library, without PyYAML"""
    if yaml is None:
        raise ScanError("missing_library", "the Python package PyYAML is not installed", tried=tried)


def yaml_text(document: Mapping[str, Any], *, sort_keys: bool = False, width: int = 1000) -> str:
    """A document of plain values as YAML in block style, without references. Call `require_yaml` before."""
    unshared = json.loads(json.dumps(document))  # else what stands twice in it would be an alias
    text: str = yaml.safe_dump(unshared, sort_keys=sort_keys, default_flow_style=False, width=width)
    return text


def plain_data(node: Any) -> Any:
    """The plain values of a root node by PyYAML's safe rules, which are those of YAML 1.1; None for None.

    :raises YamlError: for a tag that is not plain, or a value that cannot be
    """
    if node is None:
        return None
    try:
        return SafeConstructor().construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise YamlError(line, NOT_YAML, f"{NOT_YAML}: {error.problem}") from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise YamlError(1, NOT_YAML, f"{NOT_YAML}: {error}") from None


def read_as_kubectl(text: str, source: str, limits: YamlLimits) -> Any:
    """The value of the first document of `text`, as kubectl reads a kubeconfig: documents behind the first do not
    count, of equal keys in one mapping the last holds, a tag that is not known changes nothing, and what YAML 1.1 takes
    for a date, for a number of base 60 (12:30) or for "=" is text. None where there is nothing, or null.

    :raises YamlError: as `compose_yaml`
    :raises ScanError: missing_library, without PyYAML
    """
    node = compose_yaml(text, source, limits, quick=True, as_kubectl=True)
    _make_texts(node, set())
    return plain_data(node)


def _make_texts(node: Any, seen: set[int]) -> None:
    """Gives each node that only YAML 1.1 takes for something else the tag of a text."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        is_base_60 = node.tag in (_TAG + "int", _TAG + "float") and ":" in node.value
        if is_base_60 or node.tag in (_TAG + "timestamp", _TAG + "value") or not node.tag.startswith(_TAG):
            node.tag = _TAG + "str"
    elif isinstance(node, yaml.CollectionNode):
        if not node.tag.startswith(_TAG):
            node.tag = _TAG + ("map" if isinstance(node, yaml.MappingNode) else "seq")
        for part in node.value:
            for inner in part if isinstance(part, tuple) else (part,):
                _make_texts(inner, seen)


def _root(loader: Any, only_first: bool) -> Any:
    try:
        if only_first:
            return loader.get_node() if loader.check_node() else None
        return loader.get_single_node()
    finally:
        loader.dispose()


class _CountingComposer(Composer):
    """Makes nodes of a parser's events, and counts them."""

    _limits: YamlLimits
    _allows_equal_keys: bool

    def _count_by(self, limits: YamlLimits, allows_equal_keys: bool) -> None:
        self._limits = limits
        self._allows_equal_keys = allows_equal_keys
        self._parts = self._characters = self._depth = 0
        self._end = time.thread_time() + limits.seconds
        # node -> the parts and characters in it, once it is whole
        self._size: dict[int, tuple[int, int]] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[attr-defined, unused-ignore]
        if isinstance(event, yaml.AliasEvent):
            node = super().compose_node(parent, index)
            if id(node) not in self._size:
                raise _problem(event, "an anchor that holds a reference to itself")
            parts, characters = self._size[id(node)]
            self._add(event, parts, characters)
            return node
        if time.thread_time() > self._end:
            raise _problem(event, f"reading takes longer than {self._limits.seconds:g} seconds")
        before = self._parts, self._characters
        self._add(event, 1, len(getattr(event, "value", "")))
        self._depth += 1
        if self._depth > self._limits.depth + 1:
            raise _problem(event, f"nested deeper than {self._limits.depth}")
        node = super().compose_node(parent, index)
        self._depth -= 1
        self._size[id(node)] = self._parts - before[0], self._characters - before[1]
        return node

    def _add(self, event: Any, parts: int, characters: int) -> None:
        self._parts += parts
        self._characters += characters
        if self._parts > self._limits.parts:
            raise _problem(
                event, f"more than {self._limits.parts} parts, references counted as what they refer to"
            )
        if self._characters > self._limits.characters:
            raise _problem(
                event,
                f"more than {self._limits.characters} characters, references counted as what they refer to",
            )

    def compose_mapping_node(self, anchor: Any) -> Any:
        node = super().compose_mapping_node(anchor)
        first: dict[str, int] = {}
        for key, _value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            line = key.start_mark.line + 1
            if key.value in first and not self._allows_equal_keys:
                raise YamlError(
                    line,
                    "a key stands twice in one mapping",
                    f"the key {key.value} stands twice in one mapping (first in line {first[key.value]})",
                )
            first[key.value] = line
        return node


def _problem(event: Any, rule: str) -> YamlError:
    return YamlError(event.start_mark.line + 1, rule)


if yaml is not None:

    class _Loader(Reader, Scanner, Parser, _CountingComposer, Resolver):
        def __init__(self, text: str, limits: YamlLimits, allows_equal_keys: bool) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)
            Composer.__init__(self)
            Resolver.__init__(self)
            self._count_by(limits, allows_equal_keys)


if HAS_LIBYAML:

    class _QuickLoader(_CountingComposer, CParser, Resolver):
        def __init__(self, text: str, limits: YamlLimits, allows_equal_keys: bool) -> None:
            CParser.__init__(self, text)
            Composer.__init__(self)
            Resolver.__init__(self)
            self._count_by(limits, allows_equal_keys)
